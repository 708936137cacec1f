// What sessions may do wrong, whatever they speak: the documented answer, a counter, and nobody else disturbed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { Talker } from "./lib/dialects.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { frame, OP, RawWebSocket, upgradeRequest } from "./lib/rawws.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { undisturbed } from "./lib/witness.mjs";

async function talker(t, server, path) {
	const one = new Talker(server, path);
	t.after(() => one.socket.terminate());
	await one.opened;
	return one;
}

/** A member that speaks as coach pages do. */
async function coach(t, server, room, user) {
	const one = await talker(t, server, `/ws-simple/${room}`);
	one.send({ type: "join", userId: user, userName: user });
	await one.next("peer-discovery");
	return one;
}

describe("a session that", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2 });
	});
	after(() => server.stop());

	it("joins twice is told so, and is in the room once", async (t) => {
		await undisturbed(server, "commands_refused_total", async () => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const { room } = bob.joinData;
			await bob.refused({ type: "join", room, name: "Robert" }, "already_joined");
			assert.equal((await ann.do({ type: "sync" })).members.length, 1);
			await ann.nothing();
		});
	});

	it("says it is a user who is there already may come in open mode, which is logged", async (t) => {
		await undisturbed(server, "user_claims_total", async () => {
			const room = freshRoom("claimed");
			const [ann, eve] = [await connect(t, server), await connect(t, server)];
			await ann.join(room, { name: "Ann", user: "u-ann" });
			const { members } = await eve.join(room, { name: "Eve", user: "u-ann" });
			assert.deepEqual(
				members.map(({ id, user }) => [id, user]),
				[[ann.id, "u-ann"]],
			);
			await ann.next("joined");
			await server.logged(new RegExp(`same-user room=${room} user=u-ann`));
			// Two members, two numbers: what is for one does not reach the other.
			await eve.do({ type: "signal", to: ann.id, data: 1 });
			await ann.next("signal", { from: eve.id, to: ann.id });
			await eve.nothing();
		});
	});

	it("speaks to a member of another room reaches nobody", async (t) => {
		await undisturbed(server, "commands_refused_total", async () => {
			const [ann] = await roomOf(t, server, ["Ann"]);
			const [bob, cem] = await roomOf(t, server, ["Bob", "Cem"]);
			for (const type of ["signal", "accept", "reject"]) {
				const message = { type, to: bob.id, ...(type === "signal" && { data: 1 }) };
				await ann.refused(message, "no_such_member");
			}
			await ann.refused({ type: "kick", member: cem.id }, "no_such_member");
			await ann.refused({ type: "signal", room: bob.joinData.room, data: 1 }, "not_joined");
			await bob.nothing();
			await cem.nothing();
		});
	});

	it("speaks to strangers as a coach page is heard in its own room alone", async (t) => {
		await undisturbed(server, "commands_total", async () => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const room = freshRoom("coach");
			const x = await coach(t, server, room, "x");
			const y = await coach(t, server, room, "y");
			x.send({ type: "offer", offer: { type: "offer", sdp: "v=0" }, toId: ann.id });
			await y.next("offer", { fromId: "x" });
			await ann.nothing();
			await bob.nothing();
		});
	});

	it("brings a large description is passed on, one that is too large closed with 1009", async (t) => {
		await undisturbed(server, "websocket_violations_total", async () => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const sdp = (n) => ({ description: { type: "offer", sdp: "a".repeat(n) } });
			ann.send({ type: "signal", to: bob.id, data: sdp(250_000) });
			assert.deepEqual((await bob.next("signal")).data, sdp(250_000));
			ann.raw(JSON.stringify({ type: "signal", to: bob.id, data: sdp(300_000) }));
			assert.equal((await ann.ended()).code, 1009);
			await bob.next("left", { member: ann.id });
			await bob.next("updated", { member: bob.id, changes: { role: "owner" } });
			await bob.nothing();

			const room = freshRoom("coach");
			const x = await coach(t, server, room, "x");
			const y = await coach(t, server, room, "y");
			x.send({ type: "offer", offer: { type: "offer", sdp: "a".repeat(300_000) } });
			assert.equal((await x.closed).code, 1009);
			await y.next("user-left", { userId: "x" });
		});
	});
});

describe("a flood of candidates", () => {
	const candidate = { candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host", sdpMid: "0" };
	let server;
	before(async () => {
		server = await startServer({ args: ["--limit.messages=20", "--limit.burst=50"] });
	});
	after(() => server.stop());

	it("from a native client is closed with 1008; what was within the rate has come", async (t) => {
		await undisturbed(server, "rate_limited_total", async () => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			for (let i = 0; i < 1000; i++) {
				ann.send({ type: "signal", to: bob.id, data: { candidate, i } });
			}
			assert.equal((await ann.ended()).code, 1008);
			await bob.next("left", { member: ann.id });
			const heard = bob.inbox.filter(({ type }) => type === "signal");
			const numbers = heard.map(({ data }) => data.i);
			assert.ok(numbers.length >= 40 && numbers.length < 900, `${numbers.length} came`);
			assert.deepEqual(
				numbers,
				[...numbers].sort((a, b) => a - b),
			);
		});
	});

	it("from a coach page likewise", async (t) => {
		await undisturbed(server, "rate_limited_total", async () => {
			const room = freshRoom("flood");
			const x = await coach(t, server, room, "x");
			const y = await coach(t, server, room, "y");
			for (let i = 0; i < 1000; i++) {
				x.send({ type: "ice-candidate", candidate, i });
			}
			assert.equal((await x.closed).code, 1008);
			await y.next("user-left", { userId: "x" });
			const heard = y.inbox.filter(({ type }) => type === "ice-candidate");
			assert.ok(heard.length >= 40 && heard.length < 900, `${heard.length} came`);
		});
	});

	it("from a coworking page likewise", async (t) => {
		await undisturbed(server, "rate_limited_total", async () => {
			const room = freshRoom("flood");
			const x = await talker(t, server, `/ws/room/${room}`);
			const y = await talker(t, server, `/ws/room/${room}`);
			for (let i = 0; i < 1000; i++) {
				x.send({ type: "ice-candidate", data: { i }, from: "x", to: "", roomId: room });
			}
			assert.equal((await x.closed).code, 1008);
			await y.next("user-left");
		});
	});
});

describe("half-open sockets", () => {
	const COUNT = 3000;
	const upgrade = upgradeRequest("/v1/connect", { "Sec-WebSocket-Protocol": "parley.v1" });
	const HALVES = [
		"",
		"GET /v1/conn",
		upgrade.slice(0, -2),
		// Upgraded, and then the head of a frame whose payload never comes.
		Buffer.concat([Buffer.from(upgrade), frame(OP.text, "", { claim: 1000 })]),
	];

	/** Opens them a hundred at a time. */
	async function openAll(server) {
		const sockets = [];
		while (sockets.length < COUNT) {
			const some = Array.from({ length: 100 }, () => RawSocket.connect(server));
			sockets.push(...(await Promise.all(some)));
		}
		for (const [i, socket] of sockets.entries()) {
			socket.write(HALVES[i % HALVES.length]);
		}
		return sockets;
	}

	it("by the thousand keep nobody out, and are closed when their time is up", async (t) => {
		const times = [
			"--http.head-timeout=4s",
			"--http.idle-timeout=4s",
			"--tls.handshake-timeout=4s",
		];
		const pings = ["--ws.ping-interval=1s", "--ws.ping-timeout=5s"];
		const server = await serverFor(t, { workers: 2, args: [...times, ...pings] });
		const base = await metrics(server);
		let sockets;
		await undisturbed(server, ["http_timeouts_total"], async () => {
			sockets = await openAll(server);
			t.after(() => sockets.forEach((socket) => socket.close()));
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			await ann.do({ type: "signal", to: bob.id, data: "heard" });
			await bob.next("signal", { data: "heard" });
			for (const socket of sockets) {
				await socket.hungUp();
			}
			await ann.do({ type: "signal", to: bob.id, data: "still" });
			await bob.next("signal", { data: "still" });
		});
		await metricIs(server, "websockets", (n) => n <= 2);
		const memory = (await metrics(server)).get("resident_memory_bytes");
		const grown = memory - base.get("resident_memory_bytes");
		assert.ok(grown < COUNT * 8192 + (16 << 20), `${grown} bytes more`);
	});

	it("over net.max-connections are closed at once and counted", async (t) => {
		const server = await serverFor(t, { args: ["--net.max-connections=100"] });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const sockets = [];
		t.after(() => sockets.forEach((socket) => socket.close()));
		for (let i = 0; i < 98; i++) {
			sockets.push(await RawSocket.connect(server));
		}
		for (let i = 0; i < 20; i++) {
			// The reset may come before the client takes itself for connected.
			const socket = await RawSocket.connect(server).catch(() => null);
			await socket?.hungUp();
		}
		await ann.do({ type: "signal", to: bob.id, data: 1 });
		await bob.next("signal");
		sockets.forEach((socket) => socket.close());
		await metricIs(server, "connections_refused_total", (n) => n >= 20);
	});
});

describe("a stop of the server", () => {
	it("cuts no message: who reads slowly gets all of it, then drain and 1001", async (t) => {
		const server = await startServer({ args: ["--limit.messages=0", "--net.write-queue=8M"] });
		const slow = await RawWebSocket.connect(server, "/v1/connect", { protocol: "parley.v1" });
		t.after(() => slow.close());
		await slow.expect(OP.text);
		const room = freshRoom("large");
		slow.json({ type: "join", id: 1, room, name: "Slow" });
		await slow.expect(OP.text);
		slow.raw.socket.pause();
		const ann = await connect(t, server);
		await ann.join(room);
		const data = "x".repeat(200_000);
		for (let i = 0; i < 30; i++) {
			await ann.do({ type: "signal", data });
		}
		// The socket is full: some of it waits in the server, and one message is cut in two there.
		await metricIs(server, "write_queue_bytes", (n) => n > data.length);
		server.signal("SIGTERM");
		await ann.next("drain");
		slow.raw.socket.resume();
		assert.equal(JSON.parse((await slow.expect(OP.text)).payload).type, "joined");
		for (let i = 0; i < 30; i++) {
			const message = JSON.parse((await slow.expect(OP.text)).payload);
			assert.equal(message.data, data, `message ${i}`);
		}
		let last;
		for (last = await slow.frame(); last.op === OP.text; last = await slow.frame()) {
			assert.match(last.payload.toString(), /^\{"type":"(drain|left|updated)"/);
		}
		assert.equal(last.op, OP.close);
		assert.equal(last.payload.readUInt16BE(0), 1001);
		slow.close();
		await server.stop();
	});
});
