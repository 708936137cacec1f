import { describe, expect, it } from "vitest";
import { VoiceRule } from "./voice-rule.js";

const { FIND_MS, HEAL_MS } = VoiceRule;

describe("voice through the server is wanted", () => {
	it("when no path is found in time", () => {
		const rule = new VoiceRule(0);
		rule.handleState("connecting", 10);
		expect(rule.check(100)).toBe(FIND_MS - 100);
		expect(rule.wanted).toBe(false);
		expect(rule.check(FIND_MS)).toBeUndefined();
		expect(rule.wanted).toBe(true);
	});

	it("at once when finding one has failed", () => {
		const rule = new VoiceRule(0);
		rule.handleState("failed", 1_000);
		rule.check(1_000);
		expect(rule.wanted).toBe(true);
	});

	it("not when a path is there", () => {
		const rule = new VoiceRule(0);
		rule.handleState("connected", 900);
		expect(rule.check(60_000)).toBeUndefined();
		expect(rule.wanted).toBe(false);
	});

	it("when the path stays lost, and on while another is looked for", () => {
		const rule = new VoiceRule(0);
		rule.handleState("connected", 900);
		rule.handleState("disconnected", 10_000);
		expect(rule.check(10_000)).toBe(HEAL_MS);
		rule.check(10_000 + HEAL_MS);
		expect(rule.wanted).toBe(true);
		rule.handleState("failed", 20_000);
		rule.handleState("new", 21_000);
		rule.handleState("connecting", 21_000);
		rule.check(21_000);
		expect(rule.wanted).toBe(true);
		rule.handleState("connected", 22_000);
		expect(rule.wanted).toBe(false);
	});
});
