/** Both in milliseconds. */
export interface KeepaliveTimes {
	/** Silence after which a ping is sent. */
	interval: number;
	/** How long its answer may take. */
	deadline: number;
}

/**
 * Notices a network that died without a word: TCP alone would tell after minutes. Anything
 * that arrives counts as a sign of life.
 */
export class Keepalive {
	#heardAt: number;
	#pingedAt: number | undefined;

	constructor(
		now: number,
		readonly times: KeepaliveTimes = { interval: 10_000, deadline: 5_000 },
	) {
		this.#heardAt = now;
	}

	handleReceived(now: number): void {
		this.#heardAt = now;
		this.#pingedAt = undefined;
	}

	/** What to do now, and in how many milliseconds to ask again. */
	check(now: number): { action: "wait" | "ping" | "dead"; next: number } {
		const { interval, deadline } = this.times;
		if (this.#pingedAt !== undefined) {
			const left = this.#pingedAt + deadline - now;
			return left > 0 ? { action: "wait", next: left } : { action: "dead", next: 0 };
		}
		const quiet = this.#heardAt + interval - now;
		return quiet > 0 ? { action: "wait", next: quiet } : this.probe(now);
	}

	/** Asks at once, as after the device woke up or changed its network. */
	probe(now: number): { action: "ping"; next: number } {
		this.#pingedAt ??= now;
		return { action: "ping", next: this.times.deadline };
	}
}
