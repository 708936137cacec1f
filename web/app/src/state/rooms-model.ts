import { computed, type Signal, signal } from "@preact/signals";
import { type Connection, Room } from "../../../sdk/src/index.js";
import { type ChatLeft, ChatModel } from "./chat-model.js";
import { outboxOption, tabUser } from "./identity.js";
import { isWatching } from "./people.js";

/** A room beside the one of the call: we read along there, and send no media. */
export interface OtherRoom {
	name: string;
	chat: ChatModel;
	/** How many people are there, ourselves not counted. */
	people: Signal<number>;
	/** Not in it: the server is away, or has no place for us. */
	away: Signal<boolean>;
	leave(): void;
}

const KEY = "parley.rooms";

/**
 * All rooms of this tab. One has the call; the others are joined on the same connection as
 * `watching`, and count what is written there. Switching moves the call.
 */
export class RoomsModel {
	readonly others = signal<readonly OtherRoom[]>([]);
	/** Messages that nobody has read, in all of them. */
	readonly unread = computed(() =>
		this.others.value.reduce((sum, { chat }) => sum + chat.unread.value, 0),
	);
	#names: string[] = loadNames();
	#left = new Map<string, ChatLeft>();
	#line: { connection: Connection; name: string } | undefined;

	/** The call has another connection: the other rooms come along. */
	attach(connection: Connection, name: string, current: string): void {
		this.detach();
		this.#line = { connection, name };
		this.#put(this.#names.filter((other) => other !== current));
		for (const other of this.#names) this.#join(other);
	}

	/** Before the connection goes. */
	detach(): void {
		for (const { name, chat, leave } of this.others.value) {
			this.#left.set(name, chat.left);
			leave();
		}
		this.#line = undefined;
		this.others.value = [];
	}

	/** The call moves elsewhere; this room stays in the list. */
	park(name: string, left: ChatLeft): void {
		this.#left.set(name, left);
		this.#put([...this.#names.filter((other) => other !== name), name]);
	}

	/** What a room was left with. */
	leftOf(name: string): ChatLeft | undefined {
		return this.#left.get(name);
	}

	/** Out of a room that has no call. */
	leave(name: string): void {
		this.#put(this.#names.filter((other) => other !== name));
		this.#left.delete(name);
		this.others.value.find((other) => other.name === name)?.leave();
		this.others.value = this.others.value.filter((other) => other.name !== name);
	}

	#join(name: string): void {
		if (!this.#line) return;
		const { connection, name: own } = this.#line;
		const metadata = { watching: true };
		const options = { room: name, name: own, user: tabUser(), metadata, ...outboxOption() };
		const room = new Room(connection, options);
		const chat = new ChatModel(room, () => undefined, this.#left.get(name));
		const people = signal(0);
		const away = signal(true);
		const count = () => {
			people.value = room.presence.people.filter((person) => !isWatching(person)).length;
		};
		room.on("state", (state) => {
			away.value = state !== "in";
		});
		for (const event of ["seated", "joined", "back", "left", "updated"] as const) {
			room.on(event, () => queueMicrotask(count));
		}
		room.join().catch(() => {
			// It stays in the list as away; the person may try again or let go of it.
		});
		const leave = () => {
			chat.close();
			room.leave();
		};
		this.others.value = [...this.others.value, { name, chat, people, away, leave }];
	}

	#put(names: string[]): void {
		this.#names = names;
		try {
			sessionStorage.setItem(KEY, JSON.stringify(names));
		} catch {
			// Known as long as the page lives.
		}
	}
}

function loadNames(): string[] {
	try {
		const names: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
		return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
	} catch {
		return [];
	}
}
