import { Emitter } from "./emitter.js";
import { Peer } from "./peer.js";
import type { GoneReason, Person } from "./presence.js";
import { RingDesk, type Standing } from "./ring-desk.js";
import type { Room } from "./room.js";
import { emptySlots, type Slot, type SlotTracks } from "./slots.js";

/** What a Mesh tells; see `on`. */
export interface MeshEvents {
	/** A connection is being made. */
	added: Peer;
	/** It is over. */
	removed: Peer;
	/** Somebody's standing changed; undefined when they are out of the room. */
	standing: { person: Person; standing: Standing | undefined };
}

// Longer than the longest back-off, so that a member who waits it out still finds the call.
const AWAY_MS = 45_000;
// The server lost them and we cannot hear them either: that was no mere loss of the line.
const AWAY_UNHEARD_MS = 6_000;

/**
 * A peer connection to each admitted person of a room. Connections are kept while somebody
 * is away by accident: the media does not need the server.
 *
 * ```ts
 * const mesh = new Mesh(room, () => connection.iceServers);
 * mesh.on("added", (peer) => peer.on("quality", (quality) => console.log(peer.key, quality)));
 * ```
 */
export class Mesh extends Emitter<MeshEvents> {
	/** Who calls whom in a ring room. */
	readonly desk = new RingDesk();
	readonly #room: Room;
	readonly #iceServers: () => RTCIceServer[];
	readonly #peers = new Map<string, Peer>();
	readonly #releases = new Map<string, ReturnType<typeof setTimeout>[]>();
	readonly #tracks = emptySlots();
	#relayOnly = false;

	constructor(room: Room, iceServers: () => RTCIceServer[]) {
		super();
		this.#room = room;
		this.#iceServers = iceServers;
		room.on("seated", ({ ring }) => {
			this.desk.ring = ring;
		});
		room.on("resumed", () => this.#handleResumed());
		room.on("joined", (person) => this.#handlePresent(person));
		room.on("back", (person) => this.#handleBack(person));
		room.on("away", (person) => this.#handleAway(person));
		room.on("left", ({ person, reason }) => this.#handleLeft(person, reason));
		room.on("accept", (person) => this.#handleAccepted(person));
		room.on("reject", ({ from }) => {
			if (this.desk.handleRejected(from.key)) this.#tell(from);
		});
		room.on("signal", ({ from, data }) => this.#peers.get(from.key)?.handleSignal(data));
	}

	/** The connections, in the order they were made. */
	get peers(): readonly Peer[] {
		return [...this.#peers.values()];
	}

	/** The connection to a Person, by its key. */
	peer(key: string): Peer | undefined {
		return this.#peers.get(key);
	}

	/** For JoinOptions.keep: a call that is up outlives the lost line of the other. */
	keeps(person: Person): boolean {
		return this.#peers.get(person.key)?.state === "connected";
	}

	/** Answers a call; the caller then sends the first offer. */
	accept(key: string): void {
		const person = this.#room.presence.get(key);
		if (!person || !this.desk.handleAccepted(key)) return;
		this.#connect(person);
		this.#room.accept(person.id);
		this.#tell(person);
	}

	/** Turns somebody away who calls. */
	reject(key: string, reason?: string): void {
		const person = this.#room.presence.get(key);
		if (!person || !this.desk.handleRejected(key)) return;
		this.#room.reject(person.id, reason);
		this.#tell(person);
	}

	/** What we send to everybody in one of the places; CallSession does it. */
	async setTrack(slot: Slot, track: MediaStreamTrack | null): Promise<void> {
		this.#tracks[slot] = track;
		await Promise.all(this.peers.map((peer) => peer.setTrack(slot, track)));
	}

	/** Media goes over TURN servers alone: slower, but nobody in the room learns our address. */
	get relayOnly(): boolean {
		return this.#relayOnly;
	}

	set relayOnly(relayOnly: boolean) {
		this.#relayOnly = relayOnly;
		for (const peer of this.peers) peer.setRelayOnly(relayOnly);
	}

	/** This device is in another network now. */
	handleNetworkChange(): void {
		for (const peer of this.peers) peer.handleNetworkChange();
	}

	/** What we send. */
	get tracks(): Readonly<SlotTracks> {
		return this.#tracks;
	}

	/** Hangs up on everybody. */
	close(): void {
		for (const peer of this.peers) this.#remove(peer);
		for (const key of [...this.#releases.keys()]) this.#holdRelease(key);
	}

	#handlePresent(person: Person): void {
		// Somebody who reads along from another room of theirs, and takes no part in the call.
		if (person.metadata.watching === true) return;
		// Between native members the newcomer offers.
		const standing = this.desk.handlePresent(person, person.offer ? "we" : "they");
		if (standing === "admitted") this.#connect(person);
		this.#tell(person);
	}

	#handleBack(person: Person): void {
		this.#holdRelease(person.key);
		const peer = this.#peers.get(person.key);
		if (peer) peer.rebind(person.offer);
		else this.#handlePresent(person);
	}

	/** Those we heard of meanwhile may not have heard us. */
	#handleResumed(): void {
		for (const peer of this.peers) {
			const person = this.#room.presence.get(peer.key);
			if (person && !person.away) peer.rebind(person.offer);
		}
	}

	#handleAway(person: Person): void {
		this.#releaseIn(person.key, AWAY_MS);
		if (!this.keeps(person)) this.#releaseIn(person.key, AWAY_UNHEARD_MS);
	}

	#handleLeft(person: Person, reason: GoneReason): void {
		this.#holdRelease(person.key);
		this.desk.handleLeft(person.key, reason === "leave" || reason === "kick");
		const peer = this.#peers.get(person.key);
		if (peer) this.#remove(peer);
		this.emit("standing", { person, standing: undefined });
	}

	#handleAccepted(person: Person): void {
		if (!this.desk.handleAccepted(person.key)) return;
		this.#connect(person);
		this.#tell(person);
	}

	#connect(person: Person): void {
		if (this.#peers.has(person.key)) return;
		const { key } = person;
		const peer = new Peer({
			key,
			offers: person.offer,
			iceServers: this.#iceServers,
			relayOnly: this.#relayOnly,
			tracks: this.#tracks,
			people: this.#peers.size + 1,
			send: (signal) => {
				const to = this.#room.presence.get(key);
				return to !== undefined && !to.away && this.#room.signal(signal, to.id);
			},
		});
		this.#peers.set(key, peer);
		peer.on("state", (state) => this.#handlePeerState(key, state));
		this.#share();
		this.emit("added", peer);
	}

	#handlePeerState(key: string, state: RTCPeerConnectionState): void {
		if (!this.#room.presence.get(key)?.away) return;
		if (state !== "connected") return this.#releaseIn(key, AWAY_UNHEARD_MS);
		this.#holdRelease(key);
		this.#releaseIn(key, AWAY_MS);
	}

	#remove(peer: Peer): void {
		this.#peers.delete(peer.key);
		peer.close();
		this.#share();
		this.emit("removed", peer);
	}

	#share(): void {
		for (const peer of this.peers) peer.setPeople(this.#peers.size);
	}

	#releaseIn(key: string, ms: number): void {
		const timer = setTimeout(() => this.#room.presence.release(key), ms);
		this.#releases.set(key, [...(this.#releases.get(key) ?? []), timer]);
	}

	#holdRelease(key: string): void {
		for (const timer of this.#releases.get(key) ?? []) clearTimeout(timer);
		this.#releases.delete(key);
	}

	#tell(person: Person): void {
		this.emit("standing", { person, standing: this.desk.standing(person.key) });
	}
}
