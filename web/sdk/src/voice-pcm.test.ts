import { describe, expect, it } from "vitest";
import { PcmDecoder, PcmEncoder } from "./voice-pcm.js";

const sine = (hertz: number, pieces: number) =>
	Array.from({ length: pieces }, (_, k) =>
		Float32Array.from(
			{ length: 960 },
			(_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * (k * 960 + i)) / 48_000),
		),
	);

/** There and back; the loudness of the later pieces, when the filters are filled. */
function loudness(hertz: number): number {
	const encoder = new PcmEncoder();
	const decoder = new PcmDecoder();
	const back = sine(hertz, 5).map((piece) => decoder.decode(encoder.encode(piece)));
	const heard = back.slice(2).flatMap((piece) => [...piece]);
	return Math.sqrt(heard.reduce((sum, value) => sum + value * value, 0) / heard.length);
}

describe("PCM voice", () => {
	it("is 640 bytes for 20 ms, and as long again when played", () => {
		const bytes = new PcmEncoder().encode(new Float32Array(960));
		expect(bytes.length).toBe(640);
		expect(new PcmDecoder().decode(bytes).length).toBe(960);
	});

	it("keeps the sound of voices, and nothing that would fold into it", () => {
		const whole = 0.5 / Math.SQRT2;
		expect(loudness(440) / whole).toBeCloseTo(1, 1);
		expect(loudness(3_000) / whole).toBeCloseTo(1, 1);
		expect(loudness(12_000) / whole).toBeLessThan(0.02);
	});

	it("does not wrap round where it is too loud", () => {
		const encoder = new PcmEncoder();
		const loud = new Float32Array(960).fill(3);
		const bytes = encoder.encode(loud);
		const view = new DataView(bytes.buffer);
		expect(view.getInt16(638, true)).toBe(32_767);
	});

	it("of an odd number of bytes is read as far as it goes", () => {
		expect(new PcmDecoder().decode(new Uint8Array(7)).length).toBe(9);
	});
});
