// docs/protocol.md, "Errors and close codes": each code, its counter, and nobody else disturbed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { allQuiet, Client, connect, freshRoom, roomOf } from "./lib/client.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { closeFrame, frame, OP, RawWebSocket } from "./lib/rawws.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { poll } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

const deep = (n) => `${"[".repeat(n)}${"]".repeat(n)}`;

const MALFORMED = {
	"nothing at all": "",
	"white space": " \n",
	"a word": "hello",
	"half an object": '{"type":"ping"',
	"an object and more": '{"type":"ping"}{"type":"ping"}',
	"a comma at the end": '{"type":"ping",}',
	"single quotes": "{'type':'ping'}",
	"a comment": '{"type":"ping"/**/}',
	NaN: '{"type":"ping","x":NaN}',
	"a number with a leading zero": '{"type":"ping","x":01}',
	"a bad escape": '{"type":"ping","x":"\\x41"}',
	"a control character in a string": '{"type":"ping","x":"\u0001"}',
	"a byte order mark": '\ufeff{"type":"ping"}',
	"an array": '[{"type":"ping"}]',
	"a string": '"ping"',
	"a number": "1",
	null: "null",
	"an object without type": '{"room":"a"}',
	"a type that is a number": '{"type":1}',
	"a type that is null": '{"type":null}',
};

// [message, the field that is wrong]; ROOM and MEMBER stand for real ones.
const BAD_FIELDS = [
	[{ type: "join", name: "Ann" }, "room"],
	[{ type: "join", room: "", name: "Ann" }, "room"],
	[{ type: "join", room: "x".repeat(129), name: "Ann" }, "room"],
	[{ type: "join", room: "ä".repeat(65), name: "Ann" }, "room"],
	[{ type: "join", room: 7, name: "Ann" }, "room"],
	[{ type: "join", room: "other" }, "name"],
	[{ type: "join", room: "other", name: null }, "name"],
	[{ type: "join", room: "other", name: "x".repeat(129) }, "name"],
	[{ type: "join", room: "other", name: "Ann", user: "" }, "user"],
	[{ type: "join", room: "other", name: "Ann", user: "x".repeat(129) }, "user"],
	[{ type: "join", room: "other", name: "Ann", metadata: "text" }, "metadata"],
	[{ type: "join", room: "other", name: "Ann", metadata: [] }, "metadata"],
	[{ type: "join", room: "other", name: "Ann", metadata: { x: "y".repeat(4096) } }, "metadata"],
	[{ type: "join", room: "other", name: "Ann", state: true }, "state"],
	[{ type: "join", room: "other", name: "Ann", state: { mic: 1 } }, "mic"],
	[{ type: "join", room: "other", name: "Ann", options: [] }, "options"],
	[{ type: "join", room: "other", name: "Ann", options: { capacity: 0 } }, "capacity"],
	[{ type: "join", room: "other", name: "Ann", options: { capacity: -1 } }, "capacity"],
	[{ type: "join", room: "other", name: "Ann", options: { capacity: "2" } }, "capacity"],
	[{ type: "join", room: "other", name: "Ann", options: { capacity: 1.5 } }, "capacity"],
	[{ type: "join", room: "other", name: "Ann", options: { ring: "yes" } }, "ring"],
	[{ type: "leave", room: 5 }, "room"],
	[{ type: "update", mic: "on" }, "mic"],
	[{ type: "update", hand: null }, "hand"],
	[{ type: "update", name: 5 }, "name"],
	[{ type: "update", name: "x".repeat(129) }, "name"],
	[{ type: "update", metadata: 5 }, "metadata"],
	[{ type: "update", metadata: { x: "y".repeat(4096) } }, "metadata"],
	[{ type: "signal" }, "data"],
	[{ type: "signal", to: 5, data: 1 }, "to"],
	[{ type: "chat" }, "text"],
	[{ type: "chat", text: "" }, "text"],
	[{ type: "chat", text: 5 }, "text"],
	[{ type: "chat", text: "x".repeat(8193) }, "text"],
	[{ type: "chat", text: "🦊".repeat(2049) }, "text"],
	[{ type: "accept" }, "to"],
	[{ type: "accept", to: null }, "to"],
	[{ type: "reject", to: "MEMBER", reason: 5 }, "reason"],
	[{ type: "reject", to: "MEMBER", reason: "x".repeat(129) }, "reason"],
	[{ type: "role", role: "speaker" }, "member"],
	[{ type: "role", member: "MEMBER" }, "role"],
	[{ type: "role", member: "MEMBER", role: "king" }, "role"],
	[{ type: "kick" }, "member"],
	[{ type: "kick", member: "MEMBER", reason: {} }, "reason"],
	[{ type: "kick", member: "MEMBER", reason: "x".repeat(129) }, "reason"],
];

describe("an error of a native message", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--limit.messages=0"], workers: 2 });
	});
	after(() => server.stop());

	for (const [what, text] of Object.entries(MALFORMED)) {
		it(`is malformed for ${what}`, async (t) => {
			const ann = await connect(t, server);
			await undisturbed(server, "malformed_messages_total", async () => {
				ann.raw(text);
				const { error } = await ann.next("error");
				assert.equal(error.code, "malformed");
				await ann.nothing("one answer, and a connection that lives on");
			});
		});
	}

	it("is malformed in a reply where the id could be read", async (t) => {
		const ann = await connect(t, server);
		await ann.refused({}, "malformed", { valid: false });
	});

	for (const [what, x] of [
		["nesting without end", deep(100_000)],
		["more values than a message may have", `[${"0,".repeat(100_000)}0]`],
	]) {
		it(`is too_large for ${what}`, async (t) => {
			const ann = await connect(t, server);
			await undisturbed(server, "malformed_messages_total", async () => {
				ann.raw(`{"type":"ping","x":${x}}`);
				assert.equal((await ann.next("error")).error.code, "too_large");
				await ann.nothing("one answer, and a connection that lives on");
			});
		});
	}

	it("is unknown_type for a type that there is not", async (t) => {
		const ann = await connect(t, server);
		await ann.join(freshRoom());
		await undisturbed(server, "malformed_messages_total", async () => {
			for (const type of ["dance", "", "Join", "x".repeat(100_000), "hello", "joined"]) {
				await ann.refused({ type }, "unknown_type", { valid: false });
			}
			ann.raw('{"type":"dance"}');
			assert.equal((await ann.next("error")).error.code, "unknown_type");
			await ann.nothing();
		});
	});

	for (const [message, field] of BAD_FIELDS) {
		const text = JSON.stringify(message);
		const short = text.length > 90 ? `${text.slice(0, 87)}...` : text;
		it(`is bad_field with ${field} in detail for ${short}`, async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const real = JSON.parse(text.replace("MEMBER", bob.id));
			const error = await ann.refused(real, "bad_field", { valid: false });
			assert.ok(error.detail?.includes(field), `detail: ${error.detail}`);
			await allQuiet([ann, bob], ann.joinData.room);
		});
	}

	for (const id of ["0", "-1", "1.5", '"1"', "null", "9007199254740992", "1e400"]) {
		it(`is bad_field without reply for the id ${id}`, async (t) => {
			const ann = await connect(t, server);
			ann.raw(`{"type":"ping","id":${id}}`);
			const { error } = await ann.next("error");
			assert.equal(error.code, "bad_field");
			assert.equal(error.detail, "id");
			await ann.nothing();
		});
	}

	it("does not come for the largest id", async (t) => {
		const raw = await RawWebSocket.connect(server, "/v1/connect", { protocol: "parley.v1" });
		t.after(() => raw.close());
		await raw.expect(OP.text);
		raw.send(frame(OP.text, '{"type":"ping","id":9007199254740991}'));
		const reply = JSON.parse((await raw.expect(OP.text)).payload);
		assert.deepEqual(reply, { type: "reply", id: 9007199254740991, ok: true });
	});

	for (const message of [
		{ type: "leave" },
		{ type: "update", mic: true },
		{ type: "signal", data: 1 },
		{ type: "chat", text: "hi" },
		{ type: "accept", to: "BOB" },
		{ type: "reject", to: "BOB" },
		{ type: "role", member: "BOB", role: "owner" },
		{ type: "kick", member: "BOB" },
	]) {
		it(`is not_joined for ${message.type} in a room one is not in`, async (t) => {
			const [bob] = await roomOf(t, server, ["Bob"]);
			const [ann] = await roomOf(t, server, ["Ann"]);
			const real = JSON.parse(JSON.stringify(message).replace("BOB", bob.id));
			await ann.refused({ ...real, room: bob.joinData.room }, "not_joined");
			await ann.refused({ ...real, room: freshRoom("nowhere") }, "not_joined");
			await ann.do({ type: "leave" });
			await ann.refused(real, "not_joined");
			await allQuiet([bob], bob.joinData.room);
		});
	}

	it("is already_joined for a second join of the same session", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const join = { type: "join", room: members.room, name: "Bob" };
		await members[1].refused(join, "already_joined");
		await allQuiet(members);
	});

	for (const message of [
		{ type: "signal", data: 1 },
		{ type: "accept" },
		{ type: "reject" },
		{ type: "role", role: "listener" },
		{ type: "kick" },
	]) {
		it(`is no_such_member for ${message.type} to somebody who is not there`, async (t) => {
			const members = await roomOf(t, server, ["Ann", "Bob"]);
			const field = ["role", "kick"].includes(message.type) ? "member" : "to";
			for (const id of ["m_aaaaaaaa", "m_aaaaaaaaaaaaaaaa", "x", "", "x".repeat(5000)]) {
				const whole = { ...message, [field]: id };
				await members[0].refused(whole, "no_such_member", { valid: false });
			}
			await allQuiet(members);
		});
	}

	it("is limit for the ninth room of a session", async (t) => {
		const ann = await connect(t, server);
		const first = freshRoom();
		await ann.join(first);
		for (let i = 1; i < ann.hello.limits.rooms; i++) {
			await ann.join(freshRoom());
		}
		await ann.refused({ type: "join", room: freshRoom(), name: "Ann" }, "limit");
		await ann.do({ type: "leave", room: first });
		await ann.join(freshRoom());
	});

	it("without an id is an error message, with one a reply, never both", async (t) => {
		const ann = await connect(t, server);
		ann.send({ type: "chat", text: "nowhere" });
		assert.equal((await ann.next("error")).error.code, "not_joined");
		await ann.refused({ type: "chat", text: "nowhere" }, "not_joined");
		await ann.nothing();
	});

	it("counts refused commands", async (t) => {
		const ann = await connect(t, server);
		await undisturbed(server, "commands_refused_total", async () => {
			await ann.refused({ type: "chat", text: "nowhere" }, "not_joined");
		});
	});
});

describe("a flood", () => {
	it("is answered with rate_limited, and closed with 1008 when it goes on", async (t) => {
		const server = await serverFor(t, { args: ["--limit.messages=20", "--limit.burst=20"] });
		await undisturbed(server, "rate_limited_total", async () => {
			const ann = await connect(t, server);
			for (let i = 0; i < 2000; i++) {
				ann.send({ type: "ping" });
			}
			const { error } = await ann.next("error");
			assert.equal(error.code, "rate_limited");
			assert.equal((await ann.ended()).code, 1008);
		});
	});

	it("is answered by a reply where one is waited for", async (t) => {
		const server = await serverFor(t, { args: ["--limit.messages=1", "--limit.burst=5"] });
		const ann = await connect(t, server);
		const asked = Array.from({ length: 20 }, () => ann.ask({ type: "ping" }));
		const refused = (await Promise.all(asked)).filter(({ ok }) => !ok);
		assert.ok(refused.length > 0);
		assert.ok(refused.every(({ error }) => error.code === "rate_limited"));
	});

	it("that stops at rate_limited is forgiven", async (t) => {
		const server = await serverFor(t, { args: ["--limit.messages=10", "--limit.burst=10"] });
		const ann = await connect(t, server);
		for (let i = 0; i < 40; i++) {
			ann.send({ type: "ping" });
		}
		assert.equal((await ann.next("error")).error.code, "rate_limited");
		// The allowance grows with time: ask until it is there, at the pace of the answers.
		const pongs = () => ann.inbox.filter(({ type }) => type === "pong").length;
		const before = pongs();
		await poll(
			() => {
				ann.send({ type: "ping" });
				return pongs() > before;
			},
			() => "a pong after the flood",
		);
	});

	it("is let through when limit.messages is 0", async (t) => {
		const server = await serverFor(t, { args: ["--limit.messages=0"] });
		const ann = await connect(t, server);
		for (let i = 0; i < 2000; i++) {
			ann.send({ type: "ping" });
		}
		await ann.waitFor((inbox) => inbox.length === 2000, "2000 pongs");
		assert.ok(ann.inbox.every(({ type }) => type === "pong"));
	});
});

describe("a native connection is closed", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--limit.messages=0"] });
	});
	after(() => server.stop());

	async function rawNative(t) {
		const raw = await RawWebSocket.connect(server, "/v1/connect", { protocol: "parley.v1" });
		t.after(() => raw.close());
		assert.equal(JSON.parse((await raw.expect(OP.text)).payload).type, "hello");
		return raw;
	}

	it("with 1007 for text that is not UTF-8", async (t) => {
		await undisturbed(server, "websocket_violations_total", async () => {
			const raw = await rawNative(t);
			const text = Buffer.from('{"type":"ping","x":"\xff"}', "latin1");
			raw.send(frame(OP.text, text));
			assert.equal((await raw.closed()).code, 1007);
			await raw.hungUp();
		});
	});

	it("with 1002 for a frame without mask", async (t) => {
		await undisturbed(server, "websocket_violations_total", async () => {
			const raw = await rawNative(t);
			raw.send(frame(OP.text, '{"type":"ping"}', { masked: false }));
			assert.equal((await raw.closed()).code, 1002);
			await raw.hungUp();
		});
	});

	it("with 1009 for a message over limits.message, in one frame or in many", async (t) => {
		const limit = 262144;
		await undisturbed(server, "websocket_violations_total", async () => {
			const one = await rawNative(t);
			one.send(frame(OP.text, "", { claim: limit + 1 }));
			assert.equal((await one.closed()).code, 1009);
			const many = await rawNative(t);
			const part = "x".repeat(limit / 4);
			many.send(frame(OP.text, part, { fin: false }));
			for (let i = 0; i < 4; i++) {
				many.send(frame(OP.cont, part, { fin: false }));
			}
			assert.equal((await many.closed()).code, 1009);
		});
	});

	it("with 1008 after 32 malformed messages in a row", async (t) => {
		await undisturbed(server, "malformed_messages_total", async () => {
			const ann = await connect(t, server);
			for (let i = 0; i < 32; i++) {
				ann.raw("{");
			}
			assert.equal((await ann.ended()).code, 1008);
			assert.ok(ann.inbox.length >= 31);
			assert.ok(ann.inbox.every(({ error }) => error.code === "malformed"));
		});
	});

	it("not after 31 malformed messages and a good one between", async (t) => {
		const ann = await connect(t, server);
		for (let round = 0; round < 3; round++) {
			for (let i = 0; i < 31; i++) {
				ann.raw("{");
			}
			await ann.settled();
		}
		assert.equal(ann.inbox.length, 93);
	});

	it("by its own close frame, answered with the same code", async (t) => {
		const raw = await rawNative(t);
		raw.send(closeFrame(1000, "bye"));
		assert.equal((await raw.closed()).code, 1000);
		await raw.hungUp();
	});

	it("with 1001 and reason timeout when it does not answer pings", async (t) => {
		const patient = await serverFor(t, {
			args: ["--ws.ping-interval=200ms", "--ws.ping-timeout=3s"],
		});
		const room = freshRoom();
		const ann = await connect(t, patient);
		await ann.join(room);
		const bob = await connect(t, patient, { autoPong: false });
		await bob.join(room);
		await ann.next("joined");
		assert.equal((await bob.ended()).code, 1001);
		await ann.next("left", { member: bob.id, reason: "timeout" });
		await metricIs(patient, "websocket_ping_timeouts_total", 1);
		await ann.nothing("the one that answers to stay");
	});

	it("and counted: no WebSocket, session or member is left in the gauges", async (t) => {
		const lonely = await serverFor(t);
		const before = await metrics(lonely);
		assert.equal(before.get("websockets"), 0);
		const clients = [];
		for (let i = 0; i < 5; i++) {
			const client = await Client.connect(lonely);
			await client.join("gauge");
			clients.push(client);
		}
		await metricIs(lonely, "sessions", 5);
		await metricIs(lonely, "members", 5);
		await clients[0].close();
		clients[1].vanish();
		clients[2].socket.send(Buffer.from([0xff]), { binary: false });
		await clients[3].do({ type: "leave" });
		await clients[3].close();
		clients[4].raw("{".repeat(300_000));
		for (const name of ["websockets", "sessions", "members", "rooms"]) {
			await metricIs(lonely, name, 0);
		}
	});
});
