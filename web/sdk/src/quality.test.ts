import { describe, expect, it } from "vitest";
import { grade, measure, QualityMeter, sampleOf } from "./quality.js";

const calm = { rtt: 0.03, jitter: 0.005, received: 0, missed: 0, remoteLoss: 0 };

describe("sampleOf", () => {
	it("reads the selected path, sums what was received, takes the voice's jitter", () => {
		const sample = sampleOf([
			{ type: "transport", selectedCandidatePairId: "P2" },
			{
				type: "candidate-pair",
				id: "P1",
				nominated: true,
				state: "succeeded",
				currentRoundTripTime: 9,
			},
			{
				type: "candidate-pair",
				id: "P2",
				nominated: true,
				state: "succeeded",
				currentRoundTripTime: 0.1,
			},
			{ type: "inbound-rtp", kind: "audio", packetsReceived: 90, packetsLost: 10, jitter: 0.02 },
			{ type: "inbound-rtp", kind: "video", packetsReceived: 10, packetsLost: -3, jitter: 0.5 },
			{ type: "remote-inbound-rtp", fractionLost: 0.04 },
		]);
		expect(sample).toEqual({ rtt: 0.1, jitter: 0.02, received: 100, missed: 10, remoteLoss: 0.04 });
	});

	it("makes do with the nominated pair where there are no transports", () => {
		const pair = { type: "candidate-pair", nominated: true, state: "succeeded" };
		expect(sampleOf([{ ...pair, currentRoundTripTime: 0.2 }]).rtt).toBe(0.2);
	});
});

describe("measure", () => {
	it("takes the loss between the samples, not since the start", () => {
		const before = { ...calm, received: 1000, missed: 500 };
		expect(measure(before, { ...calm, received: 1090, missed: 510 }).loss).toBeCloseTo(0.1);
	});

	it("takes the worse of what we and what they lost", () => {
		expect(measure(calm, { ...calm, received: 100, remoteLoss: 0.3 }).loss).toBe(0.3);
	});

	it("is not confused by counters that start again", () => {
		expect(measure({ ...calm, received: 500, missed: 9 }, calm).loss).toBe(0);
	});
});

describe("grade", () => {
	it("asks all three", () => {
		expect(grade({ rtt: 0.1, jitter: 0.01, loss: 0 })).toBe("good");
		expect(grade({ rtt: 0.4, jitter: 0.01, loss: 0 })).toBe("fair");
		expect(grade({ rtt: 0.1, jitter: 0.2, loss: 0 })).toBe("poor");
		expect(grade({ rtt: 0.1, jitter: 0.01, loss: 0.2 })).toBe("poor");
	});
});

describe("QualityMeter", () => {
	it("falls at once and rises only when it holds", () => {
		const meter = new QualityMeter();
		expect(meter.handleSample({ ...calm, rtt: 1 })).toBe("poor");
		expect(meter.handleSample(calm)).toBe("poor");
		expect(meter.handleSample(calm)).toBe("good");
	});

	it("is stalled once when nothing comes any more", () => {
		const meter = new QualityMeter();
		const after = (received: number) => {
			meter.handleSample({ ...calm, received });
			return meter.stalled;
		};
		expect([50, 50, 50, 90, 120].map(after)).toEqual([false, true, false, false, false]);
	});

	it("is lost with the path, and fair when it is found until samples say more", () => {
		const meter = new QualityMeter();
		expect(meter.handleLost()).toBe("lost");
		expect(meter.handleFound()).toBe("fair");
		meter.handleSample(calm);
		expect(meter.handleSample(calm)).toBe("good");
	});
});
