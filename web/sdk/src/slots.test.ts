import { describe, expect, it } from "vitest";
import { findSlots, videoBudget } from "./slots.js";

const of = (kind: string, name: string) => ({ name, receiver: { track: { kind } } });

describe("findSlots", () => {
	it("knows voice, camera and screen by their order", () => {
		const slots = findSlots([of("audio", "a"), of("video", "c"), of("video", "s")]);
		expect([slots.audio?.name, slots.camera?.name, slots.screen?.name]).toEqual(["a", "c", "s"]);
	});

	it("understands a client that offers video first, or no screen", () => {
		const slots = findSlots([of("video", "c"), of("audio", "a")]);
		expect([slots.audio?.name, slots.camera?.name, slots.screen]).toEqual(["a", "c", undefined]);
	});
});

describe("videoBudget", () => {
	it("gives each less the more people there are", () => {
		const rates = [1, 2, 3, 4, 5].map((people) => videoBudget("camera", people).maxBitrate);
		expect(rates).toEqual([...rates].sort((a, b) => b - a));
		expect(rates[0]).toBeGreaterThan(rates[4] ?? 0);
	});

	it("never makes a screen smaller, for text must stay readable", () => {
		expect(videoBudget("screen", 5).scaleResolutionDownBy).toBe(1);
	});
});
