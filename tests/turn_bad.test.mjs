// What STUN and TURN clients may do wrong, on the wire: the answer that the RFCs want (mostly none), a counter, and nobody else
// disturbed.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import {
	ARGS,
	ATTR,
	decode,
	echoPeer,
	encode,
	METHOD,
	relayFor,
	turnFor,
	USER,
	u32,
	xorAddress,
} from "./lib/turn.mjs";
import { poll, within } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

// Without the server's own relays, which would count.
const ALONE = [...ARGS, "--turn.self-check=false"];

function binding(...attrs) {
	const list = attrs.map(([type, value]) => [type, Buffer.from(value)]);
	return encode(METHOD.binding, "request", randomBytes(12), list);
}

/** With the 16 bits at `at` set. */
function set16(bytes, at, value) {
	bytes.writeUInt16BE(value, at);
	return bytes;
}

// No answer, as whoever speaks so speaks no STUN (RFC 8489, 6.3).
const MALFORMED = {
	"ends within the header": binding().subarray(0, 19),
	"has a length that is no multiple of four": set16(binding(), 2, 2),
	"says it is longer than it is": set16(binding([ATTR.username, "ann!"]), 2, 12),
	"says it is shorter than it is": set16(binding([ATTR.username, "ann!"]), 2, 4),
	"has another cookie": set16(binding(), 4, 0x2113),
	"has an attribute that is longer than the message": set16(
		binding([ATTR.username, "ann!"]),
		22,
		5,
	),
	"has an attribute without a length": Buffer.concat([set16(binding(), 2, 4), u32(0x00060008)]),
	"has a wrong fingerprint": binding([0x8028, u32(1)]),
	"has a fingerprint of two bytes": binding([0x8028, Buffer.alloc(2)]),
	"has something after its fingerprint": binding([0x8028, u32(1)], [ATTR.username, "ann!"]),
	"has more attributes than anybody needs": binding(...Array(25).fill([ATTR.username, "ann!"])),
};

/** The next datagram that comes to a client. */
async function answerTo(client, bytes) {
	const answer = once(client.socket, "message");
	client.write(bytes);
	const [message] = await within(answer, "an answer");
	return message;
}

async function socketAt(t, address) {
	const socket = createSocket("udp4");
	t.after(() => socket.close());
	await new Promise((done) => socket.bind(0, address, done));
	return socket;
}

function memory(server) {
	const status = readFileSync(`/proc/${server.process.pid}/status`, "latin1");
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
}

describe("a STUN message that", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ALONE });
	});
	after(() => server.stop());

	for (const [what, bytes] of Object.entries(MALFORMED)) {
		it(`${what} gets no answer`, async (t) => {
			await undisturbed(server, "stun_malformed_total", async () => {
				const ann = await turnFor(t, server, USER);
				let answers = 0;
				ann.socket.on("message", () => answers++);
				ann.write(bytes);
				assert.equal((await ann.exchange(METHOD.binding, [])).code, 0);
				assert.equal(answers, 1);
			});
		});
	}

	it("is no question gets no answer", async (t) => {
		const ann = await relayFor(t, server, USER);
		let answers = 0;
		ann.socket.on("message", () => answers++);
		for (const kind of ["indication", "success", "error"]) {
			for (const method of Object.values(METHOD)) {
				ann.write(encode(method, kind, randomBytes(12), []));
			}
		}
		assert.ok(await ann.lives());
		assert.equal(answers, 1);
	});

	it("asks for something else than it must is told what: 420, 400, 401", async (t) => {
		const ann = await turnFor(t, server, USER);
		const unknown = await ann.exchange(METHOD.binding, [
			[0x7fff, Buffer.alloc(0)],
			[0xffff, Buffer.alloc(0)], // which need not be understood
			[0x0003, u32(6)], // RFC 5780's wish for an answer from elsewhere
		]);
		assert.equal(unknown.code, 420);
		assert.equal(unknown.attrs.get(0x000a)[0].toString("hex"), "7fff0003");
		assert.equal((await ann.exchange(0x0ff, [])).code, 400);
		assert.equal((await ann.allocate()).code, 0);
		const wrong = [
			[METHOD.createPermission, []],
			[METHOD.createPermission, [[ATTR.xorPeer, Buffer.alloc(7)]]],
			[METHOD.createPermission, [[ATTR.xorPeer, Buffer.from([0, 3, 0, 9, 1, 2, 3, 4])]]],
			[METHOD.channelBind, [[ATTR.channelNumber, u32(0x40000000)]]],
			[METHOD.channelBind, [[ATTR.channelNumber, Buffer.alloc(2)]]],
			[METHOD.refresh, [[ATTR.lifetime, Buffer.alloc(2)]]],
			[METHOD.refresh, [[ATTR.requestedFamily, Buffer.alloc(1)]]],
		];
		for (const [method, attrs] of wrong) {
			assert.equal((await ann.request(method, attrs)).code, 400, `${method} ${attrs}`);
		}
		// What follows an integrity is not there (RFC 8489, 14.5): who names himself too late has not.
		const late = [ATTR.username, Buffer.from("ann")];
		const proof = [ATTR.integrity, Buffer.alloc(20)];
		const place = [
			[ATTR.realm, Buffer.from(ann.realm)],
			[ATTR.nonce, ann.nonce],
		];
		assert.equal((await ann.exchange(METHOD.refresh, [...place, proof, late])).code, 400);
		// An integrity that is none, and one of another length.
		assert.equal((await ann.exchange(METHOD.refresh, [late, ...place, proof])).code, 401);
		const short = [ATTR.integrity, Buffer.alloc(16)];
		assert.equal((await ann.exchange(METHOD.refresh, [late, ...place, short])).code, 401);
		assert.ok(await ann.lives());
	});

	it("is said again gets the same, and elsewhere nothing", async (t) => {
		const ann = await turnFor(t, server, USER);
		const said = [];
		const write = ann.write.bind(ann);
		ann.write = (bytes) => {
			said.push(bytes);
			write(bytes);
		};
		assert.equal((await ann.allocate()).code, 0);
		const request = said.at(-1);
		const before = (await metrics(server)).get("turn_allocations");
		const again = decode(await answerTo(ann, request));
		assert.equal(again.kind, "success");
		assert.deepEqual(again.address("xorRelayed"), ann.relay);
		assert.equal((await ann.refresh(0)).code, 0);
		assert.equal((await metrics(server)).get("turn_allocations"), before - 1);
		// A nonce is good at the address that it was made for.
		const socket = await socketAt(t, "127.0.0.2");
		const thief = { socket, write: (bytes) => socket.send(bytes, server.port, "127.0.0.1") };
		for (const bytes of [request, said.at(-1)]) {
			assert.equal(decode(await answerTo(thief, bytes)).code, 438);
		}
		assert.equal((await metrics(server)).get("turn_allocations"), before - 1);
	});
});

describe("data that", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ALONE });
	});
	after(() => server.stop());

	it("belongs to no channel or peer, or lies about its length, is dropped", async (t) => {
		const peer = await echoPeer(t);
		const ann = await relayFor(t, server, USER);
		assert.equal((await ann.bind(0x4001, peer)).code, 0);
		const tid = randomBytes(12);
		const data = [ATTR.data, Buffer.from("x")];
		const bad = [
			Buffer.from([0x40, 0x02, 0, 1, 1]), // never bound
			Buffer.from([0x40, 0x01, 0, 9, 1]), // longer than it is
			Buffer.from([0x40, 0x01, 0]),
			encode(METHOD.send, "indication", tid, [data]),
			encode(METHOD.send, "indication", tid, [[ATTR.xorPeer, xorAddress(peer, tid)]]),
			encode(METHOD.send, "indication", tid, [data, [ATTR.xorPeer, Buffer.alloc(7)]]),
			encode(METHOD.send, "indication", tid, [
				data,
				[ATTR.xorPeer, xorAddress({ address: "127.0.0.2", port: 9 }, tid)],
			]),
		];
		const before = (await metrics(server)).get("turn_dropped_total");
		for (const bytes of bad) {
			ann.write(bytes);
		}
		ann.sendChannel(0x4001, "and on");
		await ann.gets("and on");
		await metricIs(server, "turn_dropped_total", before + bad.length);
		assert.equal(ann.received.length, 1);
	});

	it("goes where nobody can be ends nothing", async (t) => {
		const args = [...ALONE, "--turn.allow-peer", "0.0.0.0/0", "--turn.allow-peer", "::/0"];
		const open = await serverFor(t, { args: [...args, "--turn.relay-address", "127.0.0.1"] });
		const peer = await echoPeer(t);
		const ann = await relayFor(t, open, USER);
		assert.equal((await ann.permit(peer)).code, 0);
		const nowhere = [
			{ address: "240.0.0.1", port: 9 }, // from a loopback address no way leads there
			{ address: "192.0.2.7", port: 9 },
			{ address: "255.255.255.255", port: 9 },
			{ address: "0.0.0.0", port: 9 },
			{ address: "127.0.0.1", port: 0 },
		];
		for (const to of nowhere) {
			await ann.permit(to);
		}
		for (let i = 0; i < 20; i++) {
			for (const to of nowhere) {
				ann.send(to, "anybody?");
			}
			ann.send(peer, `reached ${i}`);
			await ann.gets(`reached ${i}`);
		}
		assert.ok(await ann.lives());
	});

	for (const tls of [false, true]) {
		it(`begins a connection, or comes to more than it may, closes it: by ${tls ? "TLS" : "TCP"}`, async (t) => {
			const open = async () => {
				const raw = await RawSocket.connect(server, { tls });
				t.after(() => raw.close());
				return raw;
			};
			const first = await open();
			first.write(Buffer.from([0x40, 0x01, 0, 4, 1, 2, 3, 4]));
			await first.hungUp(); // taken for HTTP
			for (const bytes of [
				Buffer.from([0x40, 0x01, 0xff, 0xff]), // with what belongs to it over 64 KiB
				set16(binding(), 4, 0x2113),
				set16(binding(), 2, 2),
				set16(binding(), 2, 0xfffc),
				Buffer.from([0x80, 0, 0, 0]),
			]) {
				const before = (await metrics(server)).get("stun_malformed_total");
				const raw = await open();
				raw.write(binding());
				await raw.until(
					() => raw.input.length === 32,
					() => "an answer to what is well formed",
				);
				raw.write(bytes);
				await raw.hungUp();
				assert.equal(raw.input.length, 32);
				assert.equal((await metrics(server)).get("stun_malformed_total"), before + 1);
			}
		});
	}
});

it("DTLS sessions over net.max-connections are not let in until there is room", async (t) => {
	const server = await serverFor(t, { args: [...ALONE, "--net.max-connections=4"] });
	const open = () => turnFor(t, server, { transport: "dtls", ...USER });
	const [first] = [await open(), await open(), await open(), await open()];
	const late = open(); // it knocks again and again
	late.catch(() => {}); // told below
	await metricIs(server, "connections_refused_total", (n) => n > 0);
	assert.equal((await metrics(server)).get("dtls_sessions"), 4);
	first.close();
	assert.equal((await (await late).allocate()).code, 0);
});

/** The first flight of a DTLS client (RFC 6347, 4.2.2), without a cookie. */
function clientHello() {
	const suites = [0x00, 0x04, 0xc0, 0x2b, 0xc0, 0x2f];
	const groups = [0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17];
	const signatures = [0x00, 0x0d, 0x00, 0x06, 0x00, 0x04, 0x04, 0x03, 0x08, 0x04];
	const extensions = [...groups, ...signatures];
	const body = Buffer.concat([
		Buffer.from([0xfe, 0xfd]),
		randomBytes(32),
		Buffer.from([0, 0, ...suites, 1, 0, 0, extensions.length, ...extensions]),
	]);
	const size = [0, 0, body.length];
	const handshake = Buffer.concat([Buffer.from([1, ...size, 0, 0, 0, 0, 0, ...size]), body]);
	const record = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, handshake.length];
	return Buffer.concat([Buffer.from(record), handshake]);
}

describe("a flood of", () => {
	const RATE = 20;
	const allocate = () => {
		const transport = [ATTR.requestedTransport, Buffer.from([17, 0, 0, 0])];
		return encode(METHOD.allocate, "request", randomBytes(12), [transport]);
	};
	const guess = () => {
		const attrs = [
			[ATTR.username, Buffer.from(`9999999999:${randomBytes(8).toString("hex")}`)],
			[ATTR.realm, Buffer.from("parley")],
			[ATTR.nonce, Buffer.from(`obMatJos2AAAD${randomBytes(12).toString("base64")}`)],
		];
		return encode(METHOD.allocate, "request", randomBytes(12), attrs, randomBytes(16));
	};
	for (const [what, make] of Object.entries({
		"binding requests": () => binding(),
		"allocations without a credential": allocate,
		"made-up credentials": guess,
		"DTLS hellos": clientHello,
	})) {
		it(`${what} is answered in part, takes no memory, and leaves the others alone`, async (t) => {
			const args = [...ALONE, "--turn.unproven-rate", String(RATE)];
			const server = await serverFor(t, { workers: 2, args });
			const peer = await echoPeer(t);
			const ann = await relayFor(t, server, USER); // at the same address, but she has shown a password
			assert.equal((await ann.bind(0x4001, peer)).code, 0);
			const sockets = await Promise.all(Array.from({ length: 4 }, () => socketAt(t, "127.0.0.1")));
			let answers = 0;
			for (const socket of sockets) {
				socket.on("message", () => answers++);
			}
			const flood = async (n) => {
				for (let i = 0; i < n; i++) {
					sockets[i % 4].send(make(), server.port, "127.0.0.1");
					if (i % 100 === 99) {
						await new Promise((done) => setImmediate(done));
					}
				}
				const name = `after ${n}`;
				await poll(
					async () => {
						ann.sendChannel(0x4001, name);
						return ann.received.some(({ text }) => text === name);
					},
					() => "a packet to come through the relay",
				);
			};
			const begin = Date.now();
			const before = await metrics(server);
			await flood(1000); // what it needs once
			const held = memory(server);
			await flood(5000);
			const grown = memory(server) - held;
			// The sanitizer holds on to what was freed: 5 MB were seen. Something kept of each would soon be more.
			assert.ok(grown < 16 << 20, `${grown} bytes more`);
			const now = await metrics(server);
			for (const name of ["turn_allocations", "dtls_sessions"]) {
				assert.equal(now.get(name), before.get(name));
			}
			assert.ok(now.get("turn_rate_limited_total") > before.get("turn_rate_limited_total"));
			// A bucket of a second's, and what has dripped into it; each worker has its own.
			const most = 2 * RATE * (2 + (Date.now() - begin) / 1000);
			assert.ok(answers > 0 && answers <= most, `${answers} answers, of at most ${most}`);
		});
	}
});
