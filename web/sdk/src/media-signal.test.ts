import { describe, expect, it } from "vitest";
import { admitSignal, parseMediaSignal } from "./media-signal.js";

const ids = { own: "a1", remote: "b1", fresh: false };

describe("parseMediaSignal", () => {
	it("takes descriptions, candidates and the end of candidates", () => {
		const description = { type: "offer", sdp: "v=0" };
		expect(parseMediaSignal({ description })).toEqual({ description });
		expect(parseMediaSignal({ candidate: null })).toEqual({ candidate: null });
		expect(parseMediaSignal({ candidate: { candidate: "x" } })).toBeTruthy();
	});

	it("lets go what is not ours", () => {
		expect(parseMediaSignal("hello")).toBeUndefined();
		expect(parseMediaSignal(null)).toBeUndefined();
		expect(parseMediaSignal({ description: { type: "pranswer", sdp: 5 }, pc: 7 })).toEqual({});
	});
});

describe("admitSignal", () => {
	it("accepts what passes between the two connections that know each other", () => {
		expect(admitSignal({ pc: "b1", peer: "a1" }, ids)).toBe("accept");
	});

	it("accepts everything of clients that name no connections", () => {
		expect(admitSignal({}, ids)).toBe("accept");
	});

	it("adopts the first connection that it hears of", () => {
		expect(admitSignal({ pc: "b1" }, { own: "a1", remote: undefined, fresh: true })).toBe("adopt");
	});

	it("renews its own when the other side has a new one", () => {
		expect(admitSignal({ pc: "b2" }, ids)).toBe("renew");
		expect(admitSignal({ pc: "b2", peer: "a1" }, ids)).toBe("renew");
	});

	it("keeps a fresh connection when the other renews: two that renew each other never end", () => {
		expect(admitSignal({ pc: "b2", peer: "a1" }, { ...ids, fresh: true })).toBe("adopt");
	});

	it("calls stale what was meant for a former connection", () => {
		expect(admitSignal({ pc: "b1", peer: "a0" }, ids)).toBe("stale");
		const fresh = { own: "a2", remote: undefined, fresh: true };
		expect(admitSignal({ pc: "b1", peer: "a1" }, fresh)).toBe("stale");
	});
});
