// STUN and TURN on the server's own port: by UDP, TCP and TLS, between workers, and how relays end.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { iceCredential } from "./lib/ice.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { encode, METHOD, relayFor, turnFor } from "./lib/turn.mjs";

const USER = { username: "ann", credential: "secret" };
const ARGS = ["--turn.user", "ann:secret", "--turn.allow-peer", "127.0.0.0/8"];

/** A peer that sends back what it gets. */
async function echoPeer(t) {
	const socket = createSocket("udp4");
	socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
	await new Promise((done) => socket.bind(0, "127.0.0.1", done));
	t.after(() => socket.close());
	return { address: "127.0.0.1", port: socket.address().port };
}

describe("TURN", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ARGS });
	});
	after(() => server.stop());

	for (const transport of ["udp", "tcp", "tls"]) {
		it(`relays by ${transport}, by indications and channels`, async (t) => {
			const ann = await relayFor(t, server, { transport, ...USER });
			const peer = await echoPeer(t);
			assert.equal((await ann.permit(peer)).code, 0);
			ann.send(peer, "by indication");
			const packet = await ann.gets("by indication");
			assert.deepEqual(packet.from, peer);
			assert.equal((await ann.bind(0x4001, peer)).code, 0);
			ann.sendChannel(0x4001, "by channel");
			assert.equal((await ann.gets("by channel")).channel, 0x4001);
			assert.equal((await ann.refresh(0)).code, 0);
			assert.equal((await ann.refresh(600)).code, 437);
		});

		it(`tells an address by ${transport}`, async (t) => {
			const ann = await turnFor(t, server, { transport });
			const answer = await ann.exchange(METHOD.binding, []);
			assert.deepEqual(answer.address("xorMapped"), {
				address: "127.0.0.1",
				port: ann.localPort,
			});
		});
	}

	it("shares the port with HTTP, however the bytes come", async (t) => {
		const ann = await turnFor(t, server, { transport: "tcp" });
		const request = encode(METHOD.binding, "request", Buffer.alloc(12, 1), []);
		for (const byte of request) {
			ann.socket.write(Buffer.from([byte]));
			await new Promise((done) => setImmediate(done));
		}
		const answer = await ann.exchange(METHOD.binding, []);
		assert.equal(answer.code, 0);
		assert.equal((await fetch(`${server.http}/livez`)).status, 200);
	});

	it("passes packets between its own relays in memory, on whichever worker they are", async (t) => {
		const clients = [];
		for (const transport of ["udp", "udp", "udp", "udp", "tcp", "tcp", "tls"]) {
			clients.push(await relayFor(t, server, { transport, ...USER }));
		}
		for (const a of clients) {
			for (const b of clients.filter((other) => other !== a)) {
				assert.equal((await a.permit(b.relay)).code, 0);
			}
		}
		for (const [i, a] of clients.entries()) {
			for (const [j, b] of clients.entries()) {
				if (a !== b) {
					a.send(b.relay, `${i} to ${j}`);
					assert.deepEqual((await b.gets(`${i} to ${j}`)).from, a.relay);
				}
			}
		}
	});

	it("takes credentials of /api/turn-credentials", async (t) => {
		const { username, credential } = await iceCredential(server);
		const ann = await relayFor(t, server, { username, credential });
		assert.ok(await ann.lives());
	});

	it("says why it refuses a credential", async (t) => {
		const wrong = await turnFor(t, server, { username: "ann", credential: "guess" });
		const answer = await wrong.allocate();
		assert.equal(answer.code, 401);
		assert.equal(answer.reason, "Wrong User or Password");
		await server.logged(/turn +refused from=127\.0\.0\.1:\d+ why=PASSWORD user=ann/);
	});
});

describe("a relay", () => {
	it("without a session ends with its credential", async (t) => {
		const server = await serverFor(t, { args: ["--turn.credential-lifetime", "2s"] });
		const { username, credential } = await iceCredential(server);
		const ann = await relayFor(t, server, { username, credential });
		assert.ok(ann.lifetime <= 2);
		await metricIs(server, "turn_allocations", 1);
		await metricIs(server, "turn_allocations", 0);
		const late = await ann.allocate();
		assert.equal(late.code, 401);
		assert.equal(late.reason, "Credential Expired");
	});

	it("of a session outlives its credential, and ends with the session", async (t) => {
		const server = await serverFor(t, {
			workers: 2,
			args: ["--turn.credential-lifetime", "3s"],
		});
		const ann = await connect(t, server);
		await ann.join(freshRoom());
		const { username, credential } = ann.hello.iceServers.find((s) => s.credential);
		const relays = [];
		for (let i = 0; i < 4; i++) {
			relays.push(await relayFor(t, server, { username, credential }));
		}
		const late = await turnFor(t, server, { username, credential });
		let refused;
		do {
			refused = await late.allocate();
			if (refused.code === 0) {
				await late.refresh(0);
			}
		} while (refused.code === 0);
		assert.equal(refused.reason, "Credential Expired");
		for (const relay of relays) {
			assert.ok(await relay.lives());
		}
		const before = Date.now();
		await ann.close();
		await metricIs(server, "turn_allocations", 0);
		assert.ok(Date.now() - before < 1000);
	});

	it("of a member ends at once when it is kicked, and there is no new one", async (t) => {
		const server = await serverFor(t, { workers: 2 });
		const [ann, bob] = [await connect(t, server), await connect(t, server)];
		const room = freshRoom();
		await ann.join(room);
		await bob.join(room);
		const { username, credential } = bob.hello.iceServers.find((s) => s.credential);
		for (let i = 0; i < 4; i++) {
			await relayFor(t, server, { username, credential });
		}
		assert.equal((await metrics(server)).get("turn_allocations"), 4);
		const before = Date.now();
		await ann.do({ type: "kick", member: bob.id });
		await metricIs(server, "turn_allocations", 0);
		assert.ok(Date.now() - before < 1000);
		const again = await turnFor(t, server, { username, credential });
		const answer = await again.allocate();
		assert.equal(answer.code, 401);
		assert.equal(answer.reason, "Session Ended");
		await bob.join(freshRoom());
		assert.equal((await again.allocate()).code, 0);
	});
});
