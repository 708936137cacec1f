// A STUN and TURN client (RFC 8489, 8656) that believes nothing: over UDP, TCP, TLS or DTLS, one allocation each.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { DEADLINE, Waiters } from "./wait.mjs";

const COOKIE = 0x2112a442;
/** A client that a server with ARGS knows, and which may relay to this machine. */
export const USER = { username: "ann", credential: "secret" };
export const ARGS = ["--turn.user", "ann:secret", "--turn.allow-peer", "127.0.0.0/8"];

export const METHOD = {
	binding: 0x001,
	allocate: 0x003,
	refresh: 0x004,
	send: 0x006,
	data: 0x007,
	createPermission: 0x008,
	channelBind: 0x009,
	connect: 0x00a,
	connectionBind: 0x00b,
	connectionAttempt: 0x00c,
};
export const ATTR = {
	username: 0x0006,
	integrity: 0x0008,
	errorCode: 0x0009,
	channelNumber: 0x000c,
	lifetime: 0x000d,
	xorPeer: 0x0012,
	data: 0x0013,
	realm: 0x0014,
	nonce: 0x0015,
	userHash: 0x001e,
	xorRelayed: 0x0016,
	requestedFamily: 0x0017,
	evenPort: 0x0018,
	requestedTransport: 0x0019,
	xorMapped: 0x0020,
	reservationToken: 0x0022,
	connectionId: 0x002a,
	additionalFamily: 0x8000,
	addressError: 0x8001,
	icmp: 0x8004,
	alternateServer: 0x8023,
	mobilityTicket: 0x8030,
};
const CLASS = {
	request: 0x000,
	indication: 0x010,
	success: 0x100,
	error: 0x110,
};

export function u32(value) {
	const b = Buffer.alloc(4);
	b.writeUInt32BE(value);
	return b;
}

/** "192.0.2.1", 5000: XORed with the cookie. IPv4 only; IPv6 has the transaction id in it as well. */
export function xorAddress({ address, port }, tid = Buffer.alloc(12)) {
	const mask = Buffer.concat([u32(COOKIE), tid]);
	const v6 = address.includes(":");
	const ip = v6 ? ipv6Bytes(address) : Buffer.from(address.split(".").map(Number));
	const out = Buffer.from([0, v6 ? 2 : 1, 0, 0, ...ip.map((byte, i) => byte ^ mask[i])]);
	out.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
	return out;
}

function ipv6Bytes(text) {
	const [left, right] = text.split("::").map((half) => (half ? half.split(":") : []));
	const groups = right
		? [...left, ...Array(8 - left.length - right.length).fill("0"), ...right]
		: left;
	return Buffer.from(groups.flatMap((g) => [parseInt(g, 16) >> 8, parseInt(g, 16) & 255]));
}

function readAddress(value, tid) {
	const mask = Buffer.concat([u32(COOKIE), tid]);
	const ip = value.subarray(4).map((byte, i) => byte ^ mask[i]);
	const port = value.readUInt16BE(2) ^ (COOKIE >>> 16);
	if (value[1] === 1) {
		return { address: [...ip].join("."), port };
	}
	const groups = [...Array(8).keys()].map((i) => ((ip[2 * i] << 8) | ip[2 * i + 1]).toString(16));
	return { address: groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::"), port };
}

/** A message; attrs is a list of [type, Buffer]. */
export function encode(method, kind, tid, attrs, key) {
	let body = Buffer.concat(
		attrs.map(([type, value]) => {
			const head = Buffer.alloc(4);
			head.writeUInt16BE(type, 0);
			head.writeUInt16BE(value.length, 2);
			return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
		}),
	);
	const head = Buffer.alloc(20);
	head.writeUInt16BE((method & 0xf) | ((method & 0x70) << 1) | CLASS[kind], 0);
	head.writeUInt32BE(COOKIE, 4);
	tid.copy(head, 8);
	if (key) {
		head.writeUInt16BE(body.length + 24, 2);
		const mac = createHmac("sha1", key).update(head).update(body).digest();
		body = Buffer.concat([body, Buffer.from([0, ATTR.integrity, 0, 20]), mac]);
	}
	head.writeUInt16BE(body.length, 2);
	return Buffer.concat([head, body]);
}

export function decode(bytes) {
	assert.ok(bytes.length >= 20 && bytes.readUInt32BE(4) === COOKIE, "a STUN message");
	assert.equal(bytes.readUInt16BE(2) + 20, bytes.length, "its length");
	const type = bytes.readUInt16BE(0);
	const kind = Object.keys(CLASS).find((name) => CLASS[name] === (type & 0x110));
	const tid = bytes.subarray(8, 20);
	const message = {
		method: (type & 0xf) | ((type >> 1) & 0x70),
		kind,
		tid,
		attrs: new Map(),
	};
	for (let at = 20; at < bytes.length; ) {
		const length = bytes.readUInt16BE(at + 2);
		const value = bytes.subarray(at + 4, at + 4 + length);
		assert.equal(value.length, length, "an attribute inside the message");
		const list = message.attrs.get(bytes.readUInt16BE(at)) ?? [];
		message.attrs.set(bytes.readUInt16BE(at), [...list, value]);
		at += 4 + ((length + 3) & ~3);
	}
	const value = (name) => message.attrs.get(ATTR[name])?.[0];
	const error = value("errorCode");
	message.value = value;
	message.address = (name) => value(name) && readAddress(value(name), tid);
	message.addresses = (name) =>
		(message.attrs.get(ATTR[name]) ?? []).map((v) => readAddress(v, tid));
	message.code = error ? error[2] * 100 + error[3] : 0;
	message.reason = error?.subarray(4).toString();
	return message;
}

/** Cuts a stream into messages and ChannelData; padded: to four bytes, as by TCP. */
class Framer {
	rest = Buffer.alloc(0);

	constructor(padded) {
		this.padding = padded ? 3 : 0;
	}

	*take(bytes) {
		this.rest = Buffer.concat([this.rest, bytes]);
		while (this.rest.length >= 4) {
			const length = this.rest.readUInt16BE(2);
			const padded = (length + this.padding) & ~this.padding;
			const size = this.rest[0] >> 6 === 1 ? 4 + padded : 20 + length;
			if (this.rest.length < size) {
				return;
			}
			yield this.rest.subarray(0, size);
			this.rest = this.rest.subarray(size);
		}
	}
}

export class TurnClient extends Waiters {
	received = []; // { from, text }, or { channel, text }
	messages = []; // indications that are no data
	closed = false;
	#waiting = new Map();

	/** `shy`: does not tell its name where the nonce says that a hash will do (RFC 8489, 9.2). `from`: its own address and port
	 * (DTLS alone). */
	constructor(
		server,
		{ transport = "udp", username, credential, port = server.port, host, shy, from } = {},
	) {
		super();
		Object.assign(this, { transport, username, credential, shy, from });
		this.host = host ?? "127.0.0.1";
		this.port = port;
	}

	async open() {
		if (this.transport === "udp") {
			this.socket = createSocket(this.host.includes(":") ? "udp6" : "udp4");
			this.socket.on("message", (bytes) => this.#onFrame(bytes));
			this.socket.on("error", () => {});
			await new Promise((done) => this.socket.bind(0, done));
			this.localPort = this.socket.address().port;
			return this;
		}
		if (this.transport === "dtls") {
			return this.#openDtls();
		}
		this.framer = new Framer(true);
		const to = { host: this.host, port: this.port, rejectUnauthorized: false };
		this.socket = this.transport === "tls" ? connectTls(to) : connectTcp(to);
		const event = this.transport === "tls" ? "secureConnect" : "connect";
		await new Promise((done, fail) => this.socket.once(event, done).once("error", fail));
		this.socket.on("error", () => {});
		this.socket.on("data", (bytes) => {
			if (this.raw) {
				this.raw.push(bytes);
				this.poke();
				return;
			}
			for (const frame of this.framer.take(bytes)) {
				this.#onFrame(frame);
			}
		});
		this.socket.on("close", () => {
			this.closed = true;
			this.poke();
		});
		this.localPort = this.socket.localPort;
		return this;
	}

	/** By the openssl program, which makes a record of what it reads at once: a message, as nobody here sends the next one
	 * before there is an answer. */
	async #openDtls() {
		const to = this.host.includes(":") ? `[${this.host}]` : this.host;
		const how = ["-dtls", "-brief", "-nocommands", "-noservername"];
		how.push(...(this.from ? ["-bind", this.from] : []));
		this.socket = spawn("openssl", ["s_client", ...how, "-connect", `${to}:${this.port}`]);
		this.socket.stdin.on("error", () => {});
		this.framer = new Framer(false);
		this.socket.stdout.on("data", (bytes) => {
			for (const frame of this.framer.take(bytes)) {
				this.#onFrame(frame);
			}
		});
		let told = "";
		this.socket.stderr.on("data", (text) => {
			told += text;
			this.poke();
		});
		this.socket.on("close", () => {
			this.closed = true;
			this.poke();
		});
		await this.until(
			() => told.includes("CONNECTION ESTABLISHED"),
			() => `a DTLS handshake: ${told}`,
			30_000, // who is not let in asks again after 1, 2, 4 ... s
		);
		return this;
	}

	#onFrame(bytes) {
		if (bytes[0] >> 6 === 1) {
			const length = bytes.readUInt16BE(2);
			const body = bytes.subarray(4, 4 + length);
			this.received.push({
				channel: bytes.readUInt16BE(0),
				text: body.toString(),
				body,
			});
		} else {
			const message = decode(bytes);
			if (message.kind === "indication" && message.value("data")) {
				const body = message.value("data");
				this.received.push({
					from: message.address("xorPeer"),
					text: body.toString(),
					body,
				});
			} else if (message.kind === "indication") {
				this.messages.push(message);
			} else {
				this.#waiting.get(message.tid.toString("hex"))?.(message);
			}
		}
		this.poke();
	}

	write(bytes) {
		if (this.transport === "udp") {
			this.socket.send(bytes, this.port, this.host);
		} else if (this.transport === "dtls") {
			this.socket.stdin.write(bytes);
		} else {
			this.socket.write(bytes);
		}
	}

	/** Sends a request once; its answer, or undefined when there is none within `ms`. */
	exchange(method, attrs, { key, ms = DEADLINE, tid = randomBytes(12) } = {}) {
		const id = tid.toString("hex");
		return new Promise((resolve) => {
			const timer = setTimeout(() => done(undefined), ms);
			const done = (message) => {
				clearTimeout(timer);
				this.#waiting.delete(id);
				resolve(message);
			};
			this.#waiting.set(id, done);
			this.write(encode(method, "request", tid, attrs, key));
		});
	}

	#name() {
		const bits = Buffer.from(this.nonce.subarray(9, 13).toString(), "base64");
		if (!this.shy || !(bits[2] & 2)) {
			return [ATTR.username, Buffer.from(this.username)];
		}
		this.hid = true;
		const hash = createHash("sha256").update(`${this.username}:${this.realm}`).digest();
		return [ATTR.userHash, hash];
	}

	/** The same with the credential; a new nonce is taken when the server says so. */
	async request(method, attrs = [], options = {}) {
		for (let tries = 0; ; tries++) {
			const proof = this.nonce
				? [
						this.#name(),
						[ATTR.realm, Buffer.from(this.realm)],
						[ATTR.nonce, this.nonce],
					]
				: [];
			const key =
				this.nonce &&
				createHash("md5").update(`${this.username}:${this.realm}:${this.credential}`).digest();
			const tid = randomBytes(12);
			const list = typeof attrs === "function" ? attrs(tid) : attrs;
			const answer = await this.exchange(method, [...list, ...proof], {
				...options,
				key,
				tid,
			});
			assert.ok(answer, `an answer to method ${method}`);
			const nonce = answer.value("nonce");
			const anew = (answer.code === 401 && !this.nonce) || answer.code === 438;
			if (nonce) {
				this.nonce = Buffer.from(nonce);
				this.realm = answer.value("realm").toString();
			}
			if (!anew || tries === 3) {
				return answer;
			}
		}
	}

	async allocate(attrs = [], protocol = 17) {
		const answer = await this.request(METHOD.allocate, [
			[ATTR.requestedTransport, Buffer.from([protocol, 0, 0, 0])],
			...attrs,
		]);
		if (answer.code === 0) {
			this.relay = answer.address("xorRelayed");
			this.lifetime = answer.value("lifetime").readUInt32BE();
			this.ticket = answer.value("mobilityTicket") && Buffer.from(answer.value("mobilityTicket"));
		}
		return answer;
	}

	refresh(seconds) {
		return this.request(METHOD.refresh, [[ATTR.lifetime, u32(seconds)]]);
	}

	/** Takes over the relay of another client by its ticket (RFC 8016). */
	async takeOver(other) {
		const answer = await this.request(METHOD.refresh, [[ATTR.mobilityTicket, other.ticket]]);
		if (answer.code === 0) {
			this.relay = other.relay;
			this.ticket = Buffer.from(answer.value("mobilityTicket"));
		}
		return answer;
	}

	permit(peer) {
		return this.request(METHOD.createPermission, (tid) => [[ATTR.xorPeer, xorAddress(peer, tid)]]);
	}

	bind(channel, peer) {
		return this.request(METHOD.channelBind, (tid) => [
			[ATTR.channelNumber, u32(channel << 16)],
			[ATTR.xorPeer, xorAddress(peer, tid)],
		]);
	}

	connectTo(peer) {
		return this.request(METHOD.connect, (tid) => [[ATTR.xorPeer, xorAddress(peer, tid)]]);
	}

	/** From now on its connection carries bytes of a peer; they may have come with the answer. */
	becomeRaw() {
		this.raw = [this.framer.rest];
		return this;
	}

	hears(text) {
		return this.until(
			() => Buffer.concat(this.raw).toString() === text,
			() => `${text.length} bytes of a peer; there are ${Buffer.concat(this.raw).length}`,
		);
	}

	send(peer, text) {
		const tid = randomBytes(12);
		this.write(
			encode(METHOD.send, "indication", tid, [
				[ATTR.xorPeer, xorAddress(peer, tid)],
				[ATTR.data, Buffer.from(text)],
			]),
		);
	}

	sendChannel(channel, text) {
		const body = Buffer.from(text);
		const head = Buffer.alloc(4);
		head.writeUInt16BE(channel, 0);
		head.writeUInt16BE(body.length, 2);
		const isStream = this.transport === "tcp" || this.transport === "tls";
		const pad = isStream ? (4 - (body.length % 4)) % 4 : 0;
		this.write(Buffer.concat([head, body, Buffer.alloc(pad)]));
	}

	/** Waits for that text from a peer. */
	gets(text) {
		return this.until(
			() => this.received.find((packet) => packet.text === text),
			() => `${text}; there is ${JSON.stringify(this.received.map((packet) => packet.text))}`,
		);
	}

	/** Whether the allocation still lives, asked without effect on it. */
	async lives() {
		return (await this.refresh(600)).code === 0;
	}

	close() {
		if (this.transport === "udp") {
			this.socket.close();
		} else if (this.transport === "dtls") {
			this.socket.stdin.end(); // it says goodbye, and ends
		} else {
			this.socket.destroy();
		}
	}
}

/** A client that has its allocation; closed with the test. */
export async function relayFor(t, server, options, attrs) {
	const client = await turnFor(t, server, options);
	const answer = await client.allocate(attrs);
	assert.equal(answer.code, 0, answer.reason);
	return client;
}

export async function turnFor(t, server, options) {
	const client = await new TurnClient(server, options).open();
	t.after(() => client.close());
	return client;
}

/** A peer that sends back what it gets. */
export async function echoPeer(t, address = "127.0.0.1") {
	const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
	socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
	await new Promise((done) => socket.bind(0, address, done));
	t.after(() => socket.close());
	return { address, port: socket.address().port };
}
