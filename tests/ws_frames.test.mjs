// RFC 6455 on the wire, against the echo: the cases that conformance suites ask for, and the
// handshake in front of them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { get } from "./lib/http.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { acceptKey, closeFrame, frame, OP, RawWebSocket, upgradeRequest } from "./lib/rawws.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { undisturbed } from "./lib/witness.mjs";

const { cont, text, binary, close, ping, pong } = OP;
const more = { fin: false };
const FOX = "κόσμε 🦊";
const bytes = (...list) => Buffer.from(list);
const big = (n, fill = "x") => Buffer.alloc(n, fill);

// What is sent, and what must come back; a closing code at the end where one is due.
const GOOD = {
	"empty text": [[frame(text)], [[text, ""]]],
	"empty binary": [[frame(binary)], [[binary, ""]]],
	"text of 125": [[frame(text, big(125))], [[text, big(125)]]],
	"text of 126": [[frame(text, big(126))], [[text, big(126)]]],
	"text of 127": [[frame(text, big(127))], [[text, big(127)]]],
	"text of 65535": [[frame(text, big(65535))], [[text, big(65535)]]],
	"text of 65536": [[frame(text, big(65536))], [[text, big(65536)]]],
	"binary of every byte": [
		[frame(binary, Buffer.from(Array.from({ length: 256 }, (_, i) => i)))],
		[[binary, Buffer.from(Array.from({ length: 256 }, (_, i) => i))]],
	],
	"binary of 1 MiB": [[frame(binary, big(1 << 20, 0xff))], [[binary, big(1 << 20, 0xff)]]],
	"two messages in one packet": [
		[frame(text, "a"), frame(binary, "b")],
		[
			[text, "a"],
			[binary, "b"],
		],
	],
	"ping without payload": [[frame(ping)], [[pong, ""]]],
	"ping of 125 binary bytes": [[frame(ping, big(125, 0xfe))], [[pong, big(125, 0xfe)]]],
	"ten pings": [
		Array.from({ length: 10 }, (_, i) => frame(ping, `p${i}`)),
		Array.from({ length: 10 }, (_, i) => [pong, `p${i}`]),
	],
	"a pong nobody asked for": [[frame(pong, "unasked"), frame(ping, "p")], [[pong, "p"]]],
	"two fragments": [[frame(text, "fr", more), frame(cont, "ag")], [[text, "frag"]]],
	"fragments that are empty": [
		[frame(text, "", more), frame(cont, "", more), frame(cont, "mid", more), frame(cont, "")],
		[[text, "mid"]],
	],
	"only empty fragments": [[frame(binary, "", more), frame(cont, "")], [[binary, ""]]],
	"a ping between fragments": [
		[frame(text, "a", more), frame(ping, "p"), frame(cont, "b")],
		[
			[pong, "p"],
			[text, "ab"],
		],
	],
	"many pings between fragments": [
		[
			frame(text, "1", more),
			frame(ping, "a"),
			frame(cont, "2", more),
			frame(ping, "b"),
			frame(cont, "3", more),
			frame(pong, "c"),
			frame(cont, "4"),
			frame(ping, "d"),
		],
		[
			[pong, "a"],
			[pong, "b"],
			[text, "1234"],
			[pong, "d"],
		],
	],
	"a message after a fragmented one": [
		[frame(text, "a", more), frame(cont, "b"), frame(text, "c")],
		[
			[text, "ab"],
			[text, "c"],
		],
	],
	"a character cut by fragments": [
		[
			frame(text, Buffer.from(FOX).subarray(0, 13), more),
			frame(cont, Buffer.from(FOX).subarray(13)),
		],
		[[text, FOX]],
	],
	"a ping within a character": [
		[frame(text, bytes(0xf0, 0x9f), more), frame(ping, "p"), frame(cont, bytes(0xa6, 0x8a))],
		[
			[pong, "p"],
			[text, "🦊"],
		],
	],
	"the ends of UTF-8's ranges": [
		[frame(text, "\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\u{10000}\u{10ffff}")],
		[[text, "\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\u{10000}\u{10ffff}"]],
	],
	"NUL and noncharacters": [[frame(text, "\0\ufdd0\ufffe")], [[text, "\0\ufdd0\ufffe"]]],
	"binary that is not UTF-8": [[frame(binary, bytes(0xff, 0xfe))], [[binary, bytes(0xff, 0xfe)]]],
};

const split = (buffer) =>
	[...buffer].map((byte, i, all) =>
		frame(i ? cont : text, bytes(byte), { fin: i === all.length - 1 }),
	);

const BAD = {
	"a frame without mask": [[frame(text, "x", { masked: false })], 1002],
	"a ping without mask": [[frame(ping, "x", { masked: false })], 1002],
	"RSV1 without extension": [[frame(text, "x", { rsv: 4 })], 1002],
	RSV2: [[frame(text, "x", { rsv: 2 })], 1002],
	RSV3: [[frame(binary, "x", { rsv: 1 })], 1002],
	"all RSV bits on a ping": [[frame(ping, "x", { rsv: 7 })], 1002],
	"RSV on a close": [[closeFrame(1000, "", { rsv: 1 })], 1002],
	"length in 16 bits that fits in 7": [[frame(text, "x", { lengthBytes: 2 })], 1002],
	"length in 64 bits that fits in 7": [[frame(text, "x", { lengthBytes: 8 })], 1002],
	"length in 64 bits that fits in 16": [[frame(text, big(200), { lengthBytes: 8 })], 1002],
	"a ping of 126": [[frame(ping, big(126))], 1002],
	"a pong of 126": [[frame(pong, big(126))], 1002],
	"a close of 126": [[closeFrame(1000, "x".repeat(124))], 1002],
	"a ping in fragments": [[frame(ping, "x", more)], 1002],
	"a close in fragments": [[closeFrame(1000, "", more)], 1002],
	"a continuation of nothing": [[frame(cont, "x")], 1002],
	"an unfinished continuation of nothing": [[frame(cont, "x", more)], 1002],
	"a continuation after the end": [
		[frame(text, "a", more), frame(cont, "b"), frame(cont, "c")],
		1002,
	],
	"text within fragments": [[frame(text, "a", more), frame(text, "b")], 1002],
	"binary within fragments": [[frame(text, "a", more), frame(binary, "b")], 1002],
	"a close of one byte": [[frame(close, "x")], 1002],
	"a close reason that is not UTF-8": [[frame(close, bytes(0x03, 0xe8, 0xff))], 1007],
	"a length with the top bit": [
		[bytes(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4)],
		[1002, 1009],
	],
	"a length of 2^62": [[bytes(0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4)], 1009],
	"text of 16 MiB and one byte": [[frame(text, "", { claim: (16 << 20) + 1 })], 1009],
	"a second fragment that is too much": [
		[frame(binary, big(1 << 20), more), frame(cont, "", { claim: 16 << 20 })],
		1009,
	],
	"UTF-8 that ends within a character": [[frame(text, bytes(0xce, 0xba, 0xe1, 0xbd))], 1007],
	"UTF-8 with a lone continuation byte": [[frame(text, bytes(0x61, 0x80))], 1007],
	"UTF-8 in too long a form": [[frame(text, bytes(0xc0, 0xaf))], 1007],
	"UTF-8 in too long a form of three": [[frame(text, bytes(0xe0, 0x9f, 0xbf))], 1007],
	"UTF-8 in too long a form of four": [[frame(text, bytes(0xf0, 0x8f, 0xbf, 0xbf))], 1007],
	"a surrogate": [[frame(text, bytes(0xed, 0xa0, 0x80))], 1007],
	"a code point past U+10FFFF": [[frame(text, bytes(0xf4, 0x90, 0x80, 0x80))], 1007],
	"UTF-8 of five bytes": [[frame(text, bytes(0xf8, 0x88, 0x80, 0x80, 0x80))], 1007],
	"bytes that UTF-8 never has": [[frame(text, bytes(0xfe))], 1007],
	"bad UTF-8 over fragments": [split(bytes(0xf4, 0x90, 0x80, 0x80)), 1007],
	"bad UTF-8 before the last fragment": [[frame(text, bytes(0xff), more)], 1007],
	"bad UTF-8 before the frame's end": [[frame(text, bytes(0xce, 0xff), { claim: 100 })], 1007],
};
for (const op of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
	BAD[`opcode ${op}`] = [[frame(op, "x")], 1002];
}

// RFC 6455, 7.4: codes a peer may send, and codes that must not be on the wire.
const CODES_GOOD = [
	1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];
const CODES_BAD = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];

describe("the echo", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--debug.echo=true"] });
	});
	after(() => server.stop());

	async function open(t, options) {
		const ws = await RawWebSocket.connect(server, "/v1/echo", options);
		t.after(() => ws.close());
		return ws;
	}

	/** The answer to a close: the same frame, then the end of the connection. */
	async function closes(ws, code = 1000, reason = "") {
		ws.send(closeFrame(code, reason));
		const answer = await ws.closed();
		await ws.hungUp();
		return answer;
	}

	async function exchange(ws, sent, back) {
		ws.send(...sent);
		for (const [op, payload] of back) {
			const got = await ws.expect(op, payload);
			assert.ok(got.fin && got.rsv === 0);
		}
		assert.equal((await closes(ws)).code, 1000);
	}

	for (const [what, [sent, back]] of Object.entries(GOOD)) {
		it(`gives back ${what}`, async (t) => {
			await exchange(await open(t), sent, back);
		});
		const size = sent.reduce((sum, part) => sum + part.length, 0);
		if (size < 600) {
			it(`gives back ${what}, come in single bytes`, async (t) => {
				const ws = await open(t);
				ws.raw.socket.setNoDelay(true);
				for (const byte of Buffer.concat(sent)) {
					ws.send(bytes(byte));
					await new Promise((resolve) => setImmediate(resolve));
				}
				await exchange(ws, [], back);
			});
		}
	}

	for (const [what, [sent, codes]] of Object.entries(BAD)) {
		it(`closes with ${codes} for ${what}`, async (t) => {
			await undisturbed(server, "websocket_violations_total", async () => {
				const ws = await open(t);
				ws.send(...sent);
				const { code } = await ws.closed();
				assert.ok([codes].flat().includes(code), `${code}`);
				await ws.hungUp();
			});
		});
	}

	it("still answers what came before the mistake", async (t) => {
		const ws = await open(t);
		ws.send(
			frame(text, "good"),
			frame(ping, "p"),
			frame(text, "bad", { rsv: 1 }),
			frame(text, "x"),
		);
		await ws.expect(text, "good");
		await ws.expect(pong, "p");
		assert.equal((await ws.closed()).code, 1002);
	});

	for (const code of CODES_GOOD) {
		it(`answers close ${code} with the same`, async (t) => {
			const ws = await open(t);
			assert.equal((await closes(ws, code, "a reason 🦊")).code, code);
		});
	}

	for (const code of CODES_BAD) {
		it(`answers close ${code} with 1002`, async (t) => {
			await undisturbed(server, "websocket_violations_total", async () => {
				const ws = await open(t);
				assert.equal((await closes(ws, code)).code, 1002);
			});
		});
	}

	it("answers an empty close with an empty one", async (t) => {
		const ws = await open(t);
		ws.send(frame(close));
		const got = await ws.expect(close);
		assert.ok(got.payload.length === 0 || got.payload.readUInt16BE(0) === 1000);
		await ws.hungUp();
	});

	it("hears nothing after the close", async (t) => {
		const ws = await open(t);
		ws.send(closeFrame(1000), frame(text, "late"), frame(ping, "late"));
		await ws.expect(close);
		await ws.hungUp();
		assert.equal(await ws.frame(), null);
	});

	it("takes a close of the longest reason", async (t) => {
		const ws = await open(t);
		assert.equal((await closes(ws, 1000, "x".repeat(123))).code, 1000);
	});

	it("closes for a connection that ends within a frame, without harm", async (t) => {
		await undisturbed(server, "connects_total", async () => {
			const ws = await open(t);
			ws.send(frame(text, "x", { claim: 1000 }));
			ws.raw.socket.end();
			await ws.hungUp();
		});
	});

	for (const [what, cut] of [
		["one frame", 16 << 20],
		["fragments of 64 KiB", 65536],
	]) {
		it(`gives back 16 MiB in ${what}`, async (t) => {
			const size = 16 << 20;
			const ws = await open(t);
			const payload = big(size, "0123456789abcdef");
			for (let at = 0; at < size; at += cut) {
				const last = at + cut >= size;
				ws.send(frame(at ? cont : binary, payload.subarray(at, at + cut), { fin: last }));
			}
			const parts = [];
			let got;
			do {
				got = await ws.frame();
				parts.push(got.payload);
			} while (!got.fin);
			assert.ok(Buffer.concat(parts).equals(payload));
		});
	}
});

describe("the WebSocket handshake", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--debug.echo=true"] });
	});
	after(() => server.stop());

	async function ask(t, path, headers) {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(upgradeRequest(path, headers));
		return raw.response();
	}

	const NATIVE = { "Sec-WebSocket-Protocol": "parley.v1" };

	it("is answered with the right key and protocol", async (t) => {
		for (const offer of ["parley.v1", "chat, parley.v1", "parley.v1,x"]) {
			const answer = await ask(t, "/v1/connect", { "Sec-WebSocket-Protocol": offer });
			assert.equal(answer.status, 101);
			assert.equal(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
			assert.equal(answer.headers["sec-websocket-protocol"], "parley.v1");
			assert.equal(answer.headers.upgrade.toLowerCase(), "websocket");
			assert.ok(!("sec-websocket-extensions" in answer.headers));
		}
		assert.equal(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	});

	it("takes tokens in any case, and lists", async (t) => {
		const headers = { ...NATIVE, Upgrade: "WebSocket", Connection: "keep-alive, UPGRADE" };
		assert.equal((await ask(t, "/v1/connect", headers)).status, 101);
	});

	for (const [what, path, headers, status] of [
		["no subprotocol", "/v1/connect", {}, 400],
		["another subprotocol", "/v1/connect", { "Sec-WebSocket-Protocol": "parley.v2" }, 400],
		["no key", "/v1/echo", { "Sec-WebSocket-Key": null }, 400],
		["an empty key", "/v1/echo", { "Sec-WebSocket-Key": "" }, 400],
		["a short key", "/v1/echo", { "Sec-WebSocket-Key": "c2hvcnQ=" }, 400],
		["a key that is no base64", "/v1/echo", { "Sec-WebSocket-Key": "!".repeat(24) }, 400],
		["no version", "/v1/echo", { "Sec-WebSocket-Version": null }, [400, 426]],
		["version 8", "/v1/echo", { "Sec-WebSocket-Version": "8" }, 426],
		["no Connection", "/v1/echo", { Connection: null }, [400, 426]],
		["no Upgrade", "/v1/echo", { Upgrade: null }, 426],
		["another Upgrade", "/v1/echo", { Upgrade: "h2c" }, 426],
		["a path that is none", "/v1/nothing", {}, 404],
		["a hint that is no UTF-8", "/v1/connect?room=%ff", NATIVE, [101, 400]],
	]) {
		it(`is refused for ${what}`, async (t) => {
			await undisturbed(server, "http_requests_total", async () => {
				const answer = await ask(t, path, headers);
				assert.ok([status].flat().includes(answer.status), `${answer.status}`);
				if (answer.status === 426 && headers["Sec-WebSocket-Version"] !== undefined) {
					assert.equal(answer.headers["sec-websocket-version"], "13");
				}
			});
		});
	}

	it("is refused for POST with 405, in HTTP/1.0 with an error", async (t) => {
		for (const [change, status] of [
			[(head) => head.replace("GET", "POST"), [405]],
			[(head) => head.replace("HTTP/1.1", "HTTP/1.0"), [400, 426, 505]],
		]) {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(change(upgradeRequest("/v1/echo")));
			const answer = await raw.response();
			assert.ok(status.includes(answer.status), `${answer.status}`);
		}
	});

	it("lets frames follow it in the same packet", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		const head = Buffer.from(upgradeRequest("/v1/echo"));
		raw.write(Buffer.concat([head, frame(text, "at once")]));
		const ws = new RawWebSocket(raw, await raw.response());
		await ws.expect(text, "at once");
	});

	it("is not there for the echo unless debug.echo is set", async (t) => {
		const plain = await serverFor(t);
		assert.equal((await get(plain, "/v1/echo")).status, 404);
	});

	it("does not answer a plain GET with anything but 426", async () => {
		const answer = await get(server, "/v1/connect");
		assert.equal(answer.status, 426);
		assert.equal(answer.headers.upgrade, "websocket");
	});
});
