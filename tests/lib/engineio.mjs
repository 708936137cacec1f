// Engine.IO by hand, over long polling and WebSockets: what a client library would not send can be sent.
import assert from "node:assert/strict";
import { WebSocket } from "./deps.mjs";
import { request } from "./http.mjs";
import { Waiters } from "./wait.mjs";

export const SEPARATOR = "\x1e";

/** A session that polls. Each request has a connection of its own, so any worker may get it. */
export class Polling {
	constructor(server, { path = "/engine.io/", version = 4, query = "" } = {}) {
		Object.assign(this, { server, path, version, query });
	}

	static async open(server, options) {
		const session = new Polling(server, options);
		const answer = await session.get();
		assert.equal(answer.status, 200, answer.text);
		session.openingPayload = answer.text;
		const text = session.version === 4 ? answer.text : answer.text.replace(/^\d+:/, "");
		[session.first] = text.split(SEPARATOR);
		assert.equal(session.first[0], "0");
		const end = session.first.indexOf("}") + 1;
		session.handshake = JSON.parse(session.first.slice(1, end));
		session.sid = session.handshake.sid;
		return session;
	}

	get address() {
		const sid = this.sid ? `&sid=${this.sid}` : "";
		return `${this.path}?EIO=${this.version}&transport=polling${sid}${this.query}`;
	}

	get(options = {}) {
		return request(this.server, this.address, options);
	}

	/** The packets of one poll (version 4). */
	async poll() {
		const answer = await this.get();
		assert.equal(answer.status, 200, answer.text);
		return answer.text.split(SEPARATOR);
	}

	post(body, options = {}) {
		const headers = { "Content-Type": "text/plain;charset=UTF-8", ...options.headers };
		return request(this.server, this.address, { method: "POST", body, ...options, headers });
	}

	/** Posts packets, which must be taken. */
	async send(...packets) {
		const answer = await this.post(packets.join(SEPARATOR));
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.text, "ok");
	}
}

/** A WebSocket of Engine.IO that keeps what it hears: texts, and Buffers. */
export class Socket extends Waiters {
	inbox = [];
	gone = null;

	constructor(server, { path = "/engine.io/", version = 4, sid, query = "", headers } = {}) {
		super();
		const which = sid ? `&sid=${sid}` : "";
		const url = `${server.ws}${path}?EIO=${version}&transport=websocket${which}${query}`;
		this.ws = new WebSocket(url, { perMessageDeflate: false, headers });
		this.ws.on("message", (bytes, isBinary) => {
			this.inbox.push(isBinary ? bytes : bytes.toString("utf8"));
			this.poke();
		});
		this.ws.on("error", (error) => {
			this.error = error;
			this.poke();
		});
		this.ws.on("close", (code) => {
			this.gone = { code };
			this.poke();
		});
		this.ws.on("open", () => {
			this.isOpen = true;
			this.poke();
		});
	}

	static async open(server, options = {}) {
		const socket = new Socket(server, options);
		await socket.until(
			() => socket.isOpen || socket.gone,
			() => "the upgrade",
		);
		if (!options.sid) {
			const text = await socket.next();
			assert.equal(text[0], "0");
			socket.handshake = JSON.parse(text.slice(1));
		}
		return socket;
	}

	send(...packets) {
		for (const packet of packets) {
			this.ws.send(packet);
		}
	}

	async next() {
		await this.until(
			() => this.inbox.length > 0 || this.gone,
			() => "a message",
		);
		assert.ok(this.inbox.length > 0, `closed instead: ${JSON.stringify(this.gone)}`);
		return this.inbox.shift();
	}

	/** The next that is no ping. */
	async nextMessage() {
		for (;;) {
			const message = await this.next();
			if (message !== "2") {
				return message;
			}
		}
	}

	closed() {
		return this.until(
			() => this.gone,
			() => `its end; heard ${JSON.stringify(this.inbox)}`,
		);
	}

	close() {
		this.ws.terminate();
	}
}
