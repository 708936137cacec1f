import { Emitter } from "./emitter.js";
import type { Changes, LeaveReason, Member, Metadata, PresenceState, Role } from "./wire.js";

/**
 * Somebody in the room. The server's member id changes when a client rejoins after a lost
 * connection; `key` does not, as long as it is the same load of the same page.
 */
export interface Person {
	key: string;
	/** The member id to address now. */
	id: string;
	name: string;
	user: string | undefined;
	role: Role;
	state: PresenceState;
	metadata: Metadata;
	joinedAt: number;
	/** We send the first offer to this person. */
	offer: boolean;
	/** The server has lost this person, but somebody (a live call) still holds on. */
	away: boolean;
}

/** `vanished`: it was gone when we came back, and nobody told us why. */
export type GoneReason = LeaveReason | "vanished";

/** Who comes and goes. */
export interface PresenceEvents {
	/** Somebody came. */
	joined: Person;
	/** Lost by the server, kept because `keep` said so: ends in `back` or `left`. */
	away: Person;
	/** The same client under a new member id. */
	back: Person;
	/** Somebody is gone. */
	left: { person: Person; reason: GoneReason; detail?: string | undefined };
	/** Name, role or state of somebody is another. */
	updated: { person: Person; changes: Changes };
}

/** The reasons that a live call outlasts; all others were somebody's will. */
const ACCIDENTS: readonly GoneReason[] = ["disconnect", "timeout", "shutdown", "vanished"];

/**
 * What stays the same while member ids change: `user` plus the page load (`instance`). A
 * reloaded page is somebody new: its peer connections are gone. Clients that name neither
 * are known by their member id.
 */
export function keyOf(member: Pick<Member, "id" | "user" | "metadata">): string {
	const instance = member.metadata?.instance;
	return member.user && typeof instance === "string"
		? `${member.user}/${instance}`
		: `id:${member.id}`;
}

/** Who is in the room, healed over reconnects. Data in by `handle*`, out by events. */
export class PresenceStore extends Emitter<PresenceEvents> {
	readonly #people = new Map<string, Person>();
	#ownKey: string | undefined;
	readonly #keep: (person: Person) => boolean;

	/**
	 * @param keep whether somebody the server lost is to be held as `away`
	 */
	constructor(keep: (person: Person) => boolean = () => false) {
		super();
		this.#keep = keep;
	}

	/** Everybody else in the room. */
	get people(): readonly Person[] {
		return [...this.#people.values()];
	}

	/** By key. */
	get(key: string): Person | undefined {
		return this.#people.get(key);
	}

	/** By the member id of now. */
	byId(id: string): Person | undefined {
		return this.people.find((person) => person.id === id);
	}

	/** The members named by a join reply: everybody else has gone while we were away. */
	handleSnapshot(members: readonly Member[], you: Member): void {
		// The ghost of our own lost connection shall not be taken for company.
		this.#ownKey = keyOf(you);
		const newest = new Map<string, Member>();
		for (const member of members) {
			const key = keyOf(member);
			const known = newest.get(key);
			// Two of one key: the older is the ghost of a connection that died.
			if (!known || known.joinedAt <= member.joinedAt) newest.set(key, member);
		}
		for (const person of this.people) {
			if (!newest.has(person.key) && !person.away) this.#lose(person, "vanished");
		}
		for (const member of newest.values()) this.handleJoined(member, member.offer ?? false);
	}

	handleJoined(member: Member, offer: boolean): void {
		const key = keyOf(member);
		if (key === this.#ownKey) return;
		const known = this.#people.get(key);
		const person = personOf(member, key, offer);
		if (!known) this.#dropReloaded(person);
		this.#people.set(key, person);
		this.emit(known ? "back" : "joined", person);
	}

	handleLeft(id: string, reason: LeaveReason, detail?: string): void {
		const person = this.byId(id);
		if (person) this.#lose(person, reason, detail);
	}

	handleUpdated(id: string, changes: Changes): void {
		const old = this.byId(id);
		if (!old) return;
		const { name, role, metadata, ...state } = changes;
		const person = { ...old, state: { ...old.state, ...state } };
		if (name !== undefined) person.name = name;
		if (role !== undefined) person.role = role;
		if (metadata !== undefined) person.metadata = metadata;
		this.#people.set(person.key, person);
		this.emit("updated", { person, changes });
	}

	/** Lets go of somebody who was kept as `away`. */
	release(key: string): void {
		const person = this.#people.get(key);
		if (person?.away) this.#remove(person, "disconnect");
	}

	/** We are out of the room ourselves. */
	handleEnded(): void {
		this.#people.clear();
	}

	#lose(person: Person, reason: GoneReason, detail?: string): void {
		// Whose line was down has come in by another door, or will not for now.
		const accident = person.state.away === true || ACCIDENTS.includes(reason);
		if (!accident || !this.#keep(person)) {
			return this.#remove(person, reason, detail);
		}
		const away = {
			...person,
			away: true,
			state: { ...person.state, speaking: false, away: false },
		};
		this.#people.set(person.key, away);
		this.emit("away", away);
	}

	#remove(person: Person, reason: GoneReason, detail?: string): void {
		this.#people.delete(person.key);
		this.emit("left", { person, reason, detail });
	}

	/** The same user from a new page load: the one we still hold is its past. */
	#dropReloaded(person: Person): void {
		if (person.user === undefined) return;
		for (const other of this.people) {
			if (other.away && other.user === person.user) this.#remove(other, "disconnect");
		}
	}
}

function personOf(member: Member, key: string, offer: boolean): Person {
	return {
		key,
		id: member.id,
		name: member.name,
		user: member.user,
		role: member.role,
		state: member.state,
		metadata: member.metadata ?? {},
		joinedAt: member.joinedAt,
		offer,
		away: false,
	};
}
