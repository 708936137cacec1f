import { type Abortable, abortable } from "./abort.js";
import { ConnectionMachine, type ConnectionState } from "./connection-machine.js";
import type {
	ConnectionEvents,
	ConnectionOptions,
	Socket,
	SocketClass,
} from "./connection-options.js";
import { Emitter, type Unsubscribe } from "./emitter.js";
import { ConnectionError, RequestError } from "./errors.js";
import { ExponentialBackoff } from "./exponential-backoff.js";
import { isObject } from "./json.js";
import { Keepalive } from "./keepalive.js";
import type { LogLevel, LogLine } from "./log.js";
import { Requests, type RequestWait } from "./requests.js";
import {
	type Hello,
	isResumeReply,
	PROTOCOL,
	parseServerMessage,
	type ResumeReply,
	type ServerMessage,
	type VoiceLimits,
} from "./wire.js";

const SOCKET_OPEN = 1;
// Should the close of a line that we gave up arrive after all, it must not read as a goodbye:
// the server takes codes from 4000 on for a disconnect.
const COMING_BACK = 4000;

// A timer so late, and the time to read what waits.
const STARVED_MS = 1_000;
const CATCH_UP_MS = 500;

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
	#voice: VoiceLimits | undefined;
	#ticket: { session: string; secret: string } | undefined;
	#seen = new Map<string, number>();
	#known = new Map<string, () => number | undefined>();
	#resumed: ResumeReply | undefined;
	#hello: Hello | undefined;
	#refused: RequestError | undefined;
	#attempt = 0;

	constructor(options: ConnectionOptions) {
		super();
		this.#options = options;
		this.#machine = new ConnectionMachine(options.policy ?? new ExponentialBackoff());
	}

	/** Where the line is in its life; see ConnectionState. */
	get state(): ConnectionState {
		return this.#machine.state;
	}

	/** When the next attempt is due (ms since 1970), while the state is `waiting`. */
	get retryAt(): number | undefined {
		return this.#machine.retryAt;
	}

	/** What the server said first on the last line: its limits, and `open` while it asks for no tokens. */
	get hello(): Hello | undefined {
		return this.#hello;
	}

	/** Who we are, a token says. */
	get identified(): boolean {
		return this.#options.token !== undefined;
	}

	/** What the last hello named. */
	get iceServers(): RTCIceServer[] {
		return this.#iceServers;
	}

	/** What the server takes of voices for others; undefined: none. */
	get voice(): VoiceLimits | undefined {
		return this.#voice?.frames ? this.#voice : undefined;
	}

	/** The whole address of a path of the server, for what goes by HTTP. */
	urlOf(path: string): string {
		const url = new URL(path, this.#options.url);
		url.protocol = url.protocol.replace("ws", "http");
		return url.href;
	}

	/** Our seat in that room outlived the line: whether nothing was missed, or undefined: it did not. */
	resumed(room: string): { complete: boolean; restarted?: boolean } | undefined {
		return this.#resumed?.rooms.find((entry) => entry.room === room);
	}

	/** Should the server have been restarted when the line is back: what came in that room's chat after this number is told. */
	goOnFrom(room: string, known: () => number | undefined): Unsubscribe {
		this.#known.set(room, known);
		return () => this.#known.delete(room);
	}

	/** Goes for the server until it is reached, and comes back after each loss until `close`. */
	open(): void {
		if (!this.#machine.handleStart()) return;
		this.#watchNetwork(true);
		this.#connect();
	}

	/** Resolves when the line is up; rejects when the connection is closed for good. */
	ready({ signal }: Abortable = {}): Promise<void> {
		let off = () => {};
		const up = new Promise<void>((resolve, reject) => {
			const look = (state: ConnectionState) => {
				if (state === "open") resolve();
				else if (state === "closed") reject(this.#refused ?? ConnectionError.closed());
			};
			off = this.on("state", look);
			look(this.state);
		});
		return abortable(up, signal).finally(() => off());
	}

	/** Closes for good; `open` may be called again. */
	close(): void {
		if (!this.#machine.handleStop()) return;
		this.#watchNetwork(false);
		this.#ticket = undefined;
		this.#dropSocket(ConnectionError.closed());
		this.#tellState();
	}

	/** Does not wait any longer: tries at once, or checks whether an open line still lives. */
	retryNow(): void {
		if (this.#machine.handleRetry()) this.#connect();
		else if (this.state === "open" && this.#keepalive) {
			const late = this.#keepalive.probe(Date.now());
			this.send("ping");
			this.#schedule(late, () => this.#checkAlive());
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

	/** A binary message; false: it was not sent, because the line is down or `most` bytes wait already. */
	sendBytes(bytes: Uint8Array, most: number): boolean {
		const socket = this.#socket;
		if (this.state !== "open" || socket?.readyState !== SOCKET_OPEN) return false;
		if ((socket.bufferedAmount ?? 0) > most) return false;
		socket.send(bytes as Uint8Array<ArrayBuffer>);
		return true;
	}

	/** Resolves to the reply's `data`; rejects with a RequestError or a ConnectionError. */
	async request(type: string, fields: object = {}, wait: RequestWait = {}): Promise<unknown> {
		wait.signal?.throwIfAborted();
		if (this.state !== "open") throw ConnectionError.notOpen();
		const { id, done } = this.#requests.open(this.#options.requestTimeout ?? 10_000, wait);
		this.send(type, { id, ...fields });
		return done;
	}

	/** Writes a line to the application's log, if it wants one. */
	log(level: LogLevel, module: string, event: string, fields: LogLine["fields"] = {}): void {
		this.#options.log?.({ level, module, event, fields });
	}

	#connect(): void {
		this.#refused = undefined;
		this.#tellState();
		if (this.state === "connecting") this.#begin();
	}

	#begin(): void {
		const { token, helloTimeout = 10_000 } = this.#options;
		this.#schedule(this.#machine.helloTimeout(helloTimeout), () => this.#handleLost());
		if (typeof token === "function") void this.#fetchToken(token);
		else this.#openSocket(token);
	}

	async #fetchToken(fetch: () => string | Promise<string>): Promise<void> {
		this.#attempt += 1;
		const attempt = this.#attempt;
		const current = () => attempt === this.#attempt && this.state === "connecting";
		try {
			const token = await fetch();
			if (current()) this.#openSocket(token);
		} catch (error) {
			this.log("warn", "connection", "no token", { error: String(error) });
			if (current()) this.#handleLost();
		}
	}

	#openSocket(token: string | undefined): void {
		const url = new URL(this.#options.url);
		if (token !== undefined) url.searchParams.set("token", token);
		const Class: SocketClass = this.#options.WebSocket ?? WebSocket;
		const socket = new Class(url.href, PROTOCOL);
		this.#socket = socket;
		socket.binaryType = "arraybuffer";
		socket.onmessage = ({ data }: { data: unknown }) => {
			this.#keepalive?.handleReceived(Date.now());
			if (data instanceof ArrayBuffer) this.emit("bytes", new Uint8Array(data));
			else this.#handleText(String(data));
		};
		socket.onclose = () => this.#handleLost();
		// The close that follows says it all; but in node an error that nobody hears ends the process.
		socket.onerror = () => undefined;
	}

	#tellState(): void {
		const wait = this.retryAt === undefined ? undefined : this.retryAt - Date.now();
		this.log("info", "connection", this.state, { wait });
		this.emit("state", this.state);
	}

	#handleText(text: string): void {
		const message = parseServerMessage(text);
		if (!message) return this.log("debug", "connection", "not understood");
		this.#note(message);
		switch (message.type) {
			case "pong":
				return;
			case "error": {
				const { code, detail } = message.error;
				this.log("warn", "connection", "refused", { code, detail });
				if (code === "unauthorized") this.#handleUnauthorized(RequestError.from(message.error));
				return;
			}
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
		const granted = (reply: unknown) =>
			this.#handleOpen(hello, isResumeReply(reply) ? reply : undefined);
		const { id, done } = this.#requests.open(this.#options.requestTimeout ?? 10_000, { granted });
		const seen = Object.fromEntries(this.#seen);
		// Without undefined ones: JSON has none.
		const chat = Object.fromEntries([...this.#known].map(([room, known]) => [room, known()]));
		this.#socket?.send(JSON.stringify({ type: "resume", id, ...this.#ticket, seen, chat }));
		try {
			await done;
		} catch {
			this.log("warn", "connection", "session is gone");
			// Too late for the session: it begins anew. If the line went down again: no move.
			this.#handleOpen(hello);
		}
	}

	#handleOpen(hello: Hello, resumed?: ResumeReply): void {
		if (!this.#machine.handleHello(Date.now())) return;
		const { session, secret } = resumed ?? hello;
		this.#ticket = secret === undefined ? undefined : { session, secret };
		this.#resumed = resumed;
		this.#hello = hello;
		if (!resumed) this.#seen.clear();
		// The credentials in the hello are those of a session that ends when an earlier one goes on.
		this.#iceServers = resumed?.iceServers ?? hello.iceServers;
		this.#voice = hello.limits?.voice;
		this.#keepalive = new Keepalive(Date.now(), this.#options.keepalive);
		this.#schedule(this.#keepalive.times.interval, () => this.#checkAlive());
		this.emit("hello", hello);
		this.#tellState();
	}

	/** The same token would be refused again: no use in coming back. */
	#handleUnauthorized(error: RequestError): void {
		this.#refused = error;
		this.close();
		this.emit("refused", error);
	}

	#checkAlive(): void {
		const verdict = this.#keepalive?.check(Date.now());
		if (!verdict) return;
		if (verdict.action === "dead") return this.#handleDead();
		if (verdict.action === "ping") this.send("ping");
		this.#schedule(verdict.next, () => this.#checkAlive());
	}

	/** It is the network that has gone, not the server: others do not come back in the same instant. */
	#handleDead(): void {
		this.#handleLost();
		this.retryNow();
	}

	#handleLost(): void {
		const retryAfter = this.#retryAfter;
		this.#retryAfter = 0;
		if (!this.#machine.handleLost(Date.now(), retryAfter)) return;
		this.#dropSocket(ConnectionError.lost());
		if (this.retryAt !== undefined) {
			this.#schedule(this.retryAt - Date.now(), () => this.retryNow());
		}
		this.#tellState();
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

	#schedule(ms: number, action: () => void, patient = true): void {
		clearTimeout(this.#timer);
		const due = Date.now() + ms;
		this.#timer = setTimeout(() => {
			// A page that had no time hears that it is late before it hears what has come meanwhile.
			const starved = patient && Date.now() - due > STARVED_MS;
			if (starved) this.#schedule(CATCH_UP_MS, action, false);
			else action();
		}, ms);
	}

	/** An attempt that is under way began in a network that is gone: it would find the new one late. */
	readonly #online = (): void => {
		if (this.state !== "connecting") return this.retryNow();
		this.#dropSocket(ConnectionError.lost());
		this.#begin();
	};

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
