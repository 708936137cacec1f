import { describe, expect, it } from "vitest";
import { ExponentialBackoff } from "./exponential-backoff.js";

describe("ExponentialBackoff", () => {
	it("waits 1, 2, 4, 8, 16, then 30 seconds for ever", () => {
		const policy = new ExponentialBackoff(() => 0);
		const delays = [0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => policy.nextDelay(attempt));
		expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
	});

	it("adds up to a quarter, so that not all come back at once", () => {
		expect(new ExponentialBackoff(() => 1).nextDelay(1)).toBe(2500);
	});
});
