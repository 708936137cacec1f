import type { Abortable } from "./abort.js";
import { Emitter } from "./emitter.js";
import { RequestError } from "./errors.js";
import { type Ban, isBans, type JoinReply, type Knock, type Role, type RoomEvent } from "./wire.js";

/** What a Door tells; see `on`. */
export interface DoorEvents {
	/** It is locked or has a lobby, or no more; somebody waits there, or waits no more. */
	changed: Door;
	/** Somebody waits to be let in. Owners and moderators are told. */
	knock: Knock;
}

type Ask = (type: string, fields: object, wait?: Abortable) => Promise<unknown>;

/**
 * Who may come into a room. Owners and moderators lock it, put up a lobby where newcomers wait, let
 * them in, and lift bans.
 *
 * ```ts
 * const { door } = room;
 * await door.setLobby(true);
 * door.on("knock", ({ id, name }) => {
 * 	if (name === "Ben") door.admit(id);
 * });
 * ```
 */
export class Door extends Emitter<DoorEvents> {
	readonly #ask: Ask;
	#locked = false;
	#lobby = false;
	#waiting: readonly Knock[] = [];

	constructor(ask: Ask) {
		super();
		this.#ask = ask;
	}

	/** Nobody comes in but owners and moderators by token. */
	get locked(): boolean {
		return this.#locked;
	}

	/** Newcomers wait until they are let in. */
	get lobby(): boolean {
		return this.#lobby;
	}

	/** Who waits, in the order of coming; empty for all who are not owner or moderator. */
	get waiting(): readonly Knock[] {
		return this.#waiting;
	}

	/** Lets nobody in, or does again. */
	async setLocked(on: boolean, wait?: Abortable): Promise<void> {
		await this.#ask("lock", { on }, wait);
	}

	/** Lets newcomers wait, or no more: then all who wait come in. */
	async setLobby(on: boolean, wait?: Abortable): Promise<void> {
		await this.#ask("lobby", { on }, wait);
	}

	/** Lets somebody in who waits. */
	admit(id: string, wait?: Abortable): Promise<void> {
		return this.#settle("admit", id, wait);
	}

	/** Turns somebody away who waits. */
	deny(id: string, wait?: Abortable): Promise<void> {
		return this.#settle("deny", id, wait);
	}

	/** For owners and moderators: who is kept out, the newest first; `more`: there are older ones. */
	async bans({ signal }: Abortable = {}): Promise<{ bans: readonly Ban[]; more: boolean }> {
		const reply = await this.#ask("bans", {}, { signal });
		if (!isBans(reply)) throw RequestError.from({ message: "the list was not understood" });
		return reply;
	}

	/** Lets somebody in again who is kept out. */
	async lift({ user, address }: Pick<Ban, "user" | "address">, wait?: Abortable): Promise<void> {
		try {
			await this.#ask("unban", user === undefined ? { address } : { user }, wait);
		} catch (error) {
			// Somebody else was quicker, or its time is over.
			if (!isGone(error)) throw error;
		}
	}

	/** With a new seat those who wait are told anew; a sync says nothing of them. */
	handleSeated({ locked, lobby }: JoinReply, anew: boolean): void {
		this.#locked = locked === true;
		this.#lobby = lobby === true;
		if (anew) this.#waiting = [];
		this.emit("changed", this);
	}

	handleEvent(event: RoomEvent): void {
		if (event.type === "settings") {
			this.#locked = event.locked;
			this.#lobby = event.lobby;
		} else if (event.type === "knock") {
			// Who is made a moderator, or an owner after that, is told of all once more.
			if (this.#waiting.some(({ id }) => id === event.member.id)) return;
			this.#waiting = [...this.#waiting, event.member];
			this.emit("knock", event.member);
		} else if (event.type === "unknock") this.#forget(event.member);
		else return;
		this.emit("changed", this);
	}

	/** Who looks after the room no more hears no more of who waits. */
	handleRole(role: Role): void {
		if (role === "owner" || role === "moderator" || this.#waiting.length === 0) return;
		this.#waiting = [];
		this.emit("changed", this);
	}

	async #settle(what: "admit" | "deny", id: string, wait?: Abortable): Promise<void> {
		try {
			await this.#ask(what, { member: id }, wait);
		} catch (error) {
			if (!isGone(error)) throw error;
			// Somebody else was quicker, or it has gone, and we have not heard of it.
			this.#forget(id);
			this.emit("changed", this);
		}
	}

	#forget(id: string): void {
		this.#waiting = this.#waiting.filter((knock) => knock.id !== id);
	}
}

function isGone(error: unknown): boolean {
	return error instanceof RequestError && error.reason === "no_such_member";
}
