import type { ReconnectPolicy } from "./reconnect-policy.js";

/**
 * - `idle`: nothing was asked for yet.
 * - `connecting`: a socket is opening, or open and has not said hello.
 * - `open`: the server has said hello.
 * - `waiting`: lost; the next attempt is at `retryAt`.
 * - `closed`: by the application, or the policy gave up.
 */
export type ConnectionState = "idle" | "connecting" | "open" | "waiting" | "closed";

const MOVES: Record<ConnectionState, readonly ConnectionState[]> = {
	idle: ["connecting", "closed"],
	connecting: ["open", "waiting", "closed"],
	open: ["waiting", "closed"],
	waiting: ["connecting", "closed"],
	closed: ["connecting"],
};

// On the way back a dead network is likelier than a slow one. TCP asks again after 1, 3, 7, 15 seconds: a new
// attempt is heard sooner than an old one once the network is there.
const BACK_HELLO_MS = 4_000;
// A server that says hello and hangs up at once shall not be asked again every second.
const STABLE_MS = 5_000;

/** When a connection is tried, lost and given up. Knows no socket and no clock. */
export class ConnectionMachine {
	#state: ConnectionState = "idle";
	#attempt = 0;
	#openSince = 0;
	#retryAt: number | undefined;

	constructor(readonly policy: ReconnectPolicy) {}

	get state(): ConnectionState {
		return this.#state;
	}

	/** When the next attempt is due, while `waiting`. */
	get retryAt(): number | undefined {
		return this.#retryAt;
	}

	/** How long the server may take to say hello now: each attempt is more patient than the one before. */
	helloTimeout(longest: number): number {
		return this.#attempt === 0
			? longest
			: Math.min(BACK_HELLO_MS * 2 ** (this.#attempt - 1), longest);
	}

	/** True if a socket must be opened now. */
	handleStart(): boolean {
		return (this.#state === "idle" || this.#state === "closed") && this.#move("connecting");
	}

	handleHello(now: number): boolean {
		this.#openSince = now;
		return this.#move("open");
	}

	/** The socket is gone. `retryAfter` is what a draining server asked for. */
	handleLost(now: number, retryAfter = 0): boolean {
		if (this.#state !== "connecting" && this.#state !== "open") return false;
		if (this.#state === "open" && now - this.#openSince >= STABLE_MS) this.#attempt = 0;
		const delay = this.policy.nextDelay(this.#attempt);
		if (delay === undefined) return this.#move("closed");
		this.#attempt += 1;
		this.#move("waiting");
		this.#retryAt = now + Math.max(delay, retryAfter);
		return true;
	}

	/** The wait is over, or the network came back before: true if a socket must be opened. */
	handleRetry(): boolean {
		return this.#state === "waiting" && this.#move("connecting");
	}

	handleStop(): boolean {
		this.#attempt = 0;
		return this.#move("closed");
	}

	#move(to: ConnectionState): boolean {
		if (!MOVES[this.#state].includes(to)) return false;
		this.#state = to;
		this.#retryAt = undefined;
		return true;
	}
}
