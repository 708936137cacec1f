// A member that chats as fast as it may, through deaths of the server: what it said and was not told to be
// kept it says again, with the same key; what it has missed it gets by resuming or from the history.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { WebSocket } from "./deps.mjs";

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
		const reply = await this.ask({ type: "resume", ...this.ticket, seen: this.#seen, chat });
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
		const reply = await this.ask({ type: "join", room: this.room, name: this.name });
		if (!reply) return false;
		assert.ok(reply.ok, JSON.stringify(reply));
		this.ticket = this.hello;
		for (let more = true; more; ) {
			const page = await this.ask({ type: "history", after: this.#last, limit: 200 });
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
		assert.ok(message.n > this.#last, `${this.name}: ${message.n} after ${this.#last}`);
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
				if (message.data?.seq !== undefined) this.#seen[this.room] = message.data.seq;
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
					await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 20))]);
				}
			}
		};
		await Promise.all(Array.from({ length: window }, line));
	}

	leave() {
		this.socket.terminate();
	}
}

/** Every message that anybody was told to be kept is in everybody's log once, in the order of numbers. */
export function mustAgree(talkers) {
	for (const room of new Set(talkers.map((talker) => talker.room))) {
		const members = talkers.filter((talker) => talker.room === room);
		const [first] = members;
		for (const member of members) {
			const keys = new Map(member.log.map(({ key, n }) => [key, n]));
			assert.equal(keys.size, member.log.length, `${member.name} has a message twice`);
			for (const { acknowledged } of members)
				for (const [key, n] of acknowledged)
					assert.equal(keys.get(key), n, `${member.name} lacks an acknowledged message`);
			assert.deepEqual(
				member.log.map(({ n }) => n),
				first.log.map(({ n }) => n),
			);
		}
	}
}
