import { describe, expect, it } from "vitest";
import { type Refusal, refusalFinding } from "./refusals.js";

function refusal(why: string, code = 401, expiredFor?: number): Refusal {
	return { why, code, reason: "R", ago: 1, ...(expiredFor === undefined ? {} : { expiredFor }) };
}

describe("why a relay refused", () => {
	it.each([
		[refusal("EXPIRED", 401, 60_000), /\(401 R\).*expired 60 s before.*NTP/],
		[refusal("EXPIRED", 401, 7_200_000), /expired 2 h before/],
		[refusal("PASSWORD"), /another secret.*turn\.static-auth-secret/],
		[refusal("REALM"), /another realm.*turn\.realm/],
		[refusal("SESSION"), /session.*ended/],
		[refusal("STALE", 438), /another address/],
		[refusal("ALGORITHM", 400), /did not understand/],
	])("is said in words: %o", (given, wanted) => {
		const finding = refusalFinding([given]);
		expect(finding?.verdict).toBe("fail");
		expect(JSON.stringify(finding)).toMatch(wanted);
	});

	it("is not that a nonce was renewed, when there is more", () => {
		const finding = refusalFinding([refusal("STALE", 438), refusal("PASSWORD")]);
		expect(JSON.stringify(finding)).toMatch(/another secret/);
	});

	it("is nothing when the server knows of none", () => {
		expect(refusalFinding([])).toBeNull();
	});
});
