import type { OutboxStore } from "./outbox.js";

// Each load of a page is another member; who reloads for longer has had enough.
const LIMIT = 50;

/**
 * Who we are and were in a room, and so which messages are ours. With a store it is known after a
 * reload of the page as well.
 */
export class OwnIds {
	readonly #store: OutboxStore | undefined;
	readonly #name: string;
	#ids: string[];
	/** Our user, if a token proves it: then its messages are ours wherever we wrote them. */
	#user: string | undefined;

	constructor(store?: OutboxStore, name = "parley.ids") {
		this.#store = store;
		this.#name = name;
		this.#ids = load(store, name);
	}

	/** We have a seat, as this member. */
	handleSeated(id: string, provenUser: string | undefined): void {
		this.#user = provenUser;
		this.#ids = [...this.#ids.filter((other) => other !== id), id].slice(-LIMIT);
		try {
			this.#store?.setItem(this.#name, JSON.stringify(this.#ids));
		} catch {
			// A full or forbidden storage: known as long as the page lives.
		}
	}

	/** We wrote it. */
	wrote({ from, user }: { from: string; user?: string | undefined }): boolean {
		return this.#ids.includes(from) || this.#proves(user);
	}

	/** And the server knows that: we may change it. */
	owns({ from, user }: { from: string; user?: string | undefined }): boolean {
		return from === this.#ids.at(-1) || this.#proves(user);
	}

	#proves(user: string | undefined): boolean {
		return user !== undefined && user === this.#user;
	}
}

function load(store: OutboxStore | undefined, name: string): string[] {
	try {
		const ids: unknown = JSON.parse(store?.getItem(name) ?? "[]");
		return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
	} catch {
		return [];
	}
}
