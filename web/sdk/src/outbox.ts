import { isObject } from "./json.js";
import type { ChatFile } from "./upload.js";

/** A message on its way. `key` makes sending it twice harmless. */
export interface Outgoing {
	key: string;
	text: string;
	/** When it was written: milliseconds since 1970. */
	time: number;
	reply?: number;
	to?: string;
	/** Uploaded before. */
	files?: readonly ChatFile[];
	/** Why the server refused it for good; then it waits for the person to decide. */
	failed?: string;
}

/** Where an outbox outlives its page: `sessionStorage`, or anything with these two. */
export interface OutboxStore {
	getItem(key: string): string | null;
	setItem(key: string, value: string): void;
}

/**
 * What was written while the server is away, in its order; bounded, so that a forgotten tab
 * does not fill up. With a store it outlives a reload of the page.
 */
export class Outbox {
	readonly #store: OutboxStore | undefined;
	readonly #name: string;
	#items: Outgoing[] = [];

	constructor(
		/** How many messages may wait. */
		readonly limit = 100,
		store?: OutboxStore,
		name = "parley.outbox",
	) {
		this.#store = store;
		this.#name = name;
		this.#items = this.#load().slice(0, limit);
	}

	get items(): readonly Outgoing[] {
		return this.#items;
	}

	/** The next one to send. */
	get next(): Outgoing | undefined {
		return this.#items.find(({ failed }) => failed === undefined);
	}

	/** False if it is full. */
	handleWritten(item: Outgoing): boolean {
		if (this.#items.length >= this.limit) return false;
		this.#put([...this.#items, item]);
		return true;
	}

	/** The server has it, or nobody wants it any more. False if it is not here. */
	handleDone(key: string): boolean {
		const rest = this.#items.filter((item) => item.key !== key);
		if (rest.length === this.#items.length) return false;
		this.#put(rest);
		return true;
	}

	handleRefused(key: string, why: string): void {
		this.#put(this.#items.map((item) => (item.key === key ? { ...item, failed: why } : item)));
	}

	/** Once more, at its old place. */
	handleRetry(key: string): void {
		this.#put(
			this.#items.map((item) => {
				if (item.key !== key) return item;
				const { failed: _, ...again } = item;
				return again;
			}),
		);
	}

	#put(items: Outgoing[]): void {
		this.#items = items;
		try {
			this.#store?.setItem(this.#name, JSON.stringify(items));
		} catch {
			// A full or forbidden storage: the outbox then lives in memory only.
		}
	}

	#load(): Outgoing[] {
		try {
			const items: unknown = JSON.parse(this.#store?.getItem(this.#name) ?? "[]");
			return Array.isArray(items) ? items.filter(isOutgoing) : [];
		} catch {
			return [];
		}
	}
}

function isOutgoing(value: unknown): value is Outgoing {
	return (
		isObject(value) &&
		typeof value.key === "string" &&
		typeof value.text === "string" &&
		typeof value.time === "number"
	);
}
