// A client of parley.v1 which believes nothing: each message of the server is held against its
// schema, `seq` must rise in every room, and each request gets one reply.
import assert from "node:assert/strict";
import { WebSocket } from "./deps.mjs";
import { mustBeValid } from "./schemas.mjs";
import { readVoice } from "./voice.mjs";
import { DEADLINE, Waiters, within } from "./wait.mjs";

/** Requests whose reply has data. */
const TELLING = new Set(
	"join sync resume chat edit delete react history search whowas bans".split(" "),
);

let rooms = 0;

/** A room name that no other test of this run has. */
export function freshRoom(hint = "room") {
	rooms += 1;
	return `${hint}-${process.pid}-${rooms}`;
}

const fits = (message, wanted) =>
	Object.entries(wanted).every(([key, value]) => {
		try {
			assert.deepEqual(message[key], value);
			return true;
		} catch {
			return false;
		}
	});

export class Client extends Waiters {
	inbox = [];
	texts = [];
	voices = [];
	hello = null;
	gone = null;
	broken = null;
	#replies = new Map();
	#lastId = 0;
	#seqs = new Map();

	constructor(socket) {
		super();
		this.socket = socket;
		this.closed = new Promise((resolve) => {
			socket.on("close", (code, reason) => {
				this.gone = { code, reason: reason.toString() };
				this.poke();
				resolve(this.gone);
			});
		});
		socket.on("error", (error) => {
			this.socketError = error;
		});
		socket.on("message", (bytes, isBinary) => {
			try {
				if (isBinary) {
					this.voices.push(readVoice(bytes));
				} else {
					this.#take(bytes.toString("utf8"));
				}
			} catch (error) {
				this.broken ??= error;
			}
			this.poke();
		});
	}

	/** options: room (the hint), protocol (null: none), and what `ws` understands. */
	static async connect(server, { room, protocol = "parley.v1", tls, ...options } = {}) {
		const query = room === undefined ? "" : `?room=${encodeURIComponent(room)}`;
		const base = tls ? `wss://127.0.0.1:${server.port}` : `ws://127.0.0.1:${server.port}`;
		const socket = new WebSocket(`${base}/v1/connect${query}`, protocol ?? [], {
			perMessageDeflate: false,
			rejectUnauthorized: false,
			...options,
		});
		const client = new Client(socket);
		await client.until(
			() => client.hello || client.gone,
			() => "the hello",
		);
		assert.ok(client.hello, `no connection: ${client.socketError?.message}`);
		return client;
	}

	#take(text) {
		const message = JSON.parse(text);
		mustBeValid("server", message);
		if (!this.hello) {
			assert.equal(message.type, "hello", "the server speaks first, and says hello");
			this.hello = message;
			return;
		}
		assert.notEqual(message.type, "hello", "hello comes once");
		if (message.seq !== undefined) {
			const last = this.#seqs.get(message.room) ?? 0;
			assert.ok(message.seq > last, `seq ${message.seq} after ${last} in ${message.room}`);
			this.#seqs.set(message.room, message.seq);
		}
		if (message.type === "reply") {
			const waiting = this.#replies.get(message.id);
			assert.ok(waiting, `a reply that nobody waits for: ${text}`);
			this.#replies.delete(message.id);
			const tells = message.ok && TELLING.has(waiting.type);
			assert.equal(message.data !== undefined, tells, text);
			if (tells && ["join", "sync"].includes(waiting.type)) {
				this.#joined(message.data);
			}
			waiting.resolve(message);
			return;
		}
		this.inbox.push(message);
		this.texts.push(text);
	}

	// Events of the room that come after the reply have higher numbers than it.
	#joined(data) {
		this.#seqs.set(data.room, data.seq);
	}

	#mustBeSound() {
		if (this.broken) {
			throw this.broken;
		}
	}

	/** Sends a message that the protocol allows. */
	send(message) {
		mustBeValid("client", message);
		this.raw(JSON.stringify(message));
	}

	/** Sends text (or bytes) as it is. */
	raw(data) {
		this.socket.send(data);
	}

	/** Sends with an id; resolves with the whole reply. `valid: false` for what breaks the rules. */
	async ask(message, { valid = true } = {}) {
		this.#lastId += 1;
		const id = this.#lastId;
		const whole = { ...message, id };
		if (valid) {
			mustBeValid("client", whole);
		}
		let reply = null;
		this.#replies.set(id, {
			type: message.type,
			resolve: (value) => {
				reply = value;
			},
		});
		this.raw(JSON.stringify(whole));
		return this.#until(
			() => reply,
			() => `the reply to ${JSON.stringify(whole)}`,
		);
	}

	/** A request that must be granted; the reply's data. */
	async do(message) {
		const reply = await this.ask(message);
		assert.ok(reply.ok, `${message.type} is refused: ${JSON.stringify(reply.error)}`);
		return reply.data;
	}

	/** A request that must be refused with this code; the error. */
	async refused(message, code, options) {
		const reply = await this.ask(message, options);
		assert.ok(!reply.ok, `${JSON.stringify(message)} is granted`);
		assert.equal(reply.error.code, code, JSON.stringify(reply.error));
		return reply.error;
	}

	/** Joins; the reply's data, of which the member id is kept as `id`. */
	async join(room, extra = {}) {
		const data = await this.do({ type: "join", room, name: "Ann", ...extra });
		this.id = data.you.id;
		return data;
	}

	#until(condition, describe, ms = DEADLINE) {
		return this.until(
			() => {
				if (this.broken) {
					throw this.broken;
				}
				const value = condition();
				if (!value && this.gone) {
					const { code, reason } = this.gone;
					throw new Error(`closed (${code} ${reason}) instead of ${describe()}`);
				}
				return value;
			},
			() => `${describe()}; inbox: ${JSON.stringify(this.inbox)}`,
			ms,
		);
	}

	/** Takes the first message of that type (and those fields) out of the inbox, when it comes. */
	async next(type, wanted = {}, ms = DEADLINE) {
		const at = () => this.inbox.findIndex((m) => m.type === type && fits(m, wanted));
		await this.#until(
			() => at() >= 0,
			() => `${type} ${JSON.stringify(wanted)}`,
			ms,
		);
		const index = at();
		this.lastText = this.texts.splice(index, 1)[0];
		return this.inbox.splice(index, 1)[0];
	}

	/** Takes the first piece of voice, when it comes. */
	async nextVoice() {
		await this.#until(
			() => this.voices.length > 0,
			() => "a piece of voice",
		);
		return this.voices.shift();
	}

	/** Resolves with the inbox when the condition holds for it. */
	async waitFor(condition, what) {
		await this.#until(
			() => condition(this.inbox),
			() => what ?? String(condition),
		);
		return this.inbox;
	}

	/** What a resume must know: the session, its secret, and the last number of each room. */
	ticket() {
		const { session, secret } = this.resumed ?? this.hello;
		return { session, secret, seen: Object.fromEntries(this.#seqs) };
	}

	/** Goes on with the session of `ticket`; the reply's data. */
	async resume(ticket) {
		for (const [room, seq] of Object.entries(ticket.seen)) {
			this.#seqs.set(room, seq);
		}
		this.resumed = await this.do({ type: "resume", ...ticket });
		return this.resumed;
	}

	/** All that the server had for this client before now has arrived. */
	async settled() {
		await this.do({ type: "ping" });
		this.#mustBeSound();
	}

	/** The inbox is empty, and stays so up to now. */
	async nothing(what = "nothing more") {
		await this.settled();
		assert.deepEqual(this.inbox, [], `expected ${what}`);
	}

	/** How the server closed: {code, reason}. */
	async ended() {
		const close = await within(this.closed, "the server's close");
		this.#mustBeSound();
		return close;
	}

	async close(code) {
		this.socket.close(code);
		await within(this.closed, "the end of the closing handshake");
		this.#mustBeSound();
	}

	/** Gone without a word. */
	vanish() {
		this.socket.terminate();
	}
}

/** Clients of one test, which are closed when it ends. */
export async function connectAll(t, server, count, options = {}) {
	const clients = [];
	for (let i = 0; i < count; i++) {
		clients.push(await connect(t, server, options));
	}
	return clients;
}

export async function connect(t, server, options = {}) {
	const client = await Client.connect(server, options);
	t.after(() => {
		client.socket.terminate();
		assert.equal(client.broken, null);
	});
	return client;
}

/** Clients in one room in the order of `names`, all of whom have seen each other come. */
export async function roomOf(t, server, names, { room = freshRoom(), options, connection } = {}) {
	const members = [];
	for (const name of names) {
		const client = await connect(t, server, connection);
		client.joinData = await client.join(room, { name, ...(options ? { options } : {}) });
		for (const other of members) {
			await other.next("joined", { room });
		}
		members.push(client);
	}
	members.room = room;
	return members;
}

/** A line of chat goes past everybody: what a member got before it is all it got until now. */
export async function fence(members, room = members.room) {
	const text = `fence ${Math.random()}`;
	members[0].send({ type: "chat", room, text });
	await Promise.all(members.map((member) => member.next("chat", { text })));
}

/** As fence(), and nobody has anything left over. */
export async function allQuiet(members, room) {
	await fence(members, room);
	for (const member of members) {
		assert.deepEqual(member.inbox, [], "nobody got anything else");
	}
}
