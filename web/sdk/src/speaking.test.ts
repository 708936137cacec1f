import { describe, expect, it } from "vitest";
import { meterOf, SpeakingDetector } from "./speaking.js";

function feed(detector: SpeakingDetector, level: number, from: number, to: number): number[] {
	const changes: number[] = [];
	for (let now = from; now < to; now += 20) if (detector.handleLevel(level, now)) changes.push(now);
	return changes;
}

describe("SpeakingDetector", () => {
	it("does not take a click for speech", () => {
		const detector = new SpeakingDetector();
		expect(feed(detector, 0.5, 0, 80)).toEqual([]);
		expect(feed(detector, 0, 80, 1000)).toEqual([]);
	});

	it("is on after a moment of voice and off after a pause longer than between words", () => {
		const detector = new SpeakingDetector();
		expect(feed(detector, 0.1, 0, 400)).toEqual([120]);
		expect(feed(detector, 0, 400, 900)).toEqual([]);
		expect(feed(detector, 0.1, 900, 1000)).toEqual([]);
		expect(feed(detector, 0, 1000, 2000)).toEqual([1680]);
	});

	it("holds on to a voice that grows softer", () => {
		const detector = new SpeakingDetector();
		feed(detector, 0.1, 0, 400);
		expect(feed(detector, 0.02, 400, 4000)).toEqual([]);
	});

	it("never begins at the softer level", () => {
		expect(feed(new SpeakingDetector(), 0.02, 0, 4000)).toEqual([]);
	});

	it("is off at once when the microphone is", () => {
		const detector = new SpeakingDetector();
		feed(detector, 0.1, 0, 400);
		expect(detector.handleSilence()).toBe(true);
		expect(detector.handleSilence()).toBe(false);
	});
});

describe("meterOf", () => {
	it("spans silence to loud and stays within the meter", () => {
		expect(meterOf(0)).toBe(0);
		expect(meterOf(0.0001)).toBe(0);
		expect(meterOf(1)).toBe(1);
		expect(meterOf(0.05)).toBeGreaterThan(0.4);
	});
});
