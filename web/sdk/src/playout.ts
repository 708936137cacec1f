/**
 * What lies between pieces of voice that come when they come and a loudspeaker that waits for nobody. It
 * holds some pieces back, more of them the less regularly they come; what is missing it conceals by what was heard
 * last, fading; what has piled up behind a stall it leaves out. All lengths are in samples.
 */
export class Playout {
	readonly #ring: Float32Array;
	readonly #piece: number;
	#head = 0;
	#queued = 0;
	#target: number;
	#filling = true;
	#calm = 0;
	/** The last piece that was played, for concealing. */
	readonly #past: Float32Array;
	#pastAt = 0;
	/** How much was concealed in a row. */
	#faded: number;
	/** The jump at a splice, taken out little by little. */
	#jump = 0;
	#last = 0;
	readonly stats = { energy: 0, played: 0, concealed: 0, dropped: 0 };

	static readonly FADE_PIECES = 3;
	static readonly FEWEST = 2;
	static readonly MOST = 10;

	constructor(rate = 48_000) {
		this.#piece = rate / 50;
		this.#ring = new Float32Array(rate);
		this.#past = new Float32Array(this.#piece);
		this.#target = 3 * this.#piece;
		this.#faded = Playout.FADE_PIECES * this.#piece;
	}

	/** How much is held back for the sake of what comes late. */
	get target(): number {
		return this.#target;
	}

	/** A piece; so many before it will not come. */
	push(samples: Float32Array, missing = 0): void {
		const known = Math.min(missing, Playout.FADE_PIECES);
		// A gap that nobody had to wait out is filled; another was concealed when its time came.
		if (this.#queued > 0) for (let i = known; i > 0; i--) this.#append(samples, 1 / (i + 1));
		if (this.#queued > 0) this.stats.concealed += known * samples.length;
		this.#append(samples, 1);
		const most = this.#target + 6 * this.#piece;
		if (this.#queued > most) this.#drop(this.#queued - this.#target);
	}

	/** Fills `out` with what is to be heard now. */
	pull(out: Float32Array): void {
		if (this.#filling && this.#queued >= this.#target) this.#filling = false;
		const ready = this.#filling ? 0 : Math.min(out.length, this.#queued);
		if (ready > 0 && this.#faded > 0) this.#splice();
		for (let i = 0; i < ready; i++) out[i] = this.#play();
		this.#note(ready, out.length);
		for (let i = ready; i < out.length; i++) out[i] = this.#conceal();
		for (const sample of out) this.stats.energy += sample * sample;
	}

	#append(samples: Float32Array, gain: number): void {
		const room = this.#ring.length - this.#queued;
		if (samples.length > room) this.#drop(samples.length - room);
		for (const sample of samples) {
			this.#ring[(this.#head + this.#queued) % this.#ring.length] = sample * gain;
			this.#queued += 1;
		}
	}

	#drop(count: number): void {
		this.#head = (this.#head + count) % this.#ring.length;
		this.#queued -= count;
		this.stats.dropped += count;
		this.#splice();
	}

	#splice(): void {
		this.#faded = 0;
		this.#jump = this.#last - (this.#queued > 0 ? (this.#ring[this.#head] ?? 0) : 0);
	}

	#play(): number {
		const sample = this.#ring[this.#head] ?? 0;
		this.#head = (this.#head + 1) % this.#ring.length;
		this.#queued -= 1;
		this.#past[this.#pastAt] = sample;
		this.#pastAt = (this.#pastAt + 1) % this.#piece;
		this.stats.played += 1;
		return this.#smooth(sample);
	}

	#conceal(): number {
		const whole = Playout.FADE_PIECES * this.#piece;
		if (this.#faded >= whole) return this.#smooth(0);
		const sample = (this.#past[this.#pastAt] ?? 0) * (1 - this.#faded / whole);
		this.#pastAt = (this.#pastAt + 1) % this.#piece;
		this.#faded += 1;
		this.stats.concealed += 1;
		return this.#smooth(sample);
	}

	#smooth(sample: number): number {
		this.#last = sample + this.#jump;
		this.#jump *= 0.97;
		return this.#last;
	}

	/** Too little was there: more is held back. Nothing amiss for five seconds: a little less. */
	#note(ready: number, wanted: number): void {
		if (!this.#filling && ready < wanted) {
			this.#filling = true;
			this.#calm = 0;
			this.#target = Math.min(this.#target + this.#piece, Playout.MOST * this.#piece);
		}
		this.#calm += ready;
		if (this.#calm < 250 * this.#piece) return;
		this.#calm = 0;
		this.#target = Math.max(this.#target - this.#piece, Playout.FEWEST * this.#piece);
	}
}
