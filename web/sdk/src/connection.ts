import { ExponentialBackoff, type ReconnectPolicy } from "./backoff.js";
import { ConnectionMachine, type ConnectionState } from "./connection-machine.js";
import { Emitter } from "./emitter.js";
import { ConnectionError } from "./errors.js";
import { Keepalive, type KeepaliveTimes } from "./keepalive.js";
import { Requests } from "./requests.js";
import {
	type Hello,
	isObject,
	isResumeReply,
	PROTOCOL,
	parseServerMessage,
	type ResumeReply,
	type RoomEvent,
	type ServerMessage,
} from "./wire.js";

/** What of a WebSocket is used, so that a test may hand in another. */
export type Socket = Pick<
	WebSocket,
	"readyState" | "send" | "close" | "onopen" | "onmessage" | "onclose" | "onerror"
>;

export interface ConnectionOptions {
	/** `wss://host/v1/connect?room=...` */
	url: string;
	policy?: ReconnectPolicy;
	keepalive?: KeepaliveTimes;
	/** How long the server may take to accept the socket and say hello. */
	helloTimeout?: number;
	requestTimeout?: number;
	openSocket?: (url: string) => Socket;
}

export interface ConnectionEvents {
	state: ConnectionState;
	hello: Hello;
	event: RoomEvent;
	/** The server is about to stop. */
	drain: { retryAfter: number };
}

const SOCKET_OPEN = 1;
// Should the close of a line that we gave up arrive after all, it must not read as a goodbye:
// the server takes codes from 4000 on for a disconnect.
const COMING_BACK = 4000;

/**
 * One WebSocket that comes back by itself, and to the same session if the server still has it. It
 * knows requests and events; of rooms only which event of each it has seen last.
 *
 * ```ts
 * const connection = new Connection({ url: "wss://example.org/v1/connect" });
 * connection.on("state", (state) => console.log(state));
 * connection.open();
 * ```
 */
export class Connection extends Emitter<ConnectionEvents> {
	readonly #options: ConnectionOptions;
	readonly #machine: ConnectionMachine;
	readonly #requests = new Requests();
	#socket: Socket | undefined;
	#keepalive: Keepalive | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#retryAfter = 0;
	#iceServers: RTCIceServer[] = [];
	#ticket: { session: string; secret: string } | undefined;
	#seen = new Map<string, number>();
	#resumed: ResumeReply | undefined;

	constructor(options: ConnectionOptions) {
		super();
		this.#options = options;
		this.#machine = new ConnectionMachine(options.policy ?? new ExponentialBackoff());
	}

	get state(): ConnectionState {
		return this.#machine.state;
	}

	/** When the next attempt is due (ms since 1970), while the state is `waiting`. */
	get retryAt(): number | undefined {
		return this.#machine.retryAt;
	}

	/** What the last hello named. */
	get iceServers(): RTCIceServer[] {
		return this.#iceServers;
	}

	/** Our seat in that room outlived the line: whether nothing was missed, or undefined: it did not. */
	resumed(room: string): { complete: boolean } | undefined {
		return this.#resumed?.rooms.find((entry) => entry.room === room);
	}

	open(): void {
		if (!this.#machine.handleStart()) return;
		this.#watchNetwork(true);
		this.#connect();
	}

	/** Closes for good; `open` may be called again. */
	close(): void {
		if (!this.#machine.handleStop()) return;
		this.#watchNetwork(false);
		this.#ticket = undefined;
		this.#dropSocket(new ConnectionError("closed", "closed by the application"));
		this.emit("state", this.state);
	}

	/** Does not wait any longer: tries at once, or checks whether an open line still lives. */
	retryNow(): void {
		if (this.#machine.handleRetry()) this.#connect();
		else if (this.state === "open" && this.#keepalive) {
			this.#keepalive.probe(Date.now());
			this.send("ping");
			this.#schedule(this.#keepalive.times.deadline, () => this.#checkAlive());
		}
	}

	/** Breaks the line as a dead network would. For tests and bug reports. */
	drop(): void {
		this.#handleLost();
	}

	/** False if the line is down: then nothing was sent. */
	send(type: string, fields: object = {}): boolean {
		const socket = this.#socket;
		if (this.state !== "open" || socket?.readyState !== SOCKET_OPEN) return false;
		socket.send(JSON.stringify({ type, ...fields }));
		return true;
	}

	/** Resolves to the reply's `data`; rejects with a RequestError or a ConnectionError. */
	async request(type: string, fields: object = {}): Promise<unknown> {
		if (this.state !== "open") throw new ConnectionError("not-open", "the server is away");
		const { id, done } = this.#requests.open(this.#options.requestTimeout ?? 10_000);
		this.send(type, { id, ...fields });
		return done;
	}

	#connect(): void {
		const { url, openSocket, helloTimeout = 10_000 } = this.#options;
		const socket = openSocket ? openSocket(url) : new WebSocket(url, PROTOCOL);
		this.#socket = socket;
		socket.onmessage = (message) => this.#handleText(String(message.data));
		socket.onclose = () => this.#handleLost();
		this.#schedule(helloTimeout, () => this.#handleLost());
		this.emit("state", this.state);
	}

	#handleText(text: string): void {
		this.#keepalive?.handleReceived(Date.now());
		const message = parseServerMessage(text);
		if (!message) return;
		this.#note(message);
		switch (message.type) {
			case "pong":
			case "error":
				return;
			case "hello":
				void this.#handleHello(message);
				return;
			case "reply":
				this.#requests.handleReply(message);
				return;
			case "drain":
				this.#retryAfter = message.retryAfter;
				return this.emit("drain", { retryAfter: message.retryAfter });
			default:
				return this.emit("event", message);
		}
	}

	/** Where to go on from after a loss: events are numbered, and so is the reply to a join. */
	#note(message: ServerMessage): void {
		const told = message.type === "reply" ? message.data : message;
		if (!isObject(told)) return;
		const { room, seq } = told;
		if (typeof room === "string" && typeof seq === "number") this.#seen.set(room, seq);
	}

	async #handleHello(hello: Hello): Promise<void> {
		if (!this.#ticket || this.#seen.size === 0) return this.#handleOpen(hello);
		const { id, done } = this.#requests.open(this.#options.requestTimeout ?? 10_000);
		const seen = Object.fromEntries(this.#seen);
		this.#socket?.send(JSON.stringify({ type: "resume", id, ...this.#ticket, seen }));
		try {
			const reply = await done;
			this.#handleOpen(hello, isResumeReply(reply) ? reply : undefined);
		} catch {
			// Too late for the session: it begins anew. If the line went down again: no move.
			this.#handleOpen(hello);
		}
	}

	#handleOpen(hello: Hello, resumed?: ResumeReply): void {
		if (!this.#machine.handleHello(Date.now())) return;
		const { session, secret } = resumed ?? hello;
		this.#ticket = secret === undefined ? undefined : { session, secret };
		this.#resumed = resumed;
		if (!resumed) this.#seen.clear();
		this.#iceServers = hello.iceServers;
		this.#keepalive = new Keepalive(Date.now(), this.#options.keepalive);
		this.#schedule(this.#keepalive.times.interval, () => this.#checkAlive());
		this.emit("hello", hello);
		this.emit("state", this.state);
	}

	#checkAlive(): void {
		const verdict = this.#keepalive?.check(Date.now());
		if (!verdict) return;
		if (verdict.action === "dead") return this.#handleLost();
		if (verdict.action === "ping") this.send("ping");
		this.#schedule(verdict.next, () => this.#checkAlive());
	}

	#handleLost(): void {
		const retryAfter = this.#retryAfter;
		this.#retryAfter = 0;
		if (!this.#machine.handleLost(Date.now(), retryAfter)) return;
		this.#dropSocket(new ConnectionError("lost", "the connection was lost"));
		if (this.retryAt !== undefined) {
			this.#schedule(this.retryAt - Date.now(), () => this.retryNow());
		}
		this.emit("state", this.state);
	}

	/** Forgets the socket at once: on a dead network its close handshake would take minutes. */
	#dropSocket(error: ConnectionError): void {
		const socket = this.#socket;
		this.#socket = undefined;
		this.#keepalive = undefined;
		clearTimeout(this.#timer);
		if (socket) {
			socket.onmessage = null;
			socket.onclose = null;
			if (error.reason === "lost") socket.close(COMING_BACK);
			else socket.close();
		}
		this.#requests.handleLost(error);
	}

	#schedule(ms: number, action: () => void): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(action, ms);
	}

	readonly #online = (): void => this.retryNow();

	readonly #offline = (): void => {
		if (this.state === "open") this.retryNow();
	};

	readonly #visible = (): void => {
		if (document.visibilityState === "visible") this.retryNow();
	};

	/** Phones freeze hidden pages, so becoming visible is as good a hint as `online`. */
	#watchNetwork(on: boolean): void {
		if (typeof window === "undefined") return;
		const method = on ? "addEventListener" : "removeEventListener";
		window[method]("online", this.#online);
		window[method]("offline", this.#offline);
		document[method]("visibilitychange", this.#visible);
	}
}
