// RFC 7692 (permessage-deflate without context takeover), off unless ws.deflate is set.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import zlib from "node:zlib";
import { allQuiet, roomOf } from "./lib/client.mjs";
import { WebSocket } from "./lib/deps.mjs";
import { frame, OP, RawWebSocket } from "./lib/rawws.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { within } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

const RSV1 = 4;

/** A message as RFC 7692, 7.2.1 wants it: the empty block's last four bytes are left off. */
function deflated(bytes) {
	const whole = zlib.deflateRawSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
	return whole.subarray(0, -4);
}

/** What a frame says, compressed or not. */
function said({ rsv, payload }) {
	if (rsv !== RSV1) {
		return payload;
	}
	const whole = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
	return zlib.inflateRawSync(whole, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
}

describe("permessage-deflate", () => {
	let server;
	before(async () => {
		server = await startServer({
			args: ["--ws.deflate=true", "--debug.echo=true", "--limit.messages=0"],
		});
	});
	after(() => server.stop());

	async function openRaw(t, offer = "permessage-deflate", path = "/v1/echo", protocol = undefined) {
		const headers = { "Sec-WebSocket-Extensions": offer };
		const ws = await RawWebSocket.connect(server, path, { headers, protocol });
		t.after(() => ws.close());
		return ws;
	}

	async function openLibrary(t, to = server) {
		const socket = new WebSocket(`${to.ws}/v1/echo`, {
			perMessageDeflate: { threshold: 0, clientNoContextTakeover: true },
		});
		t.after(() => socket.terminate());
		await within(new Promise((resolve) => socket.once("open", resolve)), "the upgrade");
		return socket;
	}

	function echoOf(socket, data) {
		const answer = new Promise((resolve, reject) => {
			socket.once("message", (bytes) => resolve(bytes));
			socket.once("close", (code) => reject(new Error(`closed with ${code}`)));
		});
		socket.send(data);
		return within(answer, "the echo");
	}

	it("is agreed on without context takeover on either side", async (t) => {
		const ws = await openRaw(t);
		const extension = ws.response.headers["sec-websocket-extensions"];
		assert.match(extension, /^permessage-deflate\b/);
		assert.match(extension, /server_no_context_takeover/);
		assert.match(extension, /client_no_context_takeover/);
	});

	it("is not agreed on when it is off, or not offered, or offered with what nobody knows", async (t) => {
		for (const offer of [
			"x-unknown",
			"permessage-deflate; unknown=1",
			"permessage-deflate; server_max_window_bits=7",
			"permessage-deflate; server_max_window_bits=16",
			"permessage-deflate; server_no_context_takeover; server_no_context_takeover",
		]) {
			const ws = await openRaw(t, offer);
			assert.ok(!("sec-websocket-extensions" in ws.response.headers), offer);
		}
		const off = await serverFor(t, { args: ["--debug.echo=true"] });
		const socket = await openLibrary(t, off);
		assert.equal(socket.extensions, "");
		assert.equal((await echoOf(socket, "plain")).toString(), "plain");
		socket.terminate();
	});

	it("falls back to an offer further on", async (t) => {
		const ws = await openRaw(t, "permessage-deflate; unknown=1, permessage-deflate");
		assert.match(ws.response.headers["sec-websocket-extensions"], /^permessage-deflate\b/);
	});

	for (const [what, data] of [
		["nothing", Buffer.alloc(0)],
		["a word", Buffer.from("hello")],
		["100 kB of the same", Buffer.alloc(100_000, "abc")],
		["100 kB of noise", randomBytes(100_000)],
		["4 MiB of zeros", Buffer.alloc(4 << 20)],
	]) {
		it(`carries ${what} there and back`, async (t) => {
			const socket = await openLibrary(t);
			assert.match(socket.extensions, /permessage-deflate/);
			for (let i = 0; i < 3; i++) {
				assert.ok((await echoOf(socket, data)).equals(data));
			}
		});
	}

	it("makes what repeats itself smaller on the wire, each message on its own", async (t) => {
		const ws = await openRaw(t);
		const data = Buffer.from("a sentence that is said again and again. ".repeat(500));
		for (let i = 0; i < 2; i++) {
			ws.send(frame(OP.text, deflated(data), { rsv: RSV1 }));
			const got = await ws.expect(OP.text);
			assert.equal(got.rsv, RSV1);
			assert.ok(got.payload.length < data.length / 10);
			assert.ok(said(got).equals(data));
		}
	});

	it("takes messages that are not compressed, and fragments that are", async (t) => {
		const ws = await openRaw(t);
		ws.send(frame(OP.text, "plain"));
		assert.equal(said(await ws.expect(OP.text)).toString(), "plain");
		const data = Buffer.from("fragments ".repeat(1000));
		const packed = deflated(data);
		ws.send(
			frame(OP.text, packed.subarray(0, 5), { fin: false, rsv: RSV1 }),
			frame(OP.ping, "between"),
			frame(OP.cont, packed.subarray(5, 9), { fin: false }),
			frame(OP.cont, packed.subarray(9)),
		);
		await ws.expect(OP.pong, "between");
		assert.ok(said(await ws.expect(OP.text)).equals(data));
	});

	it("takes a stream that ends in a final block", async (t) => {
		const ws = await openRaw(t);
		const data = Buffer.from("final ".repeat(100));
		// RFC 7692, 7.2.3.4: behind a final block comes the head of an empty one.
		const final = Buffer.concat([zlib.deflateRawSync(data), Buffer.from([0])]);
		ws.send(frame(OP.text, final, { rsv: RSV1 }));
		assert.ok(said(await ws.expect(OP.text)).equals(data));
	});

	for (const [what, make, codes] of [
		[
			"bytes that are no deflate",
			() => [frame(OP.text, "\xff\xff\xff", { rsv: RSV1 })],
			[1002, 1007],
		],
		[
			"RSV1 on a continuation",
			() => [
				frame(OP.text, deflated("ab"), { rsv: RSV1, fin: false }),
				frame(OP.cont, "x", { rsv: RSV1 }),
			],
			[1002],
		],
		["RSV1 on a ping", () => [frame(OP.ping, "x", { rsv: RSV1 })], [1002]],
		[
			"text that is not UTF-8 inside",
			() => [frame(OP.text, deflated(Buffer.from([0x61, 0xff])), { rsv: RSV1 })],
			[1007],
		],
	]) {
		it(`closes for ${what}`, async (t) => {
			await undisturbed(server, "websocket_violations_total", async () => {
				const ws = await openRaw(t);
				ws.send(...make());
				const { code } = await ws.closed();
				assert.ok(codes.includes(code), `${code}`);
			});
		});
	}

	it("closes with 1009 for a small message that grows over the limit", async (t) => {
		await undisturbed(server, "websocket_violations_total", async () => {
			const ws = await openRaw(t, "permessage-deflate", "/v1/connect", "parley.v1");
			await ws.frame();
			const bomb = deflated(Buffer.alloc(64 << 20));
			assert.ok(bomb.length < 262144);
			ws.send(frame(OP.text, bomb, { rsv: RSV1 }));
			assert.equal((await ws.closed()).code, 1009);
		});
	});

	it("may differ from member to member of a room", async (t) => {
		const deflate = { connection: { perMessageDeflate: { threshold: 0 } } };
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"], deflate);
		assert.match(ann.socket.extensions, /permessage-deflate/);
		const [cem] = await roomOf(t, server, ["Cem"], { room: ann.joinData.room });
		await ann.next("joined");
		await bob.next("joined");
		const data = "the same again ".repeat(1000);
		for (const sender of [ann, cem]) {
			await sender.do({ type: "signal", data });
			for (const other of [ann, bob, cem].filter((member) => member !== sender)) {
				await other.next("signal", { from: sender.id, data });
			}
		}
		await allQuiet([ann, bob, cem], ann.joinData.room);
	});
});
