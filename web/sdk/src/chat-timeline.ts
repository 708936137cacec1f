import type { ChatChange, ChatMessage } from "./chat-wire.js";
import type { OwnIds } from "./own-ids.js";
import type { ChatFile } from "./upload.js";

/**
 * - `pending`: waits in the outbox, or for the server's word.
 * - `sent`: everybody has it.
 * - `failed`: refused for good; `retry` or `discard` it.
 */
export type ChatEntryState = "pending" | "sent" | "failed";

/** A message as the application shows it. Entries are never changed: a change makes a new one. */
export interface ChatEntry {
	/** Unique in the room, and the same from `pending` to `sent`. */
	key: string;
	/** Its number once the server has it. */
	n: number | undefined;
	state: ChatEntryState;
	/** We wrote it, now or under an earlier member id. */
	mine: boolean;
	/** We may edit it and take it back. */
	owned: boolean;
	from: string;
	name: string;
	text: string;
	time: number;
	user: string | undefined;
	reply: number | undefined;
	to: string | undefined;
	/** Who reacted, by emoji: users, or the ids of members that have none. */
	reactions: Readonly<Record<string, readonly string[]>>;
	edited: boolean;
	deleted: boolean;
	/** `Chat.urlOf` says where each is. */
	files: readonly ChatFile[];
}

/** A message that everybody has. */
export type SentEntry = ChatEntry & { n: number };

/** What became of a message that was handed in. */
export interface Taken {
	entry: SentEntry;
	/** It was not here before. */
	fresh: boolean;
}

interface Era {
	epoch: number | undefined;
	entries: ChatEntry[];
	newest: number;
}

/**
 * The messages of a room in their order, without doubles, whichever way they came: live, replayed
 * after a reconnect, or page by page from the history. Numbers count within an epoch; when
 * the room begins another, what is here already stays above it.
 */
export class ChatTimeline {
	readonly #own: OwnIds;
	#eras: Era[] = [{ epoch: undefined, entries: [], newest: 0 }];

	constructor(
		own: OwnIds,
		/** How many messages are kept; the oldest go first. */
		readonly limit = 2000,
	) {
		this.#own = own;
	}

	/** Oldest first. */
	get entries(): readonly ChatEntry[] {
		return this.#eras.flatMap(({ entries }) => entries);
	}

	/** The highest number of the present epoch, changes included; 0: none. */
	get newest(): number {
		return this.#now.newest;
	}

	get epoch(): number | undefined {
		return this.#now.epoch;
	}

	/** The lowest number of the present epoch. */
	get oldest(): number | undefined {
		return this.#now.entries[0]?.n;
	}

	/** The entry of a number of the present epoch. */
	find(n: number): ChatEntry | undefined {
		return this.#now.entries.find((entry) => entry.n === n);
	}

	/** The numbers that follow count in this epoch. */
	handleEpoch(epoch: number | undefined): void {
		if (epoch === undefined || epoch === this.#now.epoch) return;
		if (this.#now.entries.length === 0) this.#now.epoch = epoch;
		else this.#eras.push({ epoch, entries: [], newest: 0 });
	}

	/** We are somebody else now, to the server. */
	handleSelf(): void {
		for (const era of this.#eras) {
			era.entries = era.entries.map((entry) => ({
				...entry,
				mine: this.#own.wrote(entry),
				owned: this.#own.owns(entry),
			}));
		}
	}

	/** Live, replayed or from a page: takes it to its place. */
	handleMessage(message: ChatMessage): Taken {
		this.handleEpoch(message.epoch);
		const { entries } = this.#now;
		this.#now.newest = Math.max(this.#now.newest, message.n);
		const entry = this.#entryOf(message);
		let at = entries.length;
		while (at > 0 && (entries[at - 1]?.n ?? 0) > message.n) at -= 1;
		if (entries[at - 1]?.n === message.n) {
			entries[at - 1] = entry;
			return { entry, fresh: false };
		}
		entries.splice(at, 0, entry);
		this.#trim();
		return { entry, fresh: true };
	}

	/** The entry as it is now; undefined if the message is not here. */
	handleChange(event: ChatChange): ChatEntry | undefined {
		const { entries } = this.#now;
		this.#now.newest = Math.max(this.#now.newest, event.n);
		const at = entries.findIndex(({ n }) => n === event.of);
		const old = entries[at];
		if (!old) return undefined;
		const entry = changed(old, event);
		entries[at] = entry;
		return entry;
	}

	get #now(): Era {
		return this.#eras.at(-1) as Era;
	}

	#entryOf(message: ChatMessage): SentEntry {
		const mine = this.#own.wrote(message);
		const { n, from, name, text, time } = message;
		return {
			key: mine && message.key ? `own:${message.key}` : `${this.#eras.length}:${n}`,
			...{ n, from, name, text, time, mine, owned: this.#own.owns(message) },
			state: "sent",
			user: message.user,
			reply: message.reply,
			to: message.to,
			reactions: message.reactions ?? {},
			edited: message.edited !== undefined,
			deleted: message.deleted ?? false,
			files: message.files ?? [],
		};
	}

	#trim(): void {
		let over = this.#eras.reduce((sum, { entries }) => sum + entries.length, -this.limit);
		for (const { entries } of this.#eras) {
			if (over > 0) over -= entries.splice(0, over).length;
		}
	}
}

function changed(old: ChatEntry, event: ChatChange): ChatEntry {
	switch (event.type) {
		case "edited":
			return { ...old, text: event.text, edited: true };
		case "deleted":
			return { ...old, text: "", reactions: {}, files: [], deleted: true };
		case "reacted":
			return { ...old, reactions: reacted(old.reactions, event) };
	}
}

function reacted(
	old: ChatEntry["reactions"],
	{ emoji, on, reader }: Extract<ChatChange, { type: "reacted" }>,
): ChatEntry["reactions"] {
	const others = (old[emoji] ?? []).filter((who) => who !== reader);
	const { [emoji]: _, ...rest } = old;
	const readers = on ? [...others, reader] : others;
	return readers.length > 0 ? { ...rest, [emoji]: readers } : rest;
}
