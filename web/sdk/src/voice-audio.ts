import type { Playout } from "./playout.js";

/** What was played of a voice: sums of samples, of their squares (energy), at 48 kHz. */
export type VoiceStats = Playout["stats"];

/** A voice as it comes from the server: a track like any other to whoever plays it. */
export interface Speaker {
	readonly track: MediaStreamTrack;
	readonly stats: VoiceStats;
	/** 20 ms at 48 kHz; so many before them will not come. */
	push(samples: Float32Array, missing: number): void;
	close(): void;
}

const RATE = 48_000;

/** The audio graph of relayed voices: microphone in, speakers out. Nobody hears themselves: the two never meet. */
export class VoiceAudio {
	readonly #context: AudioContext;

	private constructor(context: AudioContext) {
		this.#context = context;
	}

	/** Rejects where the browser has no worklets or the module is not there. */
	static async open(worklet: string): Promise<VoiceAudio> {
		const context = new AudioContext({ sampleRate: RATE });
		await context.audioWorklet.addModule(worklet);
		void context.resume();
		return new VoiceAudio(context);
	}

	/** Pieces of 20 ms until the returned function is called. */
	capture(track: MediaStreamTrack, onPiece: (samples: Float32Array) => void): () => void {
		const source = this.#context.createMediaStreamSource(new MediaStream([track]));
		const node = new AudioWorkletNode(this.#context, "parley-microphone", {
			numberOfOutputs: 0,
			channelCount: 1,
			channelCountMode: "explicit",
		});
		node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => onPiece(data);
		source.connect(node);
		return () => {
			node.port.onmessage = null;
			source.disconnect();
		};
	}

	speaker(): Speaker {
		const node = new AudioWorkletNode(this.#context, "parley-speaker", {
			numberOfInputs: 0,
			outputChannelCount: [1],
		});
		const out = this.#context.createMediaStreamDestination();
		const stats = { energy: 0, played: 0, concealed: 0, dropped: 0 };
		const [track] = out.stream.getAudioTracks() as [MediaStreamTrack];
		node.connect(out);
		node.port.onmessage = ({ data }: MessageEvent<VoiceStats>) => Object.assign(stats, data);
		return {
			track,
			stats,
			push: (samples, missing) => node.port.postMessage([samples, missing], [samples.buffer]),
			close: () => {
				node.port.postMessage(null);
				node.disconnect();
				track.stop();
			},
		};
	}

	close(): void {
		void this.#context.close();
	}
}
