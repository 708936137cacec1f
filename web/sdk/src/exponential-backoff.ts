import type { ReconnectPolicy } from "./reconnect-policy.js";

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
// Spread, so that the members of a restarted server do not all come back in one instant.
const JITTER = 0.25;

/**
 * The default policy: 1, 2, 4, 8, 16, 30, 30 ... seconds plus up to a quarter, for ever.
 *
 * ```ts
 * const patient = new ExponentialBackoff();
 * const tenTimes: ReconnectPolicy = {
 * 	nextDelay: (attempt) => (attempt < 10 ? patient.nextDelay(attempt) : undefined),
 * };
 * ```
 */
export class ExponentialBackoff implements ReconnectPolicy {
	readonly #random: () => number;

	constructor(random: () => number = Math.random) {
		this.#random = random;
	}

	nextDelay(attempt: number): number {
		const base = Math.min(FIRST_MS * 2 ** Math.min(attempt, 10), LONGEST_MS);
		return Math.round(base * (1 + JITTER * this.#random()));
	}
}
