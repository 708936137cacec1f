import type { Socket } from "./connection-options.js";
import { type Member, type PresenceState, parseServerMessage } from "./wire.js";

/** Helpers of the tests; no part of the package. */

const QUIET: PresenceState = {
	mic: false,
	camera: false,
	screen: false,
	hand: false,
	speaking: false,
};

/** A member with a user and an instance, as our own clients are. */
export function member(id: string, user: string, extra: Partial<Member> = {}): Member {
	return {
		id,
		name: user,
		user,
		role: "speaker",
		state: QUIET,
		metadata: { instance: "1" },
		joinedAt: 0,
		...extra,
	};
}

interface Sent {
	type: string;
	id?: number;
	[field: string]: unknown;
}

/** The server's end of a Connection's socket, spoken by the test. */
export class FakeSocket implements Socket {
	url = "";
	readyState = 1;
	onmessage: ((message: { data: unknown }) => void) | null = null;
	onclose: (() => void) | null = null;
	onerror: (() => void) | null = null;
	readonly sent: Sent[] = [];
	closed = false;
	closeCode: number | undefined;

	bufferedAmount = 0;
	readonly bytes: Uint8Array[] = [];

	send(text: unknown): void {
		if (text instanceof Uint8Array) {
			this.bytes.push(text);
			return;
		}
		this.sent.push(JSON.parse(String(text)) as Sent);
	}

	close(code?: number): void {
		this.closeCode = code;
		this.closed = true;
		this.readyState = 3;
	}

	/** The last message of a type that the client sent. */
	last(type: string): Sent {
		const found = this.sent.filter((message) => message.type === type).at(-1);
		if (!found) throw new Error(`no ${type} was sent`);
		return found;
	}

	count(type: string): number {
		return this.sent.filter((message) => message.type === type).length;
	}

	/** Lets the server say something, and lets promises that hear it run. */
	async say(message: object): Promise<void> {
		const data = JSON.stringify(message);
		if (!parseServerMessage(data)) throw new Error(`not a message of the server: ${data}`);
		this.onmessage?.({ data });
		for (let turn = 0; turn < 10; turn++) await Promise.resolve();
	}

	/** With a secret the session may be resumed. */
	hello(secret?: string): Promise<void> {
		const extra = secret === undefined ? {} : { secret };
		return this.say({ type: "hello", session: "s", server: "test", iceServers: [], ...extra });
	}

	async reply(to: Sent, data: object): Promise<void> {
		await this.say({ type: "reply", id: to.id, ok: true, data });
	}

	async refuse(to: Sent, code: string): Promise<void> {
		await this.say({ type: "reply", id: to.id, ok: false, error: { code, message: code } });
	}

	break(): void {
		this.readyState = 3;
		this.onclose?.();
	}
}

/** A class whose every socket lands in `sockets`. */
export function fakeSockets(sockets: FakeSocket[]): new (url: string) => FakeSocket {
	return class extends FakeSocket {
		constructor(url: string) {
			super();
			this.url = url;
			sockets.push(this);
		}
	};
}
