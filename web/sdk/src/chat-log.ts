import type { ChatMessage } from "./wire.js";

/** A chat message as we keep it: `key` is unique even when a restarted server counts anew. */
export interface ChatEntry extends ChatMessage {
	key: string;
	mine: boolean;
}

/** Puts replayed and live messages into one list without doubles. */
export class ChatLog {
	#entries: ChatEntry[] = [];
	readonly #ownIds = new Set<string>();
	#epoch = 0;
	#last = 0;
	#lastTime = 0;

	constructor(
		/** How many messages are kept. */
		readonly limit = 500,
	) {}

	/** Oldest first. */
	get entries(): readonly ChatEntry[] {
		return this.#entries;
	}

	/** Each join gives us another member id; what any of them said is ours. */
	handleOwnId(id: string): void {
		this.#ownIds.add(id);
	}

	/** The messages replayed on joining; returns those that are new. */
	handleReplay(messages: readonly ChatMessage[]): ChatEntry[] {
		const newest = messages.at(-1);
		// Fewer messages than we have seen, or others: the room was made anew.
		if (!newest || newest.n < this.#last || this.#contradicts(newest)) {
			this.#epoch += 1;
			this.#last = 0;
		}
		return messages.flatMap((message) => this.handleChat(message) ?? []);
	}

	/** undefined if it is here already. */
	handleChat(message: ChatMessage): ChatEntry | undefined {
		if (message.n <= this.#last) return undefined;
		this.#last = message.n;
		this.#lastTime = message.time;
		const entry = {
			...message,
			key: `${this.#epoch}:${message.n}`,
			mine: this.#ownIds.has(message.from),
		};
		this.#entries = [...this.#entries, entry].slice(-this.limit);
		return entry;
	}

	#contradicts(message: ChatMessage): boolean {
		return message.n === this.#last && message.time !== this.#lastTime;
	}
}
