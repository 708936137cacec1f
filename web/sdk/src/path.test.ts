import { describe, expect, it } from "vitest";
import { routeOf } from "./path.js";

const pair = { id: "P", type: "candidate-pair", localCandidateId: "L", remoteCandidateId: "R" };
const transport = { id: "T", type: "transport", selectedCandidatePairId: "P" };
const local = (candidateType: string, more = {}) => ({
	id: "L",
	type: "local-candidate",
	candidateType,
	protocol: "udp",
	...more,
});
const remote = (candidateType: string) => ({ id: "R", type: "remote-candidate", candidateType });

describe("routeOf", () => {
	it("is direct from host to host only", () => {
		expect(routeOf([transport, pair, local("host"), remote("host")])).toEqual({
			route: "direct",
			transport: "udp",
		});
		expect(routeOf([transport, pair, local("host"), remote("prflx")])?.route).toBe("reflexive");
		expect(routeOf([transport, pair, local("srflx"), remote("host")])?.route).toBe("reflexive");
	});

	it("is a relay when either side has one, by the transport towards ours", () => {
		const ours = local("relay", { relayProtocol: "tls" });
		expect(routeOf([transport, pair, ours, remote("host")])).toEqual({
			route: "relay",
			transport: "tls",
		});
		expect(routeOf([transport, pair, local("host"), remote("relay")])).toEqual({
			route: "relay",
			transport: "udp",
		});
	});

	it("makes do with the nominated pair where there are no transports", () => {
		const nominated = { ...pair, nominated: true, state: "succeeded" };
		expect(routeOf([nominated, local("host"), remote("host")])?.route).toBe("direct");
	});

	it("knows nothing while there is no path", () => {
		expect(routeOf([])).toBeUndefined();
		expect(routeOf([{ ...pair, state: "failed" }, local("host")])).toBeUndefined();
	});
});
