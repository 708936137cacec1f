/**
 * The voice of those without WebCodecs: 16 bit, 16 kHz, a third of the 48 kHz that everything else here
 * runs at. One low pass serves both ways: before two of three samples go, and to make up two of three.
 */
const FACTOR = 3;
const TAPS = 36;

/** A windowed sinc with its edge at 7 kHz (Hann), gain 1. */
const KERNEL = (() => {
	const kernel = Float32Array.from({ length: TAPS }, (_, i) => {
		const x = i - (TAPS - 1) / 2;
		const phase = (2 * Math.PI * 7_000 * x) / 48_000;
		return (Math.sin(phase) / phase) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / TAPS));
	});
	const sum = kernel.reduce((all, tap) => all + tap, 0);
	return kernel.map((tap) => tap / sum);
})();

/** Keeps what the filter needs of the piece before. */
class LowPass {
	readonly #past = new Float32Array(TAPS);
	#at = 0;

	push(sample: number): void {
		this.#past[this.#at] = sample;
		this.#at = (this.#at + 1) % TAPS;
	}

	read(): number {
		let sum = 0;
		for (let i = 0; i < TAPS; i++) {
			sum += (KERNEL[i] ?? 0) * (this.#past[(this.#at + i) % TAPS] ?? 0);
		}
		return sum;
	}
}

/** 48 kHz floats to 16 kHz little-endian shorts; the length is a multiple of 3. */
export class PcmEncoder {
	readonly #filter = new LowPass();

	encode(samples: Float32Array): Uint8Array {
		const view = new DataView(new ArrayBuffer((samples.length / FACTOR) * 2));
		for (const [i, sample] of samples.entries()) {
			this.#filter.push(sample);
			if (i % FACTOR !== FACTOR - 1) continue;
			const value = Math.max(-1, Math.min(1, this.#filter.read()));
			view.setInt16(((i - 2) / FACTOR) * 2, Math.round(value * 32_767), true);
		}
		return new Uint8Array(view.buffer);
	}
}

export class PcmDecoder {
	readonly #filter = new LowPass();

	decode(bytes: Uint8Array): Float32Array {
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const samples = new Float32Array((bytes.byteLength >> 1) * FACTOR);
		for (let i = 0; i < samples.length; i++) {
			const value = i % FACTOR === 0 ? view.getInt16((i / FACTOR) * 2, true) / 32_767 : 0;
			this.#filter.push(value * FACTOR);
			samples[i] = this.#filter.read();
		}
		return samples;
	}
}
