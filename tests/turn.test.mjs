// STUN and TURN on the server's own port: by UDP, TCP and TLS, between workers, and how relays end.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { iceCredential } from "./lib/ice.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { freeUdpPorts, serverFor, startServer } from "./lib/server.mjs";
import { ARGS, ATTR, echoPeer, encode, METHOD, relayFor, turnFor, USER } from "./lib/turn.mjs";
import { within } from "./lib/wait.mjs";

describe("TURN", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ARGS });
	});
	after(() => server.stop());

	for (const transport of ["udp", "tcp", "tls", "dtls"]) {
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
	}

	it("lets a DTLS client in anew that has forgotten its session", async (t) => {
		const { port } = await echoPeer(t, "127.0.0.2"); // which nobody has at 127.0.0.1, as good as surely
		const ann = { transport: "dtls", from: `127.0.0.1:${port}`, ...USER };
		const peer = await echoPeer(t);
		const before = (await metrics(server)).get("turn_allocations");
		for (let i = 0; i < 3; i++) {
			const client = await relayFor(t, server, ann);
			assert.equal((await client.permit(peer)).code, 0);
			client.send(peer, `life ${i}`);
			await client.gets(`life ${i}`);
			client.socket.kill("SIGKILL"); // without a goodbye
			await client.until(
				() => client.closed,
				() => "its end",
			);
		}
		await metricIs(server, "turn_allocations", before + 1);
		await metricIs(server, "dtls_sessions", (n) => n >= 1);
	});

	for (const transport of ["udp", "tcp", "tls"]) {
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

	it("tells what ICMP says of a peer, and goes on with the others", async (t) => {
		const ann = await relayFor(t, server, USER);
		const peer = await echoPeer(t);
		const nobody = { address: "127.0.0.1", port: 1 };
		assert.equal((await ann.permit(peer)).code, 0);
		ann.send(nobody, "anybody there?");
		await ann.until(
			() => ann.messages.length > 0,
			() => "what ICMP says",
		);
		const [told] = ann.messages;
		assert.equal(told.method, METHOD.data);
		assert.deepEqual(told.address("xorPeer"), nobody);
		// Unreachable (3), port (3): 7 and 9 bits.
		assert.equal(told.value("icmp").toString("hex"), "0000060300000000");
		for (let i = 0; i < 50; i++) {
			ann.send(nobody, "anybody there?");
			ann.send(peer, `reached ${i}`);
			await ann.gets(`reached ${i}`);
		}
		assert.ok(ann.messages.length < 50);
		assert.ok(await ann.lives());
	});

	it("takes credentials of /api/turn-credentials", async (t) => {
		const { username, credential } = await iceCredential(server);
		const ann = await relayFor(t, server, { username, credential });
		assert.ok(await ann.lives());
	});

	it("takes a hash for a user's name, and asks for a name that expires", async (t) => {
		const ann = await relayFor(t, server, { ...USER, shy: true });
		assert.ok(ann.hid && (await ann.lives()));
		const { username, credential } = await iceCredential(server);
		const web = await relayFor(t, server, { username, credential, shy: true });
		assert.ok(web.hid && (await web.lives()));
		const wrong = await turnFor(t, server, { ...USER, credential: "guess", shy: true });
		assert.equal((await wrong.allocate()).code, 401);
	});

	it("says why it refuses a credential", async (t) => {
		const wrong = await turnFor(t, server, {
			username: "ann",
			credential: "guess",
		});
		const answer = await wrong.allocate();
		assert.equal(answer.code, 401);
		assert.equal(answer.reason, "Wrong User or Password");
		await server.logged(/turn +refused from=127\.0\.0\.1:\d+ why=PASSWORD user=ann/);
	});

	it("says later why it refused, to who knows the credential's name", async (t) => {
		const refusals = async (user) => {
			const path = `/api/turn-refusals?user=${encodeURIComponent(user)}`;
			return (await (await fetch(server.http + path)).json()).refusals;
		};
		const { username } = await iceCredential(server);
		assert.deepEqual(await refusals(username), []);
		const wrong = await turnFor(t, server, { username, credential: "guess" });
		assert.equal((await wrong.allocate()).code, 401);
		const [refusal, ...others] = await refusals(username);
		assert.ok(refusal.ago < 60_000);
		assert.deepEqual([refusal.why, refusal.code], ["PASSWORD", 401]);
		assert.equal(refusal.reason, "Wrong User or Password");
		assert.deepEqual(others, []);
		const old = `${Math.floor(Date.now() / 1000) - 60}:web`;
		const late = await turnFor(t, server, { username: old, credential: "guess" });
		assert.equal((await late.allocate()).code, 401);
		assert.equal((await refusals(old))[0].why, "PASSWORD");
		// A user of the settings is nobody's business.
		assert.deepEqual(await refusals("ann"), []);
		assert.deepEqual((await (await fetch(`${server.http}/api/turn-refusals`)).json()).refusals, []);
	});
});

/** Listens on TCP; what it hears it says again. */
async function echoServer(t) {
	const peer = createServer((socket) => socket.on("error", () => {}).pipe(socket));
	await new Promise((done) => peer.listen(0, "127.0.0.1", done));
	t.after(() => peer.close());
	return { address: "127.0.0.1", port: peer.address().port };
}

describe("a TCP allocation (RFC 6062)", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ARGS });
	});
	after(() => server.stop());

	async function tcpRelay(t, transport) {
		const ann = await turnFor(t, server, { transport, ...USER });
		const answer = await ann.allocate([], 6);
		assert.equal(answer.code, 0, answer.reason);
		return ann;
	}

	/** A second connection, which becomes the peer's. */
	async function dataFor(t, transport, id) {
		const data = await turnFor(t, server, { transport, ...USER });
		const answer = await data.request(METHOD.connectionBind, [[ATTR.connectionId, id]]);
		assert.equal(answer.code, 0, answer.reason);
		return data.becomeRaw();
	}

	for (const transport of ["tcp", "tls"]) {
		it(`connects to a peer, by ${transport}, on whichever worker the second connection is`, async (t) => {
			const peer = await echoServer(t);
			for (let i = 0; i < 4; i++) {
				const ann = await tcpRelay(t, transport);
				const connected = await ann.connectTo(peer);
				assert.equal(connected.code, 0, connected.reason);
				assert.equal((await ann.connectTo(peer)).code, 446);
				const data = await dataFor(t, transport, connected.value("connectionId"));
				const text = randomBytes(500_000).toString("base64");
				data.write(text);
				await data.hears(text);
				data.close();
				await ann.refresh(0);
			}
		});
	}

	it("hands peers on that connect to it, when they are permitted", async (t) => {
		const ann = await tcpRelay(t, "tcp");
		const stranger = connectTcp(ann.relay.port, "127.0.0.1").on("error", () => {});
		const turnedAway = new Promise((done) => stranger.once("close", done)); // be it by a reset
		await within(turnedAway, "the end of a stranger's connection");
		assert.equal((await ann.permit({ address: "127.0.0.1", port: 1 })).code, 0);
		const peer = connectTcp(ann.relay.port, "127.0.0.1");
		t.after(() => peer.destroy());
		peer.write("early");
		await ann.until(
			() => ann.messages.length > 0,
			() => "a ConnectionAttempt",
		);
		const [attempt] = ann.messages;
		assert.equal(attempt.method, METHOD.connectionAttempt);
		assert.equal(attempt.address("xorPeer").port, peer.localPort);
		const data = await dataFor(t, "tcp", attempt.value("connectionId"));
		await data.hears("early");
		data.write("late");
		const [late] = await within(once(peer, "data"), "what the client says");
		assert.equal(late.toString(), "late");
		const end = once(peer, "close"); // it may come before the answer
		await ann.refresh(0);
		await within(end, "the end of the peer's connection");
	});

	it("tells what does not go", async (t) => {
		const ann = await tcpRelay(t, "tcp");
		const nobody = await echoServer(t);
		assert.equal((await ann.connectTo({ address: "127.0.0.1", port: 1 })).code, 447);
		assert.equal((await ann.connectTo({ address: "10.0.0.1", port: 1 })).code, 403);
		const other = await turnFor(t, server, { transport: "tcp", ...USER });
		const id = Buffer.from([0, 0, 0, 1]);
		const bound = await other.request(METHOD.connectionBind, [[ATTR.connectionId, id]]);
		assert.equal(bound.code, 400);
		const udp = await relayFor(t, server, USER);
		assert.equal((await udp.connectTo(nobody)).code, 437);
		assert.equal((await (await turnFor(t, server, USER)).allocate([], 6)).code, 400);
	});
});

describe("the server's own check of its relays", () => {
	it("passes, and leaves nothing behind", async (t) => {
		const server = await serverFor(t, { workers: 2 });
		await metricIs(server, "turn_allocates_total", 2);
		await metricIs(server, "turn_allocations", 0);
		assert.equal(await (await fetch(`${server.http}/readyz`)).text(), "ready\n");
	});

	it("fails where two relays cannot be had, and /readyz says so", async (t) => {
		const port = await freeUdpPorts(1);
		const server = await serverFor(t, { args: ["--turn.port-range", `${port}-${port}`] });
		await server.logged(/turn +check-failed step=allocate code=508 /);
		const answer = await fetch(`${server.http}/readyz`);
		assert.equal(answer.status, 503);
		assert.equal(await answer.text(), "relay unavailable\n");
	});
});

describe("a relay", () => {
	it("without a session ends with its credential", async (t) => {
		const server = await serverFor(t, {
			args: ["--turn.credential-lifetime", "4s"],
		});
		const { username, credential } = await iceCredential(server);
		const ann = await relayFor(t, server, { username, credential });
		assert.ok(ann.lifetime <= 4);
		const until = Number(username.split(":")[0]) * 1000;
		await metricIs(server, "turn_allocations", 1);
		await metricIs(server, "turn_allocations", 0);
		assert.ok(Date.now() >= until, "not before");
		const late = await ann.allocate();
		assert.equal(late.code, 401);
		assert.equal(late.reason, "Credential Expired");
	});

	it("of a session outlives its credential, and ends with the session", async (t) => {
		const server = await serverFor(t, {
			workers: 2,
			args: ["--turn.credential-lifetime", "4s"],
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
		await ann.close();
		await metricIs(server, "turn_allocations", 0); // long before they would have ended by themselves
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
		await ann.do({ type: "kick", member: bob.id });
		await metricIs(server, "turn_allocations", 0);
		const again = await turnFor(t, server, { username, credential });
		const answer = await again.allocate();
		assert.equal(answer.code, 401);
		assert.equal(answer.reason, "Session Ended");
		await bob.join(freshRoom());
		assert.equal((await again.allocate()).code, 0);
	});
});
