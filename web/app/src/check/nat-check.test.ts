import { describe, expect, it } from "vitest";
import { type Nat, natFinding, whomItHears } from "./nat-check.js";
import { isPrivate } from "./seen.js";

const seen = { address: "198.51.100.7", port: 4000 };

describe("the router", () => {
	it.each<[Nat, string, RegExp]>([
		[{ seen: "own", heard: null }, "pass", /none: others see your own/],
		[{ seen, heard: { same: true } }, "pass", /everybody sees you as 198\.51\.100\.7:4000/],
		[{ seen, heard: { same: false, port: 4001 } }, "fail", /symmetric.*7:4000.*at port 4001.*IPv6/],
		[{ seen, heard: { same: false, port: null } }, "fail", /a relay at another port/],
		[{ seen, heard: null }, "fail", /Nothing arrives.*turn\.port-range/],
		[{ seen, heard: null, relay: "10.9.0.5" }, "fail", /at 10\.9\.0\.5.*PUBLIC\/10\.9\.0\.5/],
		[
			{ seen: { ...seen, address: "10.1.2.3" }, heard: null },
			"left-out",
			/10\.1\.2\.3.*turn\.allow-peer/,
		],
	])("is told by what others see: %o", (nat, verdict, words) => {
		const finding = natFinding(nat);
		expect(finding.verdict).toBe(verdict);
		expect(JSON.stringify(finding)).toMatch(words);
	});

	it("has another port for each where a relay hears somebody unknown", () => {
		const told = { id: "a", type: "remote-candidate", candidateType: "srflx", port: 1 };
		const met = { id: "b", type: "remote-candidate", candidateType: "prflx", port: 2 };
		const pair = (to: string, requestsReceived: number) => {
			return { id: `to ${to}`, type: "candidate-pair", remoteCandidateId: to, requestsReceived };
		};
		expect(whomItHears([told, pair("a", 0)])).toBeNull();
		expect(whomItHears([told, pair("a", 3)])).toEqual({ same: true });
		expect(whomItHears([told, met, pair("a", 0), pair("b", 1)])).toEqual({ same: false, port: 2 });
		const state = "succeeded"; // in place of counts, elsewhere
		const silent = { id: "p", type: "candidate-pair", remoteCandidateId: "b", state };
		expect(whomItHears([met, silent])).toEqual({ same: false, port: 2 });
	});
});

describe("private addresses", () => {
	it.each(["10.0.0.1", "172.16.0.1", "172.31.255.1", "192.168.1.1", "100.64.0.1", "127.0.0.1"])(
		"are told: %s",
		(address) => expect(isPrivate(address)).toBe(true),
	);
	it.each(["11.0.0.1", "172.32.0.1", "192.169.1.1", "100.128.0.1", "1.10.0.1", "2001:db8::1"])(
		"are not others: %s",
		(address) => expect(isPrivate(address)).toBe(false),
	);
});
