// A member that chats as fast as it may, through deaths of the server: what it said and was not told to be
// kept it says again, with the same key; what it has missed it gets by resuming or from the history.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { socketIo, WebSocket } from "./deps.mjs";
import { pause, poll } from "./wait.mjs";

export class Talker {
	/** By n, in the order of arrival. */
	log = [];
	acknowledged = new Map();
	#last = 0;
	#ids = 0;
	#replies = new Map();
	#seen = {};

	/** resumes: goes on with its session; else it joins anew and asks the history. */
	constructor(room, name, { resumes }) {
		Object.assign(this, { room, name, resumes });
	}

	/** Connects; resolves when it has what it missed. False: the server went first. */
	async enter(port) {
		this.#replies.clear();
		this.socket = new WebSocket(
			`ws://127.0.0.1:${port}/v1/connect?room=${this.room}`,
			"parley.v1",
			{
				perMessageDeflate: false,
			},
		);
		const hello = new Promise((resolve) => {
			this.onHello = resolve;
		});
		this.gone = new Promise((resolve) => {
			this.socket.on("close", () => resolve(false));
			this.socket.on("error", () => resolve(false));
		});
		this.socket.on("message", (bytes) => this.#take(JSON.parse(bytes)));
		if (!(await Promise.race([hello, this.gone]))) return false;
		return (await this.#resume()) ?? (await this.#join());
	}

	async #resume() {
		if (!this.resumes || !this.ticket) return undefined;
		const replayed = new Promise((resolve) => {
			this.onReplayed = resolve;
		});
		this.live = true;
		const chat = { [this.room]: this.#last };
		const reply = await this.ask({
			type: "resume",
			...this.ticket,
			seen: this.#seen,
			chat,
		});
		if (!reply) return false;
		if (!reply.ok) return undefined; // it was not kept yet: as anybody else
		this.ticket = { session: reply.data.session, secret: reply.data.secret };
		const end = await Promise.race([replayed, this.gone]);
		if (end) assert.equal(end.complete, true, "what was missed is told");
		return Boolean(end);
	}

	async #join() {
		this.live = false;
		this.waiting = [];
		const reply = await this.ask({
			type: "join",
			room: this.room,
			name: this.name,
		});
		if (!reply) return false;
		assert.ok(reply.ok, JSON.stringify(reply));
		this.ticket = this.hello;
		for (let more = true; more; ) {
			const page = await this.ask({
				type: "history",
				after: this.#last,
				limit: 200,
			});
			if (!page) return false;
			assert.ok(page.ok, JSON.stringify(page));
			for (const message of page.data.messages) this.#add(message);
			more = page.data.more;
		}
		this.live = true;
		for (const message of this.waiting) this.#add(message, { known: true });
		return true;
	}

	#add(message, { known = false } = {}) {
		if (known && message.n <= this.#last) return;
		assert.ok(
			message.n > this.#last,
			`${this.name}: ${message.n} after ${this.#last}`,
		);
		this.#last = message.n;
		this.log.push(message);
	}

	#take(message) {
		if (message.seq !== undefined) this.#seen[message.room] = message.seq;
		switch (message.type) {
			case "hello":
				this.hello = { session: message.session, secret: message.secret };
				return this.onHello(true);
			case "reply":
				if (message.data?.seq !== undefined)
					this.#seen[this.room] = message.data.seq;
				this.#replies.get(message.id)(message);
				return this.#replies.delete(message.id);
			case "replayed":
				return this.onReplayed(message);
			case "chat":
				return this.live ? this.#add(message) : this.waiting.push(message);
		}
	}

	/** The reply; false when the connection goes first. */
	ask(message) {
		const id = ++this.#ids;
		const reply = new Promise((resolve) => this.#replies.set(id, resolve));
		this.socket.send(JSON.stringify({ ...message, id }));
		return Promise.race([reply, this.gone]);
	}

	/** Talks, `window` messages under way, until the connection goes or `until` resolves. */
	async talk(until, window = 4) {
		let over = false;
		const end = Promise.race([this.gone, until]).then(() => {
			over = true;
		});
		this.unsure ??= [];
		const line = async () => {
			while (!over) {
				const said = this.unsure.shift() ?? {
					key: randomUUID(),
					text: `${this.name} ${this.#ids}`,
				};
				const reply = await this.ask({ type: "chat", ...said });
				if (reply?.ok) this.acknowledged.set(said.key, reply.data.n);
				else this.unsure.push(said);
				if (reply && !reply.ok) {
					assert.equal(reply.error.code, "unavailable");
					// Not in a hurry: the store has its reasons.
					await Promise.race([end, pause(20)]);
				}
			}
		};
		await Promise.all(Array.from({ length: window }, line));
	}

	leave() {
		this.socket.terminate();
	}
}

/** A page that chats over Socket.IO, as the table CROWD has it. */
export class PageTalker {
	/** What it was told: pieces without a gap. A page that is not recovered begins another. */
	pieces = [];
	acknowledged = new Map();
	recovered = 0;
	#said = 0;
	#fresh = true;

	constructor(room, name, transports) {
		Object.assign(this, { room, name, transports });
	}

	async enter(port) {
		this.socket ??= this.#make(port);
		const { socket } = this;
		this.gone = new Promise((resolve) =>
			socket.once("disconnect", () => resolve(false)),
		);
		const end = new Promise((resolve) => {
			socket.once("connect", () => resolve(true));
			socket.once("connect_error", () => resolve(false));
		});
		socket.connect();
		if (!(await Promise.race([end, this.gone]))) {
			socket.disconnect();
			return false;
		}
		if (socket.recovered) {
			this.recovered++;
			return true;
		}
		this.pieces.push([]);
		this.#fresh = true;
		const joined = new Promise((resolve) =>
			socket.once("room:joined", () => resolve(true)),
		);
		socket.emit("room:join", { room: this.room, userName: this.name });
		return Promise.race([joined, this.gone]);
	}

	#make(port) {
		const socket = socketIo[4](`http://127.0.0.1:${port}`, {
			forceNew: true,
			reconnection: false,
			autoConnect: false,
			transports: this.transports,
		});
		return socket.on("chat:message", ({ id, text }) => {
			const piece = this.pieces.at(-1);
			assert.ok(
				!(id <= piece.at(-1)?.id),
				`${this.name}: ${id} after ${piece.at(-1)?.id}`,
			);
			piece.push({ id, text });
		});
	}

	/** The acknowledgement; false when the connection goes first. */
	say(text) {
		const kept = new Promise((resolve) => {
			this.socket.emit(
				"chat:message",
				{ message: text, userName: this.name },
				resolve,
			);
		});
		return Promise.race([kept, this.gone]);
	}

	async talk(until, window = 2) {
		let over = false;
		const end = Promise.race([this.gone, until]).then(() => {
			over = true;
		});
		const line = async () => {
			while (!over) {
				const text = `${this.name} says ${this.#said++}`;
				if ((await this.say(text))?.ok) this.acknowledged.set(text, true);
				else
					await Promise.race([end, pause(20)]);
			}
		};
		await Promise.all(Array.from({ length: window }, line));
	}

	leave() {
		this.socket.close();
	}
}

/** Somebody of a dialect without a chat, who is in the room as long as the server lives. */
export class Bystander {
	constructor(path, name) {
		Object.assign(this, { path, name });
	}

	async enter(port) {
		this.socket = new WebSocket(`ws://127.0.0.1:${port}${this.path}`);
		this.gone = new Promise((resolve) => {
			this.socket.on("close", () => resolve(false));
			this.socket.on("error", () => resolve(false));
		});
		const open = new Promise((resolve) =>
			this.socket.on("open", () => resolve(true)),
		);
		if (!(await Promise.race([open, this.gone]))) return false;
		const join = { type: "join", userId: this.name, userName: this.name };
		this.socket.send(JSON.stringify(join));
		return true;
	}

	async talk(until) {
		await Promise.race([this.gone, until]);
	}

	leave() {
		this.socket.terminate();
	}
}

/** How many messages they were told to be kept. */
export const keptOf = (talkers) =>
	talkers.reduce((sum, { acknowledged }) => sum + (acknowledged?.size ?? 0), 0);

/** Resolves when so many more are. */
export function keepsOn(talkers, count) {
	const before = keptOf(talkers);
	return poll(
		() => keptOf(talkers) >= before + count,
		() => `${count} messages more than ${before} to be kept: ${keptOf(talkers)}`,
	);
}

/** The number of a message as pages over Socket.IO know it. */
const idOf = ({ time, n }) => time * 4096 + (n % 4096);

/** Of what all in the room know, a page has everything from its first to its last message. */
function mustFit(page, log) {
	const at = new Map(log.map((message, i) => [idOf(message), i]));
	for (const piece of page.pieces.filter((one) => one.length > 0)) {
		const from = at.get(piece[0].id);
		assert.deepEqual(
			piece.map(({ text }) => text),
			log.slice(from, from + piece.length).map(({ text }) => text),
			`${page.name} lacks something`,
		);
	}
	assert.equal(
		page.pieces.at(-1).at(-1).id,
		idOf(log.at(-1)),
		`${page.name} is behind`,
	);
	const texts = log
		.map(({ text }) => text)
		.filter((text) => text.startsWith(`${page.name} says `));
	assert.equal(
		new Set(texts).size,
		texts.length,
		`something that ${page.name} said is there twice`,
	);
	for (const text of page.acknowledged.keys())
		assert.ok(texts.includes(text), `${text} is lost`);
}

/** Every message that anybody was told to be kept is in everybody's log once, in the order of numbers. */
export function mustAgree(talkers) {
	for (const room of new Set(talkers.map((talker) => talker.room))) {
		const there = talkers.filter((talker) => talker.room === room);
		const members = there.filter(({ log }) => log);
		const [first] = members;
		for (const page of there.filter(({ pieces }) => pieces))
			mustFit(page, first.log);
		for (const member of members) {
			const keys = new Map(member.log.map(({ key, n }) => [key ?? n, n]));
			assert.equal(
				keys.size,
				member.log.length,
				`${member.name} has a message twice`,
			);
			for (const { acknowledged } of members)
				for (const [key, n] of acknowledged)
					assert.equal(
						keys.get(key),
						n,
						`${member.name} lacks an acknowledged message`,
					);
			assert.deepEqual(
				member.log.map(({ n }) => n),
				first.log.map(({ n }) => n),
			);
		}
	}
}
