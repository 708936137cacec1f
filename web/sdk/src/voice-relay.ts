import type { Connection } from "./connection.js";
import { Emitter, type Unsubscribe } from "./emitter.js";
import type { LocalMedia } from "./local-media.js";
import type { Mesh } from "./mesh.js";
import type { Peer } from "./peer.js";
import type { Person } from "./presence.js";
import type { Room } from "./room.js";
import type { VoiceStats } from "./voice-audio.js";
import type { VoiceEngine } from "./voice-engine.js";
import { VoiceRule } from "./voice-rule.js";

/** What a VoiceRelay tells; see `on`. */
export interface VoiceRelayEvents {
	/** Somebody's voice comes through the server from now on, or no more. By the Person's key. */
	changed: { key: string; relayed: boolean };
}

export interface VoiceRelayParts {
	connection: Connection;
	room: Room;
	mesh: Mesh;
	media: LocalMedia;
	/** The address of voice-worklet.js. */
	worklet: string;
}

/** Somebody whom we want to hear through the server; `id` and `track` when it was granted. */
interface Wish {
	id?: string;
	track?: MediaStreamTrack;
}

/**
 * The voices of those that we find no path to, through the server: asks for them, plays them, and sends ours to those who
 * ask for it. It ends for each as soon as there is a path.
 */
export class VoiceRelay extends Emitter<VoiceRelayEvents> {
	readonly #parts: VoiceRelayParts;
	readonly #rules = new Map<string, VoiceRule>();
	readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
	readonly #wishes = new Map<string, Wish>();
	readonly #offs: Unsubscribe[];
	#opening: Promise<VoiceEngine | undefined> | undefined;
	#engine: VoiceEngine | undefined;

	constructor(parts: VoiceRelayParts) {
		super();
		this.#parts = parts;
		const { connection, room, mesh } = parts;
		this.#offs = [
			mesh.on("added", (peer) => this.#follow(peer)),
			mesh.on("removed", (peer) => this.#forget(peer.key)),
			room.on("seated", () => this.#askAnew()),
			room.on("resumed", () => this.#askAnew()),
			room.on("back", (person) => this.#askAgain(person)),
			room.on("relay", async ({ from, codec }) => {
				(await this.#open())?.sender.handleRelay(from.id, codec);
			}),
			connection.on("bytes", (bytes) => this.#engine?.handleBytes(bytes)),
		];
	}

	/** Not in node, and not on pages that came over plain http. */
	static get possible(): boolean {
		return "AudioWorkletNode" in globalThis;
	}

	/** The voice of this Person comes through the server. */
	relayed(key: string): boolean {
		return this.#parts.connection.state === "open" && this.track(key) !== undefined;
	}

	/** It as a track. */
	track(key: string): MediaStreamTrack | undefined {
		return this.#wishes.get(key)?.track;
	}

	/** What was heard of it so far. */
	stats(key: string): VoiceStats | undefined {
		return this.#engine?.stats(this.#wishes.get(key)?.id ?? "");
	}

	/** Stops everything; CallSession does it. */
	close(): void {
		for (const off of this.#offs) off();
		for (const key of [...this.#rules.keys()]) this.#forget(key);
		void this.#opening?.then((engine) => engine?.close());
		this.clear();
	}

	/** undefined where it is not possible, or cannot be had. */
	#open(): Promise<VoiceEngine | undefined> {
		if (!VoiceRelay.possible) return Promise.resolve(undefined);
		this.#opening ??= import("./voice-engine.js")
			.then(async ({ VoiceEngine }) => {
				this.#engine = await VoiceEngine.open(this.#parts);
				return this.#engine;
			})
			.catch((error: unknown) => {
				this.#parts.connection.log("warn", "voice", "no engine", { error: String(error) });
				this.#opening = undefined;
				return undefined;
			});
		return this.#opening;
	}

	#follow(peer: Peer): void {
		const rule = new VoiceRule(Date.now());
		this.#rules.set(peer.key, rule);
		peer.on("state", (state) => {
			rule.handleState(state, Date.now());
			this.#look(peer.key);
		});
		this.#look(peer.key);
	}

	#look(key: string): void {
		const rule = this.#rules.get(key);
		if (!rule) return;
		clearTimeout(this.#timers.get(key));
		const next = rule.check(Date.now());
		if (next !== undefined)
			this.#timers.set(
				key,
				setTimeout(() => this.#look(key), next),
			);
		if (rule.wanted && !this.#wishes.has(key)) {
			this.#wishes.set(key, {});
			void this.#ask(key);
		} else if (!rule.wanted) this.#end(key);
	}

	#forget(key: string): void {
		clearTimeout(this.#timers.get(key));
		this.#timers.delete(key);
		this.#rules.delete(key);
		this.#end(key);
	}

	/** The wish belongs to the seats: another of ours, or of theirs, wants it anew. */
	#askAnew(): void {
		for (const key of this.#wishes.keys()) void this.#ask(key);
	}

	#askAgain(person: Person): void {
		if (this.#wishes.has(person.key)) void this.#ask(person.key);
	}

	async #ask(key: string): Promise<void> {
		const { room, connection } = this.#parts;
		const wish = this.#wishes.get(key);
		const person = room.presence.get(key);
		if (!wish || !person || person.away || !connection.voice) return;
		// Clients of other kinds would never send any.
		if (person.metadata.voice !== true) return;
		const engine = await this.#open();
		if (!engine) return;
		try {
			await room.relay(person.id, engine.codec);
		} catch {
			return; // The line is down or they are gone: when either is back, it is asked again.
		}
		if (this.#wishes.get(key) !== wish) return;
		if (wish.id !== undefined && wish.id !== person.id) engine.hearNoMore(wish.id);
		wish.id = person.id;
		wish.track = engine.hear(person.id);
		connection.log("info", "voice", "relayed", { key });
		this.emit("changed", { key, relayed: true });
	}

	#end(key: string): void {
		const { room, connection } = this.#parts;
		const id = this.#wishes.get(key)?.id;
		this.#wishes.delete(key);
		if (id === undefined) return;
		this.#engine?.hearNoMore(id);
		if (room.presence.byId(id)) void room.relay(id, "none").catch(() => undefined);
		connection.log("info", "voice", "direct", { key });
		this.emit("changed", { key, relayed: false });
	}
}
