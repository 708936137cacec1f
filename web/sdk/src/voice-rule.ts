/**
 * Decides when somebody's voice is to come through the server: when no path was found in time, or one that was there
 * is lost. Only a path that works ends it: while one is looked for again, the relayed voice goes on.
 */
export class VoiceRule {
	#wanted = false;
	/** When to give up hope, while the state is one that may still get better. */
	#dueAt: number | undefined;

	/** Finding a path takes a second or two; after this one rather wants to hear something. */
	static readonly FIND_MS = 5_000;
	/** What is disconnected often heals alone. */
	static readonly HEAL_MS = 2_500;

	constructor(now: number) {
		this.#dueAt = now + VoiceRule.FIND_MS;
	}

	get wanted(): boolean {
		return this.#wanted;
	}

	handleState(state: RTCPeerConnectionState, now: number): void {
		if (state === "connected") {
			this.#wanted = false;
			this.#dueAt = undefined;
		} else if (state === "failed" || state === "closed") this.#dueAt = now;
		else this.#dueAt ??= now + (state === "disconnected" ? VoiceRule.HEAL_MS : VoiceRule.FIND_MS);
	}

	/** After how many milliseconds to look again; undefined: when the state has changed. */
	check(now: number): number | undefined {
		if (this.#wanted || this.#dueAt === undefined) return undefined;
		if (now < this.#dueAt) return this.#dueAt - now;
		this.#wanted = true;
		return undefined;
	}
}
