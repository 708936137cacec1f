import { batch, signal } from "@preact/signals";
import type { Ban, Knock, Member, Role, Room } from "../../../sdk/src/index.js";
import { cutBytes } from "./names.js";
import { doorWords, mutedWords, type PlainWords, roleWords } from "./plain-words.js";

const REASON_BYTES = 128;

/** How somebody is put out of the room. */
export interface Removal {
	/** They cannot come back. */
	ban: boolean;
	/** What they are told; empty: nothing. */
	reason: string;
}

/** Who is kept out of the room, as far as we know. */
export interface BanList {
	state: "busy" | "idle" | "failed";
	bans: readonly Ban[];
	/** There are older ones. */
	more: boolean;
}

/** What people know somebody by who is kept out. */
export function banName({ name, user, address }: Ban): string {
	return name || user || address || "Somebody";
}

/**
 * Looking after the room: what we may do to others and to its door, and what is done to us. Actions
 * resolve to false when the server does not allow them, or is away.
 */
export class Care {
	readonly locked = signal(false);
	readonly lobby = signal(false);
	/** Who waits to be let in, while we may let them. */
	readonly waiting = signal<readonly Knock[]>([]);
	/** As it was when it was asked for last. */
	readonly bans = signal<BanList>({ state: "busy", bans: [], more: false });
	/** The key of whom the dialog is about. */
	readonly managed = signal<string>();
	/** What somebody did to us, until it is dismissed. */
	readonly told = signal<PlainWords>();
	readonly #room: Room;
	readonly #announce: (text: string) => void;
	#before: { role: Role; muted: boolean } | undefined;
	readonly #offs: (() => void)[];

	/** @param announce what a screen reader is told */
	constructor(room: Room, announce: (text: string) => void) {
		this.#room = room;
		this.#announce = announce;
		const { door } = room;
		this.#offs = [
			door.on("changed", () => this.#readDoor()),
			door.on("knock", ({ name }) => announce(`${name || "Somebody"} waits to be let in`)),
			room.on("seated", ({ you }) => this.#handleSelf(you)),
			room.on("self", (self) => this.#handleSelf(self)),
		];
	}

	close(): void {
		for (const off of this.#offs.splice(0)) off();
	}

	setRole(key: string, role: Role): Promise<boolean> {
		return this.#to(key, (id) => this.#room.setRole(id, role));
	}

	mute(key: string, on: boolean): Promise<boolean> {
		return this.#to(key, (id) => this.#room.mute(id, on));
	}

	/** All who do not look after the room. */
	muteAll(on: boolean): Promise<boolean> {
		return done(this.#room.mute(undefined, on));
	}

	remove(key: string, { ban, reason }: Removal): Promise<boolean> {
		const why = cutBytes(reason.trim(), REASON_BYTES) || undefined;
		const how = why === undefined ? {} : { reason: why };
		return this.#to(key, (id) => (ban ? this.#room.ban(id, how) : this.#room.kick(id, why)));
	}

	setLocked(on: boolean): Promise<boolean> {
		return done(this.#room.door.setLocked(on));
	}

	setLobby(on: boolean): Promise<boolean> {
		return done(this.#room.door.setLobby(on));
	}

	admit({ id }: Knock): Promise<boolean> {
		return done(this.#room.door.admit(id));
	}

	deny({ id }: Knock): Promise<boolean> {
		return done(this.#room.door.deny(id));
	}

	async loadBans(): Promise<void> {
		this.bans.value = { ...this.bans.value, state: "busy" };
		try {
			const { bans, more } = await this.#room.door.bans();
			this.bans.value = { state: "idle", bans, more };
		} catch {
			this.bans.value = { ...this.bans.value, state: "failed" };
		}
	}

	/** Somebody may come in again. */
	async lift(ban: Ban): Promise<boolean> {
		if (!(await done(this.#room.door.lift(ban)))) return false;
		this.#announce(`${banName(ban)} may come in again`);
		await this.loadBans();
		return true;
	}

	/** Everybody goes, we too. */
	closeRoom(): Promise<boolean> {
		return done(this.#room.close());
	}

	#to(key: string, ask: (memberId: string) => Promise<void>): Promise<boolean> {
		const person = this.#room.presence.get(key);
		return person ? done(ask(person.id)) : Promise.resolve(true);
	}

	#readDoor(): void {
		const { locked, lobby, waiting } = this.#room.door;
		const words = doorWords({ locked, lobby }, this.locked.peek(), this.lobby.peek());
		batch(() => {
			this.locked.value = locked;
			this.lobby.value = lobby;
			this.waiting.value = waiting;
		});
		if (words) this.#announce(words);
	}

	#handleSelf({ role, state: { muted = false } }: Member): void {
		const before = this.#before;
		this.#before = { role, muted };
		if (!before) return;
		if (role !== before.role) this.#tell(roleWords(role, before.role));
		else if (muted !== before.muted) this.#tell(mutedWords(muted));
	}

	#tell(words: PlainWords): void {
		this.told.value = words;
		this.#announce(`${words.title}. ${words.advice}`);
	}
}

async function done(work: Promise<void>): Promise<boolean> {
	try {
		await work;
		return true;
	} catch {
		return false;
	}
}
