// What one address may do in a minute; and whose address it is behind a proxy.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { WebSocket } from "./lib/deps.mjs";
import { get } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { runParley, serverFor, startServer } from "./lib/server.mjs";
import { heard, stock } from "./lib/socketio.mjs";
import { poll, within } from "./lib/wait.mjs";

const from = (address) => ({ "X-Forwarded-For": address });

/** What is left of the time that one thing more takes. */
function mustBeWithin(seconds, after) {
	assert.ok(Number(after) >= 1 && Number(after) <= seconds, `Retry-After: ${after}`);
}

/** The status of an upgrade, and its Retry-After. */
function upgrade(server, address, path = "/v1/connect") {
	const socket = new WebSocket(server.ws + path, path === "/v1/connect" ? "parley.v1" : [], {
		headers: from(address),
	});
	const answer = new Promise((resolve) => {
		socket.on("error", () => {});
		socket.on("open", () => resolve({ status: 101 }));
		socket.on("unexpected-response", (_, response) => {
			response.resume();
			resolve({ status: response.statusCode, after: response.headers["retry-after"] });
		});
	});
	return within(answer, `an upgrade at ${path}`).finally(() => socket.terminate());
}

describe("limits of one address", () => {
	let server;
	before(async () => {
		server = await startServer({
			args: [
				"--http.trusted-proxies=127.0.0.0/8",
				"--limit.connects=3",
				"--limit.requests=5",
				"--limit.rooms=2",
			],
		});
	});
	after(() => server.stop());

	it("HTTP requests over limit.requests: 429 with Retry-After", async () => {
		for (let i = 0; i < 5; i++) {
			assert.equal((await get(server, "/livez", from("192.0.2.1"))).status, 200);
		}
		const { status, headers, text } = await get(server, "/livez", from("192.0.2.1"));
		assert.equal(status, 429);
		mustBeWithin(12, headers["retry-after"]);
		assert.equal(JSON.parse(text).error.code, "rate_limited");
		// Also for what is not there; others are not concerned.
		assert.equal((await get(server, "/nothing", from("192.0.2.1"))).status, 429);
		assert.equal((await get(server, "/livez", from("192.0.2.2"))).status, 200);
		assert.ok((await metrics(server)).get("http_limited_total") >= 2);
	});

	for (const path of ["/v1/connect", "/ws-simple/x", "/ws/room/x"]) {
		it(`sockets over limit.connects at ${path}: 429 with Retry-After`, async () => {
			const address = `198.51.100.${path.length}`;
			for (let i = 0; i < 3; i++) {
				assert.equal((await upgrade(server, address, path)).status, 101);
			}
			const { status, after } = await upgrade(server, address, path);
			assert.equal(status, 429);
			mustBeWithin(20, after);
			assert.equal((await get(server, "/livez", from(address))).status, 200);
		});
	}

	it("IPv6 counts by its network of 64 bits", async () => {
		for (let i = 0; i < 3; i++) {
			assert.equal((await upgrade(server, `2001:db8:0:1::${i}`)).status, 101);
		}
		assert.equal((await upgrade(server, "2001:db8:0:1:ffff::1")).status, 429);
		assert.equal((await upgrade(server, "2001:db8:0:2::1")).status, 101);
	});

	it("rooms over limit.rooms: rate_limited; rooms that are there take more", async (t) => {
		const before = (await metrics(server)).get("rooms_limited_total");
		const headers = from("203.0.113.5");
		const ann = await connect(t, server, { headers });
		const rooms = [freshRoom(), freshRoom()];
		for (const room of rooms) {
			await ann.join(room);
		}
		await ann.refused({ type: "join", room: freshRoom(), name: "Ann" }, "rate_limited");
		const bob = await connect(t, server, { headers });
		await bob.join(rooms[0]);
		const eve = await connect(t, server, { headers: from("203.0.113.6") });
		await eve.join(freshRoom());
		assert.equal((await metrics(server)).get("rooms_limited_total"), before + 1);
	});

	it("this machine has none", async (t) => {
		for (let i = 0; i < 8; i++) {
			assert.equal((await get(server, "/livez")).status, 200);
			const client = await connect(t, server);
			await client.join(freshRoom());
		}
	});

	it("the client is the last that no trusted proxy is", async () => {
		const chain = (last) => from(`192.0.2.77, ${last}, 127.0.0.5`);
		for (let i = 0; i < 5; i++) {
			assert.equal((await get(server, "/livez", chain("192.0.2.50"))).status, 200);
		}
		assert.equal((await get(server, "/livez", chain("192.0.2.50"))).status, 429);
		assert.equal((await get(server, "/livez", chain("192.0.2.51"))).status, 200);
	});
});

describe("limits of what is said", () => {
	const text = "x".repeat(8_000);

	it("bytes over limit.bytes: rate_limited, in every dialect; small messages go on", async (t) => {
		const args = ["--limit.bytes=10k", "--limit.message-size=40k"];
		const server = await serverFor(t, { args });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		// Four times as much at once: five messages of 8 kB, and what time brings.
		const asked = Array.from({ length: 16 }, () => ann.ask({ type: "chat", text }));
		const replies = await Promise.all(asked);
		const codes = replies.map(({ ok, error }) => ok || error.code);
		assert.deepEqual(codes.slice(0, 4), [true, true, true, true]);
		assert.deepEqual(new Set(codes), new Set([true, "rate_limited"]));
		const counted = (await metrics(server)).get("bytes_limited_total");
		assert.equal(counted, codes.filter((code) => code !== true).length);
		assert.equal((await metrics(server)).get("rate_limited_total"), counted);
		// Others are not concerned, and neither is a message for which there are bytes left.
		await bob.do({ type: "chat", text });
		await poll(
			async () => (await ann.ask({ type: "chat", text: "short" })).ok,
			() => "a short one to be taken",
		);
		// A quarter of a second brings a quarter of the rate: in the end a long one goes too.
		await poll(
			async () => (await ann.ask({ type: "chat", text })).ok,
			() => "a long one to be taken",
		);
		const duo = await stock(t, server);
		duo.emit("room:join", { room: freshRoom(), userName: "Duo" });
		await heard(duo, "room:joined");
		const before = (await metrics(server)).get("bytes_limited_total");
		for (let i = 0; i < 16; i++) duo.emit("chat:message", { message: text, userName: "Duo" });
		await metricIs(server, "bytes_limited_total", (value) => value >= before + 3);
	});

	it("messages over limit.room-messages: rate_limited for all of the room, but not for calls", async (t) => {
		const server = await serverFor(t, { args: ["--limit.room-messages=5"] });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const other = await connect(t, server);
		await other.join(freshRoom());
		const asked = Array.from({ length: 30 }, (_, i) =>
			(i % 2 ? ann : bob).ask({ type: "chat", text: `line ${i}` }),
		);
		const taken = (await Promise.all(asked)).filter(({ ok }) => ok).length;
		assert.ok(taken >= 20 && taken < 30, `${taken} of 30 were taken`);
		const signals = Array.from({ length: 30 }, () => ann.ask({ type: "signal", data: "to all" }));
		const refused = (await Promise.all(signals)).filter(({ ok }) => !ok);
		assert.ok(refused.length > 0);
		assert.ok(refused.every(({ error }) => error.code === "rate_limited"));
		await ann.do({ type: "signal", to: bob.id, data: "to one" });
		await bob.next("signal", { data: "to one" });
		await ann.do({ type: "chat", text: "psst", to: bob.id });
		await ann.do({ type: "update", hand: true });
		await other.do({ type: "chat", text: "elsewhere" });
		assert.ok((await metrics(server)).get("room_messages_limited_total") >= 30 - taken);
		await poll(
			async () => (await bob.ask({ type: "chat", text: "later" })).ok,
			() => "the room to be heard again",
		);
	});

	it("limit.messages=0 means none of them", async (t) => {
		const args = ["--limit.bytes=1k", "--limit.room-messages=1", "--limit.messages=0"];
		const server = await serverFor(t, { args });
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		await Promise.all(Array.from({ length: 50 }, () => ann.do({ type: "chat", text })));
	});
});

describe("addresses", () => {
	it("nobody is believed who is no trusted proxy", async (t) => {
		const server = await serverFor(t, { args: ["--limit.requests=1"] });
		for (let i = 0; i < 3; i++) {
			assert.equal((await get(server, "/livez", from("192.0.2.1"))).status, 200);
		}
	});

	it("a ban by address is of the client, not of its proxy", async (t) => {
		const server = await serverFor(t, { args: ["--http.trusted-proxies=127.0.0.1"] });
		const room = freshRoom();
		const ann = await connect(t, server);
		await ann.join(room);
		const eve = await connect(t, server, { headers: from("192.0.2.66") });
		const { you } = await eve.join(room, { name: "Eve" });
		await ann.do({ type: "ban", member: you.id });
		await eve.refused({ type: "join", room, name: "Eve" }, "banned");
		const bob = await connect(t, server, { headers: from("192.0.2.67") });
		await bob.join(room);
	});

	it("a network that is none ends the start", async () => {
		const { code, stderr } = await runParley([
			"--listen=127.0.0.1:0",
			"--http.trusted-proxies=everybody",
		]);
		assert.equal(code, 1);
		assert.match(stderr, /http\.trusted-proxies: everybody/);
	});
});
