/** Both in milliseconds. */
export interface KeepaliveTimes {
	/** Silence after which a ping is sent. */
	interval: number;
	/** How long its answer may take. */
	deadline: number;
}

// With a reason to believe that the line is dead one does not wait as long: to come back costs little.
const PROBE_MS = 2_000;

/**
 * Notices a network that died without a word: TCP alone would tell after minutes. Anything
 * that arrives counts as a sign of life.
 */
export class Keepalive {
	#heardAt: number;
	/** When the answer to a ping is late. */
	#lateAt: number | undefined;

	constructor(
		now: number,
		readonly times: KeepaliveTimes = { interval: 10_000, deadline: 5_000 },
	) {
		this.#heardAt = now;
	}

	handleReceived(now: number): void {
		this.#heardAt = now;
		this.#lateAt = undefined;
	}

	/** What to do now, and in how many milliseconds to ask again. */
	check(now: number): { action: "wait" | "ping" | "dead"; next: number } {
		const { interval, deadline } = this.times;
		if (this.#lateAt !== undefined) {
			const left = this.#lateAt - now;
			return left > 0 ? { action: "wait", next: left } : { action: "dead", next: 0 };
		}
		const quiet = this.#heardAt + interval - now;
		if (quiet > 0) return { action: "wait", next: quiet };
		this.#lateAt = now + deadline;
		return { action: "ping", next: deadline };
	}

	/** Asks at once, as after the device woke up or changed its network; in how many milliseconds to look again. */
	probe(now: number): number {
		const probed = now + Math.min(PROBE_MS, this.times.deadline);
		this.#lateAt = Math.min(this.#lateAt ?? probed, probed);
		return this.#lateAt - now;
	}
}
