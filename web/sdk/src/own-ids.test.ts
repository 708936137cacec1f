import { describe, expect, it } from "vitest";
import { OwnIds } from "./own-ids.js";

describe("OwnIds", () => {
	it("knows what was written under earlier ids, and that it cannot be changed any more", () => {
		const kept = new Map<string, string>();
		const store = {
			getItem: (key: string) => kept.get(key) ?? null,
			setItem: (key: string, value: string) => void kept.set(key, value),
		};
		const before = new OwnIds(store);
		before.handleSeated("m1", undefined);
		const ids = new OwnIds(store);
		ids.handleSeated("m2", undefined);
		expect(["m1", "m2", "m3"].map((from) => ids.wrote({ from }))).toEqual([true, true, false]);
		expect(["m1", "m2", "m3"].map((from) => ids.owns({ from }))).toEqual([false, true, false]);
	});

	it("takes a user for ours only when a token proves it", () => {
		const ids = new OwnIds();
		const written = { from: "m1", user: "ann" };
		ids.handleSeated("m2", undefined);
		expect(ids.wrote(written)).toBe(false);
		ids.handleSeated("m2", "ann");
		expect([ids.wrote(written), ids.owns(written)]).toEqual([true, true]);
		expect(ids.wrote({ from: "m1" })).toBe(false);
	});

	it("does without a store that is broken, or holds something else", () => {
		const store = {
			getItem: () => "{]",
			setItem: () => {
				throw new Error("full");
			},
		};
		const ids = new OwnIds(store);
		ids.handleSeated("m1", undefined);
		expect(ids.owns({ from: "m1" })).toBe(true);
	});
});
