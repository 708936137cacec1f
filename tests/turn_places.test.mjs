// Where the TURN server listens, which address its relays have, and IPv6.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { describe, it } from "node:test";
import { iceCredential } from "./lib/ice.mjs";
import { metrics, perWorker } from "./lib/metrics.mjs";
import { freePort, freshDir, runParley, serverFor } from "./lib/server.mjs";
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

const HASTY = [...ARGS, "--server.drain=100ms"]; // clients are still there when it stops
const V6 = ["--turn.allow-peer", "::1/128", "--turn.relay-address", "::1"];
const BOTH = [...V6, "--turn.relay-address", "127.0.0.1"];

/** What a STUN server beyond a NAT sees: somebody at `address`. */
async function stunBeyondNat(t, address) {
	const socket = createSocket("udp4");
	socket.on("message", (bytes, from) => {
		const { tid } = decode(bytes);
		const mapped = [ATTR.xorMapped, xorAddress({ address, port: from.port }, tid)];
		socket.send(encode(METHOD.binding, "success", tid, [mapped]), from.port, from.address);
	});
	await new Promise((done) => socket.bind(0, "127.0.0.1", done));
	t.after(() => socket.close());
	return `127.0.0.1:${socket.address().port}`;
}

describe("--turn.discover", () => {
	it("finds the public address by a STUN server, and relays have it", async (t) => {
		const place = await stunBeyondNat(t, "198.51.100.7");
		const server = await serverFor(t, { args: [...HASTY, "--turn.discover", place] });
		await server.logged(/turn +discovered address=198\.51\.100\.7/);
		const ann = await relayFor(t, server, USER);
		assert.equal(ann.relay.address, "198.51.100.7");
		// Bound it is to the local one, as behind a NAT that maps it.
		const peer = await echoPeer(t);
		assert.equal((await ann.permit(peer)).code, 0);
		ann.send(peer, "through the NAT");
		await ann.gets("through the NAT");
		// And relays reach each other by the public one.
		const ben = await relayFor(t, server, USER);
		assert.equal((await ann.permit(ben.relay)).code, 0);
		assert.equal((await ben.permit(ann.relay)).code, 0);
		ann.send(ben.relay, "by the public address");
		assert.deepEqual((await ben.gets("by the public address")).from, ann.relay);
	});

	it("takes another Parley for it", async (t) => {
		const other = await serverFor(t);
		const args = [...HASTY, "--turn.discover", `127.0.0.1:${other.port}`];
		const server = await serverFor(t, { args });
		await server.logged(/turn +discovered address=127\.0\.0\.1/);
		assert.equal((await metrics(other)).get("stun_bindings_total"), 1);
		assert.equal((await relayFor(t, server, USER)).relay.address, "127.0.0.1");
	});

	it("that finds nothing is told, and the server does with what it has", async (t) => {
		const args = [...HASTY, "--turn.discover", `127.0.0.1:${await freePort()}`];
		const server = await serverFor(t, { args });
		await server.logged(/turn +not-discovered server=127\.0\.0\.1:\d+/);
		assert.equal((await relayFor(t, server, USER)).relay.address, "127.0.0.1");
	});
});

describe("--turn.relay-address", () => {
	it("with a local address of another machine is told, and the server does without", async (t) => {
		const pair = "198.51.100.7/198.51.100.8";
		const server = await serverFor(t, { args: [...HASTY, "--turn.relay-address", pair] });
		await server.logged(/turn +not-here relay-address=198\.51\.100\.7\/198\.51\.100\.8 /);
		const ann = await relayFor(t, server, USER);
		assert.equal(ann.relay.address, "198.51.100.7");
		const peer = await echoPeer(t);
		assert.equal((await ann.permit(peer)).code, 0);
		ann.send(peer, "all the same");
		await ann.gets("all the same");
	});

	for (const [second, family] of [
		["198.51.100.8", 4],
		["127.0.0.1", 4],
		["2001:db8::2/::1", 6],
	]) {
		it(`is one of each family: ${second} as another one keeps the server from starting`, async () => {
			const places = ["127.0.0.1", "::1", second].flatMap((at) => ["--turn.relay-address", at]);
			const args = ["--listen=127.0.0.1:0", `--data-dir=${freshDir()}`, ...places];
			const { code, stderr } = await runParley(args);
			assert.equal(code, 1);
			assert.ok(
				stderr.includes(`${second} is a second IPv${family} address; relays have one of`),
				stderr,
			);
		});
	}
});

describe("--turn.listen and --turn.tls-listen", () => {
	it("take UDP, TCP and TLS, and clients are told of the first for UDP", async (t) => {
		const [plain, secure] = [await freePort(), await freePort()];
		const args = [
			...HASTY,
			...["--turn.listen", `127.0.0.1:${plain}`],
			...["--turn.tls-listen", `127.0.0.1:${secure}`],
		];
		const server = await serverFor(t, { workers: 2, args });
		const peer = await echoPeer(t);
		for (const port of [plain, secure, server.port]) {
			for (const transport of ["udp", "tcp", "tls"]) {
				const ann = await relayFor(t, server, { transport, port, ...USER });
				assert.equal((await ann.permit(peer)).code, 0);
				ann.send(peer, `${port} by ${transport}`);
				await ann.gets(`${port} by ${transport}`);
			}
		}
		const { urls } = await iceCredential(server);
		assert.deepEqual(urls, [
			`turn:127.0.0.1:${plain}?transport=udp`,
			`turn:127.0.0.1:${server.port}?transport=udp`,
			`turn:127.0.0.1:${server.port}?transport=tcp`, // a firewall lets this one pass at best
		]);
	});

	it("speak nothing but STUN and TURN", async (t) => {
		const port = await freePort();
		const server = await serverFor(t, { args: ["--turn.listen", `127.0.0.1:${port}`] });
		const signal = AbortSignal.timeout(30_000);
		await assert.rejects(fetch(`http://127.0.0.1:${port}/livez`, { signal }), TypeError); // at once
		assert.equal((await fetch(`${server.http}/livez`)).status, 200);
	});
});

describe("an even port", () => {
	it("is had with the next one, which another socket takes by its token, on whichever worker", async (t) => {
		const server = await serverFor(t, { workers: 2, args: HASTY });
		const peer = await echoPeer(t);
		let n = 0;
		do {
			const rtp = await turnFor(t, server, USER);
			const answer = await rtp.allocate([[ATTR.evenPort, Buffer.from([0x80])]]);
			assert.equal(answer.code, 0, answer.reason);
			assert.equal(rtp.relay.port % 2, 0);
			const token = [ATTR.reservationToken, answer.value("reservationToken")];
			const rtcp = await turnFor(t, server, USER);
			assert.equal((await rtcp.allocate([token])).code, 0);
			assert.equal(rtcp.relay.port, rtp.relay.port + 1);
			assert.equal((await (await turnFor(t, server, USER)).allocate([token])).code, 508);
			for (const client of [rtp, rtcp]) {
				assert.equal((await client.permit(peer)).code, 0);
				client.send(peer, `packet ${++n}`);
				await client.gets(`packet ${n}`);
			}
		} while ((await perWorker(server, "turn_allocations")).some((count) => count === 0));
		const odd = await turnFor(t, server, USER);
		const wish = [ATTR.evenPort, Buffer.from([0])];
		assert.equal((await odd.allocate([wish, [ATTR.reservationToken, Buffer.alloc(8)]])).code, 400);
		assert.equal((await odd.allocate([wish])).code, 0);
		assert.equal(odd.relay.port % 2, 0);
	});
});

describe("IPv6", () => {
	const six = (n) => [[ATTR[n], Buffer.from([2, 0, 0, 0])]];

	it("is relayed by UDP, TCP and TLS, from clients of either family", async (t) => {
		const servers = [
			await serverFor(t, { workers: 2, args: [...HASTY, ...BOTH] }),
			await serverFor(t, { workers: 2, args: [...HASTY, ...BOTH], listen: "[::1]:0" }),
		];
		const peer = await echoPeer(t, "::1");
		for (const [i, host] of ["127.0.0.1", "::1"].entries()) {
			for (const transport of ["udp", "tcp", "tls"]) {
				const ann = await relayFor(
					t,
					servers[i],
					{ transport, host, ...USER },
					six("requestedFamily"),
				);
				assert.equal(ann.relay.address, "::1");
				assert.equal((await ann.permit(peer)).code, 0);
				ann.send(peer, "by indication");
				assert.deepEqual((await ann.gets("by indication")).from, peer);
				assert.equal((await ann.bind(0x4001, peer)).code, 0);
				ann.sendChannel(0x4001, "by channel");
				assert.equal((await ann.gets("by channel")).channel, 0x4001);
				const v4 = await ann.permit({ address: "127.0.0.1", port: 9 });
				assert.equal(v4.code, 443);
			}
		}
	});

	it("is had beside IPv4 in one allocation", async (t) => {
		const server = await serverFor(t, { workers: 2, args: [...HASTY, ...BOTH] });
		const ann = await turnFor(t, server, USER);
		const answer = await ann.allocate(six("additionalFamily"));
		assert.equal(answer.code, 0, answer.reason);
		const relays = answer.addresses("xorRelayed");
		assert.deepEqual(
			relays.map(({ address }) => address),
			["127.0.0.1", "::1"],
		);
		for (const address of ["127.0.0.1", "::1"]) {
			const peer = await echoPeer(t, address);
			assert.equal((await ann.permit(peer)).code, 0);
			ann.send(peer, `to ${address}`);
			assert.deepEqual((await ann.gets(`to ${address}`)).from, peer);
		}
		// By either address, from another relay: in memory, across workers.
		const clients = [];
		for (let i = 0; i < 4; i++) {
			const ben = await turnFor(t, server, USER);
			const given = await ben.allocate(six("additionalFamily"));
			clients.push({ ben, relays: given.addresses("xorRelayed") });
		}
		for (const [i, client] of clients.entries()) {
			for (const [row, relay] of client.relays.entries()) {
				assert.equal((await client.ben.permit(relays[row])).code, 0);
				assert.equal((await ann.permit(relay)).code, 0);
				ann.send(relay, `${i} ${row}`);
				assert.deepEqual((await client.ben.gets(`${i} ${row}`)).from, relays[row]);
			}
		}
		// Each is released by itself.
		const only = (bytes) => ann.request(METHOD.refresh, [[ATTR.lifetime, u32(0)], bytes]);
		assert.equal((await only(...six("requestedFamily"))).code, 0);
		const gone = await echoPeer(t, "::1");
		assert.equal((await ann.permit(gone)).code, 443);
		const peer = await echoPeer(t);
		assert.equal((await ann.permit(peer)).code, 0);
		ann.send(peer, "by what is left");
		await ann.gets("by what is left");
		assert.equal((await ann.refresh(0)).code, 0);
	});

	it("that is not there is said so beside the IPv4 that is", async (t) => {
		const server = await serverFor(t, { args: HASTY });
		const ann = await turnFor(t, server, USER);
		const answer = await ann.allocate(six("additionalFamily"));
		assert.equal(answer.code, 0);
		assert.equal(answer.addresses("xorRelayed").length, 1);
		assert.equal(answer.value("addressError").toString("hex"), "02000428"); // IPv6: 440
		const ben = await turnFor(t, server, USER);
		assert.equal((await ben.allocate(six("requestedFamily"))).code, 440);
	});
});

describe("two workers", () => {
	it("answer STUN and relay, whichever the kernel picks", async (t) => {
		const server = await serverFor(t, { workers: 2, args: HASTY });
		const peer = await echoPeer(t);
		let n = 0;
		do {
			const ann = await relayFor(t, server, USER);
			const answer = await ann.exchange(METHOD.binding, []);
			assert.equal(answer.address("xorMapped").port, ann.localPort);
			assert.equal((await ann.permit(peer)).code, 0);
			ann.send(peer, `packet ${++n}`);
			await ann.gets(`packet ${n}`);
		} while ((await perWorker(server, "turn_allocations")).some((count) => count === 0));
		const up = await perWorker(server, "turn_relayed_to_peers_total");
		assert.ok(up.every((count) => count > 0));
	});
});
