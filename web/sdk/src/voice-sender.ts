import type { Unsubscribe } from "./emitter.js";
import type { VoiceAudio } from "./voice-audio.js";
import { type Encoder, hasOpus, openEncoder, PieceCounter } from "./voice-codec.js";
import { encodeVoice, type Sound, type VoiceCodec } from "./voice-frame.js";
import type { VoiceRelayParts } from "./voice-relay.js";

// 50, and some more since no two clocks go alike.
const PIECES_PER_SECOND = 55;
// More than this still to be sent: the line is too slow for the piece to come in time.
const MOST_WAITING = 8_192;

/** Our voice, to those who want it through the server: recorded while there are any and the microphone is on. */
export class VoiceSender {
	readonly #parts: VoiceRelayParts;
	readonly #audio: VoiceAudio;
	/** Member ids and what they want. */
	readonly #listeners = new Map<string, VoiceCodec>();
	readonly #counter = new PieceCounter();
	#encoder: Encoder | undefined;
	readonly #offs: Unsubscribe[];
	/** Our member id, which they have asked. */
	#seat: string | undefined;
	#recorded: MediaStreamTrack | null = null;
	#stop: (() => void) | undefined;

	constructor(parts: VoiceRelayParts, audio: VoiceAudio) {
		this.#parts = parts;
		this.#audio = audio;
		const { room, media } = parts;
		this.#seat = room.self?.id;
		this.#offs = [
			room.on("seated", ({ you }) => this.#handleSeated(you.id)),
			room.on("left", ({ person }) => this.#handleGone(person.id)),
			room.on("away", (person) => this.#handleGone(person.id)),
			media.on("changed", () => this.#look()),
		];
	}

	/** A member wants to hear us, or no more. */
	handleRelay(id: string, codec: VoiceCodec | "none"): void {
		// It may be gone again: the word has waited for this module.
		if (codec === "none" || !this.#parts.room.presence.byId(id)) this.#listeners.delete(id);
		else this.#listeners.set(id, codec);
		this.#look();
	}

	close(): void {
		for (const off of this.#offs) off();
		this.#listeners.clear();
		this.#look();
	}

	/** In another seat nobody has asked us yet; in the same one they still want us. */
	#handleSeated(id: string): void {
		if (id !== this.#seat) this.#listeners.clear();
		this.#seat = id;
		this.#look();
	}

	#handleGone(id: string): void {
		if (this.#listeners.delete(id)) this.#look();
	}

	#look(): void {
		const { media } = this.#parts;
		const track = this.#listeners.size > 0 && media.micOn ? media.tracks.audio : null;
		if (track === this.#recorded) return;
		this.#recorded = track;
		this.#stop?.();
		this.#stop = undefined;
		if (track) this.#stop = this.#audio.capture(track, (samples) => this.#encode(samples));
		else this.#closeEncoder();
	}

	#closeEncoder(): void {
		this.#encoder?.close();
		this.#encoder = undefined;
	}

	/** Opus if we can make it and everybody can play it; two copies would be over the server's rate. */
	get #codec(): VoiceCodec {
		return hasOpus() && ![...this.#listeners.values()].includes("pcm") ? "opus" : "pcm";
	}

	#encode(samples: Float32Array): void {
		const codec = this.#codec;
		if (this.#encoder?.codec !== codec) {
			this.#closeEncoder();
			this.#encoder = openEncoder(codec, this.#counter, (sound) => this.#send(sound));
		}
		this.#encoder?.encode(samples);
	}

	/** Once for as many listeners as the server takes, and for no more of them than its rate allows. */
	#send(sound: Sound): void {
		const { connection, room } = this.#parts;
		const limits = connection.voice;
		if (!limits || sound.payload.length > limits.size) return;
		const members = [...this.#listeners.keys()].filter((id) => room.presence.byId(id));
		const times = Math.floor(limits.frames / PIECES_PER_SECOND);
		for (let i = 0; i < times && i * limits.listeners < members.length; i++) {
			const some = members.slice(i * limits.listeners, (i + 1) * limits.listeners);
			const bytes = encodeVoice({ ...sound, room: room.name, members: some });
			connection.sendBytes(bytes, MOST_WAITING);
		}
	}
}
