const INTERVAL_MS = 60;

/**
 * Reads how loud a track is. It hears a clone of nothing and plays nothing: the analyser is
 * connected to no output, so nobody hears themselves.
 *
 * ```ts
 * const meter = new LevelMeter((rms) => console.log(meterOf(rms)));
 * meter.listen(await openInput("audio"));
 * ```
 */
export class LevelMeter {
	readonly #context = new AudioContext();
	readonly #analyser = this.#context.createAnalyser();
	readonly #timer: ReturnType<typeof setInterval>;
	readonly #samples: Float32Array<ArrayBuffer>;
	#source: MediaStreamAudioSourceNode | undefined;

	constructor(onLevel: (rms: number) => void) {
		this.#analyser.fftSize = 1024;
		this.#samples = new Float32Array(this.#analyser.fftSize);
		this.#timer = setInterval(() => onLevel(this.#read()), INTERVAL_MS);
	}

	/** Reads this track from now on; null: silence. */
	listen(track: MediaStreamTrack | null): void {
		this.#source?.disconnect();
		this.#source = undefined;
		if (!track) return;
		this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
		this.#source.connect(this.#analyser);
		void this.#context.resume();
	}

	/** Gives the audio devices back. */
	close(): void {
		clearInterval(this.#timer);
		this.#source?.disconnect();
		void this.#context.close();
	}

	#read(): number {
		if (!this.#source) return 0;
		this.#analyser.getFloatTimeDomainData(this.#samples);
		let sum = 0;
		for (const sample of this.#samples) sum += sample * sample;
		return Math.sqrt(sum / this.#samples.length);
	}
}
