import type { Person } from "./presence.js";

/**
 * How we stand to somebody in the room:
 * - `incoming`: calls us, and we have not answered.
 * - `outgoing`: we call, and wait for the answer.
 * - `admitted`: may exchange media with us.
 * - `declined`: one of the two said no.
 */
export type Standing = "incoming" | "outgoing" | "admitted" | "declined";

/**
 * Who rings whom in a ring room (docs/protocol.md); in other rooms everybody is admitted at
 * once. A standing is kept by key while somebody is lost by accident, because a rejoin swaps
 * who is the newcomer: without the memory, the called would suddenly be the caller.
 */
export class RingDesk {
	readonly #standings = new Map<string, Standing>();

	constructor(
		/** Whether the room is a ring room; if not, everybody is let in. */
		public ring = false,
	) {}

	/** How we stand with a person; undefined: not in the room. */
	standing(key: string): Standing | undefined {
		return this.#standings.get(key);
	}

	/** The keys of one standing. */
	keys(standing: Standing): string[] {
		return [...this.#standings].filter(([, is]) => is === standing).map(([key]) => key);
	}

	/** Somebody is in the room with us; `newcomer` says who of the two came later. */
	handlePresent(person: Pick<Person, "key">, newcomer: "we" | "they"): Standing {
		const first = newcomer === "we" ? "outgoing" : "incoming";
		const standing = this.ring ? (this.standing(person.key) ?? first) : "admitted";
		this.#standings.set(person.key, standing);
		return standing;
	}

	/** True if this is news: from now on the two negotiate. */
	handleAccepted(key: string): boolean {
		return this.#move(key, ["incoming", "outgoing"], "admitted");
	}

	/** True if this is news. */
	handleRejected(key: string): boolean {
		return this.#move(key, ["incoming", "outgoing"], "declined");
	}

	/** `forGood`: by somebody's will, not by accident. */
	handleLeft(key: string, forGood: boolean): void {
		if (forGood) this.#standings.delete(key);
	}

	#move(key: string, from: readonly Standing[], to: Standing): boolean {
		const standing = this.standing(key);
		if (standing === undefined || !from.includes(standing)) return false;
		this.#standings.set(key, to);
		return true;
	}
}
