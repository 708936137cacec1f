import type { ConnectionState } from "./connection-machine.js";
import type { RequestError } from "./errors.js";
import type { KeepaliveTimes } from "./keepalive.js";
import type { Logger } from "./log.js";
import type { ReconnectPolicy } from "./reconnect-policy.js";
import type { Hello, RoomEvent } from "./wire.js";

/**
 * What of a WebSocket is used. Its events are typed by nobody, because browsers, node and the
 * package `ws` have classes of their own for them.
 */
export interface Socket {
	readonly readyState: number;
	readonly bufferedAmount?: number;
	binaryType?: string;
	send(data: string | Uint8Array<ArrayBuffer>): void;
	close(code?: number): void;
	onmessage: unknown;
	onclose: unknown;
	onerror: unknown;
}

/** The class `WebSocket` of a browser, of node from 22 on, or of the package `ws`. */
export type SocketClass = new (url: string, protocol: string) => Socket;

/** How to reach the server, and how patiently. */
export interface ConnectionOptions {
	/** `wss://host/v1/connect?room=...`; `connectUrl` makes it. */
	url: string;
	/** When to try again after a loss; an ExponentialBackoff by default. */
	policy?: ReconnectPolicy;
	/** How often a quiet line is asked whether it lives. */
	keepalive?: KeepaliveTimes;
	/**
	 * How long the server may take to accept the socket and say hello: 10 s by default. After a loss the
	 * first attempts are given up sooner (4 s, 8 s).
	 */
	helloTimeout?: number;
	/** How long it may take to answer a request: 10 s by default. */
	requestTimeout?: number;
	/**
	 * Where the server asks for tokens: one, or what makes one for each attempt (a token may have
	 * expired when the line is to come back).
	 */
	token?: string | (() => string | Promise<string>);
	/** Needed where there is no global one: node before 22. */
	WebSocket?: SocketClass;
	/** Hears what happens; silent by default. */
	log?: Logger;
}

/** What a Connection tells; see `on`. */
export interface ConnectionEvents {
	/** The state is another. */
	state: ConnectionState;
	/** The line is up, for the first time or again. */
	hello: Hello;
	/** The server wants another token: the connection is closed, and stays so. */
	refused: RequestError;
	/** Something happened in a room. */
	event: RoomEvent;
	/** A binary message: a piece of voice. */
	bytes: Uint8Array;
	/** The server is about to stop. */
	drain: { retryAfter: number };
}
