import type { Sound, VoiceCodec } from "./voice-frame.js";
import { PcmDecoder, PcmEncoder } from "./voice-pcm.js";

/** Whether this browser has WebCodecs for Opus; else voices go as PCM. */
export const hasOpus = (): boolean => "AudioEncoder" in globalThis && "AudioDecoder" in globalThis;

const OPUS = { codec: "opus", sampleRate: 48_000, numberOfChannels: 1 } as const;
const PIECE = 960;
// Good for a voice, and as little as a thin line wants.
const BITRATE = 24_000;

export interface Encoder {
	readonly codec: VoiceCodec;
	encode(samples: Float32Array): void;
	close(): void;
}

type OnSound = (sound: Sound) => void;

/** Numbers the pieces of one voice; it goes on when an encoder is opened anew. */
export class PieceCounter {
	#count = 0;

	next(codec: VoiceCodec, payload: Uint8Array): Sound {
		const count = this.#count++;
		return { codec, sequence: count & 0xffff, timestamp: (count * PIECE) >>> 0, payload };
	}
}

export function openEncoder(codec: VoiceCodec, counter: PieceCounter, onSound: OnSound): Encoder {
	if (codec === "opus") return openOpusEncoder(counter, onSound);
	const pcm = new PcmEncoder();
	return {
		codec,
		encode: (samples) => onSound(counter.next("pcm", pcm.encode(samples))),
		close: () => undefined,
	};
}

function openOpusEncoder(counter: PieceCounter, onSound: OnSound): Encoder {
	const encoder = new AudioEncoder({
		output: (chunk) => {
			const payload = new Uint8Array(chunk.byteLength);
			chunk.copyTo(payload);
			onSound(counter.next("opus", payload));
		},
		// A piece that could not be encoded is one that is missing.
		error: () => undefined,
	});
	encoder.configure({ ...OPUS, bitrate: BITRATE });
	let count = 0;
	return {
		codec: "opus",
		encode: (samples) => {
			if (encoder.state !== "configured") return;
			const timestamp = 20_000 * count++;
			const data = samples as Float32Array<ArrayBuffer>;
			const piece = {
				...OPUS,
				format: "f32",
				numberOfFrames: data.length,
				timestamp,
				data,
			} as const;
			const audio = new AudioData(piece);
			encoder.encode(audio);
			audio.close();
		},
		close: () => encoder.state !== "closed" && encoder.close(),
	};
}

/** Decodes one voice, whatever its pieces are. */
export class VoiceDecoder {
	readonly #onSamples: (samples: Float32Array) => void;
	readonly #pcm = new PcmDecoder();
	#opus: AudioDecoder | undefined;

	constructor(onSamples: (samples: Float32Array) => void) {
		this.#onSamples = onSamples;
	}

	decode({ codec, timestamp, payload }: Sound): void {
		if (codec === "pcm") return this.#onSamples(this.#pcm.decode(payload));
		if (!hasOpus()) return;
		// After an error a decoder is closed: the next piece has a new one.
		if (this.#opus?.state !== "configured") this.#opus = this.#openOpus();
		const at = Math.round((timestamp * 1_000) / 48);
		this.#opus.decode(new EncodedAudioChunk({ type: "key", timestamp: at, data: payload }));
	}

	close(): void {
		if (this.#opus?.state === "configured") this.#opus.close();
		this.#opus = undefined;
	}

	#openOpus(): AudioDecoder {
		const decoder = new AudioDecoder({
			output: (audio) => {
				const samples = new Float32Array(audio.numberOfFrames);
				audio.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
				audio.close();
				this.#onSamples(samples);
			},
			error: () => undefined,
		});
		decoder.configure(OPUS);
		return decoder;
	}
}
