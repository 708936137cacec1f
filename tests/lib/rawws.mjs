// A WebSocket client made by hand (RFC 6455), which can break every rule that there is.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { RawSocket } from "./rawhttp.mjs";

export const OP = { cont: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** Bytes of a frame. lengthBytes: 0, 2 or 8 to say the length in a longer form than needed. */
export function frame(op, payload = "", options = {}) {
	const { fin = true, rsv = 0, masked = true, lengthBytes, claim } = options;
	const body = Buffer.from(payload);
	const n = claim ?? body.length;
	const size = lengthBytes ?? (n < 126 ? 0 : n < 65536 ? 2 : 8);
	const mark = size === 0 ? n : size === 2 ? 126 : 127;
	const head = Buffer.alloc(2 + size);
	head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op;
	head[1] = (masked ? 0x80 : 0) | mark;
	if (size === 2) {
		head.writeUInt16BE(n, 2);
	} else if (size === 8) {
		head.writeBigUInt64BE(BigInt(n), 2);
	}
	if (!masked) {
		return Buffer.concat([head, body]);
	}
	const mask = randomBytes(4);
	const hidden = Buffer.alloc(body.length);
	for (let i = 0; i < body.length; i++) {
		hidden[i] = body[i] ^ mask[i & 3];
	}
	return Buffer.concat([head, mask, hidden]);
}

export function closeFrame(code, reason = "", options) {
	const body = Buffer.alloc(2 + Buffer.byteLength(reason));
	body.writeUInt16BE(code, 0);
	body.write(reason, 2);
	return frame(OP.close, body, options);
}

/** The frame at the front of bytes, or null. The server must not mask. */
function parseFrame(bytes) {
	if (bytes.length < 2) {
		return null;
	}
	assert.equal(bytes[1] & 0x80, 0, "the server's frames are not masked");
	const mark = bytes[1] & 0x7f;
	const start = mark < 126 ? 2 : mark === 126 ? 4 : 10;
	if (bytes.length < start) {
		return null;
	}
	let n = mark;
	if (mark === 126) {
		n = bytes.readUInt16BE(2);
	} else if (mark === 127) {
		n = Number(bytes.readBigUInt64BE(2));
	}
	if (bytes.length < start + n) {
		return null;
	}
	return {
		fin: (bytes[0] & 0x80) !== 0,
		rsv: (bytes[0] >> 4) & 7,
		op: bytes[0] & 0x0f,
		payload: bytes.subarray(start, start + n),
		size: start + n,
	};
}

export function upgradeRequest(path, headers = {}) {
	const all = {
		Host: "localhost",
		Upgrade: "websocket",
		Connection: "Upgrade",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Version": "13",
		...headers,
	};
	const lines = Object.entries(all).filter(([, value]) => value !== null);
	const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
	return `GET ${path} HTTP/1.1\r\n${text}\r\n`;
}

export function acceptKey(key) {
	const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
	return createHash("sha1").update(text).digest("base64");
}

export class RawWebSocket {
	constructor(raw, response) {
		this.raw = raw;
		this.response = response;
	}

	/** protocol: the subprotocol to offer; extra header fields in `headers`. */
	static async connect(server, path, { protocol, headers = {}, ...options } = {}) {
		const raw = await RawSocket.connect(server, options);
		const offer = protocol ? { "Sec-WebSocket-Protocol": protocol } : {};
		raw.write(upgradeRequest(path, { ...offer, ...headers }));
		const response = await raw.response();
		assert.equal(response.status, 101, response.body.toString());
		return new RawWebSocket(raw, response);
	}

	/** Sends bytes or frames as they are. */
	send(...parts) {
		this.raw.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
		return this;
	}

	json(message) {
		return this.send(frame(OP.text, JSON.stringify(message)));
	}

	/** The next frame, whatever it is; null when the connection ended instead. */
	async frame() {
		const { raw } = this;
		const found = await raw.until(
			() => parseFrame(raw.input) ?? (raw.ended && { ended: true }),
			() => `a frame; ${raw.input.length} bytes so far`,
		);
		if (found.ended) {
			return null;
		}
		raw.take(found.size);
		return found;
	}

	/** The next frame of this opcode; others in front of it are a mistake. */
	async expect(op, payload) {
		const got = await this.frame();
		assert.ok(got, "the connection ended instead");
		assert.equal(got.op, op, `opcode of ${got.payload.toString().slice(0, 200)}`);
		if (payload !== undefined) {
			assert.deepEqual(got.payload, Buffer.from(payload));
		}
		return got;
	}

	/** Frames up to the close frame are passed over; then its code, and the server hangs up. */
	async closed() {
		for (;;) {
			const got = await this.frame();
			assert.ok(got, "the connection ended without a close frame");
			if (got.op !== OP.close) {
				continue;
			}
			const code = got.payload.length >= 2 ? got.payload.readUInt16BE(0) : 1005;
			return { code, reason: got.payload.subarray(2).toString() };
		}
	}

	async hungUp() {
		await this.raw.hungUp();
	}

	close() {
		this.raw.close();
	}
}
