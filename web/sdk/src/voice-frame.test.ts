import { describe, expect, it } from "vitest";
import { encodeVoice, missingBetween, parseVoice } from "./voice-frame.js";

// docs/protocol.md, "Voice through the server"; the server's test has the same bytes.
const vector = Uint8Array.from([
	0x11, 3, 0x66, 0x6f, 0x78, 2, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 1, 1, 2, 0, 0, 3, 0xc0, 0xf8,
]);
const frame = {
	room: "fox",
	members: ["m_aaaaaaab", "m_baaaaaaa"],
	codec: "opus" as const,
	sequence: 258,
	timestamp: 960,
	payload: Uint8Array.of(0xf8),
};

describe("a piece of voice", () => {
	it("is written and read as the protocol draws it", () => {
		expect(encodeVoice(frame)).toEqual(vector);
		expect(parseVoice(vector)).toEqual(frame);
	});

	it("is read where it lies in a larger buffer", () => {
		const larger = new Uint8Array(64);
		larger.set(vector, 7);
		expect(parseVoice(larger.subarray(7, 7 + vector.length))).toEqual(frame);
	});

	it("cut off anywhere is none", () => {
		for (let n = 0; n < vector.length; n++) expect(parseVoice(vector.slice(0, n))).toBeUndefined();
	});

	it("of another kind or codec is none", () => {
		expect(parseVoice(Uint8Array.from([0x12, ...vector.slice(1)]))).toBeUndefined();
		expect(parseVoice(Uint8Array.from(vector, (byte, i) => (i === 16 ? 9 : byte)))).toBeUndefined();
	});

	it("counts on past 65535", () => {
		expect(missingBetween(5, 6)).toBe(0);
		expect(missingBetween(65535, 0)).toBe(0);
		expect(missingBetween(65534, 2)).toBe(3);
		expect(missingBetween(6, 6)).toBe(-1);
		expect(missingBetween(2, 65535)).toBe(-4);
	});
});
