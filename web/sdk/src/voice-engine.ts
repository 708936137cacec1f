/**
 * What relayed voices are made and played with. Few calls need it, so it is a module of its own that is loaded when the
 * first voice is asked for.
 */
import { type Speaker, VoiceAudio, type VoiceStats } from "./voice-audio.js";
import { hasOpus, VoiceDecoder } from "./voice-codec.js";
import { missingBetween, parseVoice, type Sound } from "./voice-frame.js";
import type { VoiceRelayParts } from "./voice-relay.js";
import { VoiceSender } from "./voice-sender.js";

/** A voice that comes to us. */
class HeardVoice {
	readonly speaker: Speaker;
	readonly #decoder: VoiceDecoder;
	#last: number | undefined;
	#missing = 0;

	constructor(audio: VoiceAudio) {
		this.speaker = audio.speaker();
		this.#decoder = new VoiceDecoder((samples) => {
			this.speaker.push(samples, this.#missing);
			this.#missing = 0;
		});
	}

	/** Pieces that come late are not played: what follows them was already. */
	handle(sound: Sound): void {
		const missing = this.#last === undefined ? 0 : missingBetween(this.#last, sound.sequence);
		// Far behind: it is not late, its speaker has begun anew.
		if (missing < 0 && missing > -50) return;
		this.#last = sound.sequence;
		this.#missing += Math.max(0, missing);
		this.#decoder.decode(sound);
	}

	close(): void {
		this.#decoder.close();
		this.speaker.close();
	}
}

export class VoiceEngine {
	/** Our own voice. */
	readonly sender: VoiceSender;
	readonly #room: string;
	readonly #audio: VoiceAudio;
	readonly #voices = new Map<string, HeardVoice>();

	private constructor(parts: VoiceRelayParts, audio: VoiceAudio) {
		this.#room = parts.room.name;
		this.#audio = audio;
		this.sender = new VoiceSender(parts, audio);
	}

	/** Rejects where the browser has no worklets, or the module is not there. */
	static async open(parts: VoiceRelayParts): Promise<VoiceEngine> {
		return new VoiceEngine(parts, await VoiceAudio.open(parts.worklet));
	}

	/** What we can play. */
	get codec(): "opus" | "pcm" {
		return hasOpus() ? "opus" : "pcm";
	}

	/** A track for somebody's voice; silent until it comes. By member id. */
	hear(id: string): MediaStreamTrack {
		const voice = this.#voices.get(id) ?? new HeardVoice(this.#audio);
		this.#voices.set(id, voice);
		return voice.speaker.track;
	}

	hearNoMore(id: string): void {
		this.#voices.get(id)?.close();
		this.#voices.delete(id);
	}

	stats(id: string): VoiceStats | undefined {
		return this.#voices.get(id)?.speaker.stats;
	}

	/** A binary message of the server. */
	handleBytes(bytes: Uint8Array): void {
		const frame = parseVoice(bytes);
		if (frame?.room === this.#room) this.#voices.get(frame.members[0] ?? "")?.handle(frame);
	}

	close(): void {
		this.sender.close();
		for (const id of [...this.#voices.keys()]) this.hearNoMore(id);
		this.#audio.close();
	}
}
