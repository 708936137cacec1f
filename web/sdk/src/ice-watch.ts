/**
 * Decides when a call that lost its path is to be mended: at once on `failed`, after a second
 * of `disconnected` (of which browsers speak after some five of silence; a restart does no harm to what heals
 * alone), again at growing intervals, and with a new peer connection when restarts did not help.
 */
export class IceWatch {
	#state: RTCPeerConnectionState = "new";
	#since = 0;
	#tries = 0;
	#nextTry = 0;

	static readonly PATIENCE_MS = 1_000;
	static readonly RETRY_MS = 8_000;
	static readonly LONGEST_MS = 30_000;
	static readonly RESTARTS = 3;

	handleState(state: RTCPeerConnectionState, now: number): void {
		if (state === this.#state) return;
		// A path that is being checked again is still the same trouble.
		const mending = this.#tries > 0 && state === "connecting";
		if (!mending) this.#since = now;
		this.#state = state;
		if (state === "connected") {
			this.#tries = 0;
			this.#nextTry = 0;
		}
	}

	/** What to do now, and after how many milliseconds to look again (undefined: not needed). */
	check(now: number): { action: "none" | "restart" | "renew"; next: number | undefined } {
		const due = this.#dueAt();
		if (due === undefined) return { action: "none", next: undefined };
		if (now < due) return { action: "none", next: due - now };
		this.#tries += 1;
		const pause = Math.min(IceWatch.RETRY_MS * 2 ** (this.#tries - 1), IceWatch.LONGEST_MS);
		this.#nextTry = now + pause;
		return { action: this.#tries > IceWatch.RESTARTS ? "renew" : "restart", next: pause };
	}

	#dueAt(): number | undefined {
		const waiting = this.#tries > 0 ? this.#nextTry : 0;
		switch (this.#state) {
			case "failed":
				return Math.max(this.#since, waiting);
			case "disconnected":
				return Math.max(this.#since + IceWatch.PATIENCE_MS, waiting);
			case "connecting":
				return this.#tries > 0 ? waiting : undefined;
			default:
				return undefined;
		}
	}
}
