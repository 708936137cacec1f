// Typing is told again while it lasts; who falls silent is forgotten a little later.
const AGAIN_MS = 3_000;
const FORGET_MS = 7_000;

/** Who is writing right now, and when to tell the others that we are. Knows no clock. */
export class Typing {
	readonly #since = new Map<string, number>();
	#told = Number.NEGATIVE_INFINITY;

	/** Member ids. */
	at(now: number): string[] {
		return [...this.#since].filter(([, since]) => now - since < FORGET_MS).map(([id]) => id);
	}

	/** How long until the next one is forgotten; undefined: nobody is writing. */
	next(now: number): number | undefined {
		const left = this.at(now).map((id) => (this.#since.get(id) ?? 0) + FORGET_MS - now);
		return left.length > 0 ? Math.min(...left) : undefined;
	}

	handleTyping(id: string, on: boolean, now: number): void {
		if (on) this.#since.set(id, now);
		else this.#since.delete(id);
	}

	/** We type: true if the others must be told. */
	handleOwn(on: boolean, now: number): boolean {
		if (on && now - this.#told < AGAIN_MS) return false;
		if (!on && this.#told === Number.NEGATIVE_INFINITY) return false;
		this.#told = on ? now : Number.NEGATIVE_INFINITY;
		return true;
	}
}
