import { selectedPair } from "./path.js";

/** The path to a person, by loss, delay and jitter: what people would say of it. */
export type Quality = "good" | "fair" | "poor" | "lost";

/** Totals since the start, as getStats has them. */
export interface StatsSample {
	/** Seconds there and back; undefined until measured. */
	rtt: number | undefined;
	/** Seconds. */
	jitter: number | undefined;
	received: number;
	missed: number;
	/** 0..1 of what we sent, as the other side reports it. */
	remoteLoss: number | undefined;
}

/** The members of stats reports that are read here. */
interface Report {
	id?: string;
	type: string;
	kind?: string;
	selectedCandidatePairId?: string;
	nominated?: boolean;
	state?: string;
	currentRoundTripTime?: number;
	jitter?: number;
	packetsReceived?: number;
	packetsLost?: number;
	fractionLost?: number;
}

/** Sums what getStats() says of one connection. */
export function sampleOf(all: Iterable<Report>): StatsSample {
	const reports = [...all];
	const path = selectedPair(reports);
	const sample: StatsSample = {
		rtt: undefined,
		jitter: undefined,
		received: 0,
		missed: 0,
		remoteLoss: undefined,
	};
	for (const report of reports) {
		if (report === path) {
			sample.rtt = report.currentRoundTripTime ?? sample.rtt;
		} else if (report.type === "inbound-rtp") {
			sample.received += report.packetsReceived ?? 0;
			sample.missed += Math.max(0, report.packetsLost ?? 0);
			// Video comes in bursts, a frame at a time: only the voice's jitter tells of the path.
			if (report.kind === "audio") sample.jitter = highest(sample.jitter, report.jitter);
		} else if (report.type === "remote-inbound-rtp") {
			sample.remoteLoss = highest(sample.remoteLoss, report.fractionLost);
		}
	}
	return sample;
}

function highest(a: number | undefined, b: number | undefined): number | undefined {
	return a === undefined ? b : Math.max(a, b ?? a);
}

export interface Measured {
	rtt: number;
	jitter: number;
	loss: number;
}

/** What happened between two samples. */
export function measure(before: StatsSample, now: StatsSample): Measured {
	const received = Math.max(0, now.received - before.received);
	const missed = Math.max(0, now.missed - before.missed);
	const total = received + missed;
	const loss = total > 0 ? missed / total : 0;
	return {
		rtt: now.rtt ?? 0,
		jitter: now.jitter ?? 0,
		loss: Math.max(loss, now.remoteLoss ?? 0),
	};
}

// ITU-T G.114 calls 150 ms one way "acceptable"; Opus conceals about 3 % of loss unheard.
const GOOD: Measured = { rtt: 0.25, jitter: 0.04, loss: 0.03 };
const FAIR: Measured = { rtt: 0.5, jitter: 0.1, loss: 0.1 };

export function grade({ rtt, jitter, loss }: Measured): "good" | "fair" | "poor" {
	const within = (limit: Measured) =>
		rtt <= limit.rtt && jitter <= limit.jitter && loss <= limit.loss;
	if (within(GOOD)) return "good";
	return within(FAIR) ? "fair" : "poor";
}

const ORDER: readonly Quality[] = ["lost", "poor", "fair", "good"];
const CALM_SAMPLES = 2;

/** Falls at once, rises only when the better grade held: the sign shall not flicker. */
export class QualityMeter {
	#quality: Quality = "good";
	#before: StatsSample | undefined;
	#better = 0;
	#measured: Measured | undefined;
	/** Packets between the last two samples. */
	#came = 0;
	#stalled = false;

	/** Nothing has come since the sample before, though it had until then: the path may be dead, long before it is found so. */
	get stalled(): boolean {
		return this.#stalled;
	}

	/** Between the last two samples; undefined while the path is lost. */
	get measured(): Measured | undefined {
		return this.#measured;
	}

	get quality(): Quality {
		return this.#quality;
	}

	handleSample(sample: StatsSample): Quality {
		const before = this.#before ?? sample;
		const came = sample.received - (this.#before?.received ?? 0);
		this.#before = sample;
		this.#measured = measure(before, sample);
		this.#stalled = came === 0 && this.#came > 0;
		this.#came = came;
		return this.#settle(grade(this.#measured));
	}

	/** The path is back; how good it is, the next samples tell. */
	handleFound(): Quality {
		return this.#quality === "lost" ? this.#settle("fair") : this.#quality;
	}

	handleLost(): Quality {
		this.#before = undefined;
		this.#measured = undefined;
		this.#came = 0;
		return this.#settle("lost");
	}

	#settle(next: Quality): Quality {
		const rises = ORDER.indexOf(next) > ORDER.indexOf(this.#quality);
		this.#better = rises ? this.#better + 1 : 0;
		if (!rises || this.#quality === "lost" || this.#better >= CALM_SAMPLES) {
			this.#quality = next;
			this.#better = 0;
		}
		return this.#quality;
	}
}
