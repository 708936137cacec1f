/**
 * The ends of a relayed voice on the audio thread: pieces of 20 ms from the microphone, and a
 * Playout for each person. A module of its own, because browsers load it as one.
 */
import { Playout } from "./playout.js";

declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => object): void;
declare class AudioWorkletProcessor {
	readonly port: MessagePort;
}

const REPORT_BLOCKS = 100;

class Microphone extends AudioWorkletProcessor {
	#piece = new Float32Array(sampleRate / 50);
	#filled = 0;

	process([input]: Float32Array[][]): boolean {
		for (const sample of input?.[0] ?? []) {
			this.#piece[this.#filled++] = sample;
			if (this.#filled === this.#piece.length) this.#send();
		}
		return true;
	}

	#send(): void {
		this.port.postMessage(this.#piece, [this.#piece.buffer]);
		this.#piece = new Float32Array(sampleRate / 50);
		this.#filled = 0;
	}
}

class Speaker extends AudioWorkletProcessor {
	readonly #playout = new Playout(sampleRate);
	#blocks = 0;
	#open = true;

	constructor() {
		super();
		this.port.onmessage = ({ data }: MessageEvent<[Float32Array, number] | null>) => {
			if (data) this.#playout.push(...data);
			else this.#open = false;
		};
	}

	process(_: Float32Array[][], [output]: Float32Array[][]): boolean {
		if (output?.[0]) this.#playout.pull(output[0]);
		this.#blocks += 1;
		if (this.#blocks % REPORT_BLOCKS === 0) this.port.postMessage({ ...this.#playout.stats });
		return this.#open;
	}
}

registerProcessor("parley-microphone", Microphone);
registerProcessor("parley-speaker", Speaker);
