import type { Unsubscribe } from "./emitter.js";
import type { VoiceAudio } from "./voice-audio.js";
import { type Encoder, hasOpus, openEncoder, PieceCounter } from "./voice-codec.js";
import { encodeVoice, type Sound, type VoiceCodec } from "./voice-frame.js";
import type { VoiceRelayParts } from "./voice-relay.js";

const PIECES_PER_SECOND = 50;
// More than this still to be sent: the line is too slow for the piece to come in time.
const MOST_WAITING = 8_192;

/** Our voice, to those who want it through the server: recorded while there are any and the microphone is on. */
export class VoiceSender {
	readonly #parts: VoiceRelayParts;
	readonly #audio: VoiceAudio;
	/** Member ids and what they want. */
	readonly #listeners = new Map<string, VoiceCodec>();
	readonly #encoders = new Map<VoiceCodec, Encoder>();
	readonly #counters = { opus: new PieceCounter(), pcm: new PieceCounter() };
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
		if (!track) return this.#closeEncoders();
		this.#stop = this.#audio.capture(track, (samples) => this.#encode(samples));
	}

	#closeEncoders(): void {
		for (const encoder of this.#encoders.values()) encoder.close();
		this.#encoders.clear();
	}

	/** Opus for who can play it, if we can make it. */
	#codecFor(wanted: VoiceCodec): VoiceCodec {
		return wanted === "opus" && hasOpus() ? "opus" : "pcm";
	}

	#encode(samples: Float32Array): void {
		const codecs = new Set([...this.#listeners.values()].map((wanted) => this.#codecFor(wanted)));
		for (const codec of codecs) {
			const open = () => openEncoder(codec, this.#counters[codec], (sound) => this.#send(sound));
			const encoder = this.#encoders.get(codec) ?? open();
			this.#encoders.set(codec, encoder);
			encoder.encode(samples);
		}
	}

	/** Once for as many listeners as the server takes, and for no more of them than its rate allows. */
	#send(sound: Sound): void {
		const { connection, room } = this.#parts;
		const limits = connection.voice;
		const members = [...this.#listeners.keys()].filter(
			(id) =>
				this.#codecFor(this.#listeners.get(id) ?? "pcm") === sound.codec && room.presence.byId(id),
		);
		if (!limits || sound.payload.length > limits.size) return;
		const times = Math.floor(limits.frames / PIECES_PER_SECOND);
		for (let i = 0; i < times && i * limits.listeners < members.length; i++) {
			const some = members.slice(i * limits.listeners, (i + 1) * limits.listeners);
			const bytes = encodeVoice({ ...sound, room: room.name, members: some });
			connection.sendBytes(bytes, MOST_WAITING);
		}
	}
}
