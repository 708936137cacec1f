import { describe, expect, it } from "vitest";
import { Playout } from "./playout.js";

// A small rate: a piece has 20 samples.
const RATE = 1_000;
const PIECE = 20;

const piece = (value = 0.5) => new Float32Array(PIECE).fill(value);

function pull(playout: Playout, samples = PIECE): Float32Array {
	const out = new Float32Array(samples);
	playout.pull(out);
	return out;
}

/** Pieces come and are played in step. */
function run(playout: Playout, pieces: number): void {
	for (let i = 0; i < pieces; i++) {
		playout.push(piece());
		pull(playout);
	}
}

describe("playout", () => {
	it("is silent until enough is there, then plays in order and without a loss", () => {
		const playout = new Playout(RATE);
		playout.push(piece(0.1));
		playout.push(piece(0.2));
		expect(pull(playout)).toEqual(new Float32Array(PIECE));
		playout.push(piece(0.3));
		const heard = [pull(playout), pull(playout), pull(playout)].map((out) => out.at(-1));
		// It begins softly.
		expect(heard[0]).toBeGreaterThan(0.03);
		expect(heard[1]).toBeCloseTo(0.2, 1);
		expect(heard[2]).toBeCloseTo(0.3, 1);
		expect(playout.stats).toMatchObject({ played: 3 * PIECE, concealed: 0, dropped: 0 });
	});

	it("conceals what does not come by what was heard last, fading to silence", () => {
		const playout = new Playout(RATE);
		run(playout, 10);
		const energies: number[] = [];
		for (let i = 0; i < 8; i++) {
			energies.push(Math.max(...pull(playout)));
		}
		const fading = energies.slice(2, 6);
		expect([...fading].sort((a, b) => b - a)).toEqual(fading);
		expect(energies.at(-1)).toBeLessThan(0.05);
		expect(playout.stats.concealed).toBe(Playout.FADE_PIECES * PIECE);
	});

	it("holds more back after it ran dry, and less again when all is calm", () => {
		const playout = new Playout(RATE);
		run(playout, 5);
		for (let i = 0; i < 5; i++) pull(playout);
		expect(playout.target).toBe(4 * PIECE);
		run(playout, 800);
		expect(playout.target).toBe(Playout.FEWEST * PIECE);
	});

	it("leaves out what has piled up, so that nobody is heard late", () => {
		const playout = new Playout(RATE);
		run(playout, 5);
		for (let i = 0; i < 30; i++) playout.push(piece());
		expect(playout.stats.dropped).toBeGreaterThan(15 * PIECE);
		let waiting = 0;
		const before = playout.stats.played;
		for (let i = 0; i < 40; i++) pull(playout);
		waiting = playout.stats.played - before;
		expect(waiting).toBeLessThanOrEqual(playout.target + 6 * PIECE);
	});

	it("fills a small gap, a great one not", () => {
		const playout = new Playout(RATE);
		run(playout, 5);
		playout.push(piece(), 2);
		expect(playout.stats.concealed).toBe(2 * PIECE);
		playout.push(piece(), 500);
		expect(playout.stats.concealed).toBe(5 * PIECE);
	});

	it("never jumps by more than the voice does", () => {
		const playout = new Playout(RATE);
		for (let i = 0; i < 3; i++) playout.push(piece(0.8));
		let last = 0;
		let most = 0;
		for (let i = 0; i < 20; i++) {
			if (i === 10) for (let k = 0; k < 20; k++) playout.push(piece(-0.8));
			for (const sample of pull(playout)) {
				if (i > 3) most = Math.max(most, Math.abs(sample - last));
				last = sample;
			}
		}
		expect(most).toBeLessThan(0.1);
	});

	it("counts the energy of what is heard", () => {
		const playout = new Playout(RATE);
		run(playout, 20);
		expect(playout.stats.energy).toBeGreaterThan(0.2 * 15 * PIECE);
	});
});
