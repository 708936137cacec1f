// docs/protocol.md, "Connecting", "Requests and replies" and "Events": one test per rule.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { allQuiet, connect, connectAll, fence, freshRoom, roomOf } from "./lib/client.mjs";
import { ownIceUrls } from "./lib/ice.mjs";
import { startServer } from "./lib/server.mjs";

const QUIET_STATE = { mic: false, camera: false, screen: false, hand: false, speaking: false };

describe("a native session", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--limit.messages=0"] });
	});
	after(() => server.stop());

	it("is greeted with the protocol, its own id and the limits", async (t) => {
		const [ann, bob] = await connectAll(t, server, 2);
		assert.equal(ann.socket.protocol, "parley.v1");
		assert.notEqual(ann.hello.session, bob.hello.session);
		assert.deepEqual(
			ann.hello.iceServers.flatMap(({ urls }) => urls),
			ownIceUrls(server),
		);
		const sizes = { message: 262144, name: 128, metadata: 4096, text: 8192 };
		const voice = { size: 2048, listeners: 16, frames: 100 };
		assert.deepEqual(ann.hello.limits, { ...sizes, rooms: 8, voice, file: 25 << 20, files: 8 });
	});

	it("makes a room by joining it, and owns it", async (t) => {
		const ann = await connect(t, server);
		const room = freshRoom();
		const before = Date.now();
		const data = await ann.join(room, { name: "Ann" });
		assert.equal(data.room, room);
		assert.equal(data.you.name, "Ann");
		assert.equal(data.you.role, "owner");
		assert.deepEqual(data.you.state, QUIET_STATE);
		assert.ok(!("user" in data.you) && !("metadata" in data.you));
		assert.ok(data.you.joinedAt >= before - 1000 && data.you.joinedAt <= Date.now() + 1000);
		assert.deepEqual([data.members, data.chat, data.ring], [[], [], false]);
	});

	it("sees who is there when it joins, and the others see it come as a speaker", async (t) => {
		const ann = await connect(t, server);
		const bob = await connect(t, server);
		const room = freshRoom();
		const first = await ann.join(room, { name: "Ann", user: "ann@example.org" });
		const second = await bob.join(room, {
			name: "Bob",
			user: "bob@example.org",
			metadata: { colour: "green", deep: [1, { a: null }] },
			state: { mic: true, hand: true },
		});
		assert.deepEqual(second.members, [{ ...first.you, offer: true }]);
		const joined = await ann.next("joined", { room });
		assert.deepEqual(joined.member, second.you);
		assert.equal(joined.offer, false);
		assert.ok(joined.seq > second.seq);
		assert.equal(second.you.role, "speaker");
		assert.equal(second.you.user, "bob@example.org");
		assert.deepEqual(second.you.metadata, { colour: "green", deep: [1, { a: null }] });
		assert.deepEqual(second.you.state, { ...QUIET_STATE, mic: true, hand: true });
		await bob.nothing("the newcomer to see no event of its own coming");
	});

	it("is told to offer to everybody who was there before it, and nobody else is", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem", "Dora"]);
		for (const [i, member] of members.entries()) {
			assert.equal(member.joinData.members.length, i);
			assert.ok(member.joinData.members.every(({ offer }) => offer));
		}
	});

	it("lists the members in the order in which they came", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem", "Dora"]);
		const names = members[3].joinData.members.map(({ name }) => name);
		assert.deepEqual(names, ["Ann", "Bob", "Cem"]);
	});

	it("leaves with a reply, and the others hear it", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob, cem] = members;
		await bob.do({ type: "leave" });
		for (const other of [ann, cem]) {
			const left = await other.next("left", { member: bob.id, reason: "leave" });
			assert.equal(left.room, members.room);
		}
		await bob.nothing("the leaver to hear no event");
		await bob.refused({ type: "leave", room: members.room }, "not_joined");
	});

	for (const [what, reason, go] of [
		["breaks off", "disconnect", (client) => client.vanish()],
		["closes with 4000, to come back", "disconnect", (client) => client.close(4000)],
		["closes with 1000", "leave", (client) => client.close(1000)],
		["closes without a code", "leave", (client) => client.close(undefined)],
	]) {
		it(`leaves its rooms with reason ${reason} when it ${what}`, async (t) => {
			const [ann, bob, cem] = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
			await go(cem);
			await ann.next("left", { member: cem.id, reason });
			await bob.next("left", { member: cem.id, reason });
		});
	}

	it("comes back to a room it left as a new member", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann, bob] = members;
		const old = bob.id;
		await bob.do({ type: "leave" });
		await bob.join(members.room, { name: "Bob" });
		assert.notEqual(bob.id, old);
		await ann.next("left", { member: old });
		await ann.next("joined", { member: (await membersOf(t, members.room, bob.id)).record });
	});

	async function membersOf(t, room, id) {
		const eve = await connect(t, server);
		const data = await eve.join(room, { name: "Eve" });
		await eve.do({ type: "leave" });
		const { offer: _, ...record } = data.members.find((member) => member.id === id) ?? {};
		return { record, data };
	}

	it("makes the room anew when the last member has left it", async (t) => {
		const ann = await connect(t, server);
		const room = freshRoom();
		await ann.join(room, { options: { capacity: 2, ring: true } });
		await ann.do({ type: "chat", text: "hello" });
		await ann.do({ type: "leave" });
		const data = await ann.join(room, { options: { capacity: 3 } });
		assert.deepEqual([data.capacity, data.ring, data.chat], [3, false, []]);
		assert.equal(data.you.role, "owner");
	});

	for (const field of Object.keys(QUIET_STATE)) {
		it(`tells the others, not itself, that ${field} changed`, async (t) => {
			const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
			const [ann, bob, cem] = members;
			for (const value of [true, false]) {
				await ann.do({ type: "update", [field]: value });
				for (const other of [bob, cem]) {
					const updated = await other.next("updated", { member: ann.id });
					assert.deepEqual(updated.changes, { [field]: value });
				}
			}
			await allQuiet(members);
		});
	}

	it("tells nobody of an update that changes nothing", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		await members[0].do({ type: "update" });
		await members[0].do({ type: "update", mic: false, hand: false });
		await allQuiet(members);
	});

	it("updates several fields at once, and newcomers see them", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann, bob] = members;
		const changes = { mic: true, screen: true, name: "Anna 🦊", metadata: { mood: "glad" } };
		await ann.do({ type: "update", ...changes });
		assert.deepEqual((await bob.next("updated")).changes, changes);
		const { record } = await membersOf(t, members.room, ann.id);
		assert.equal(record.name, "Anna 🦊");
		assert.deepEqual(record.metadata, { mood: "glad" });
		assert.deepEqual(record.state, { ...QUIET_STATE, mic: true, screen: true });
	});

	it("sends a targeted signal to its target only", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob] = members;
		await ann.do({ type: "signal", to: bob.id, data: { candidate: null } });
		const signal = await bob.next("signal");
		assert.deepEqual([signal.from, signal.to], [ann.id, bob.id]);
		assert.deepEqual(signal.data, { candidate: null });
		await allQuiet(members);
	});

	it("sends a signal without target to all others", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob, cem] = members;
		await ann.do({ type: "signal", data: "to all" });
		for (const other of [bob, cem]) {
			const signal = await other.next("signal", { from: ann.id, data: "to all" });
			assert.ok(!("to" in signal));
		}
		await allQuiet(members);
	});

	for (const [what, data] of [
		["white space", '{ "a" :\t[1 , 2] }'],
		["numbers no double holds", "[123456789012345678901234567890,1.10,-0,1E400]"],
		["escapes", '"\\u00e9\\/\\ud83e\\udd8a\\u0000"'],
		["repeated and ordered keys", '{"b":1,"a":2,"b":3}'],
		["a bare true", "true"],
		["null", "null"],
		["raw UTF-8", '"ﬁ 🦊 \u2028"'],
	]) {
		it(`passes on the data of a signal byte for byte: ${what}`, async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			ann.raw(`{"data":${data},"type":"signal","to":"${bob.id}"}`);
			await bob.next("signal");
			assert.ok(bob.lastText.includes(`"data":${data}`), bob.lastText);
		});
	}

	it("passes on a signal that just fits limits.message", async (t) => {
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const start = `{"type":"signal","to":"${bob.id}","data":"`;
		const room = ann.hello.limits.message - start.length - 2;
		const data = "x".repeat(room);
		ann.raw(`${start}${data}"}`);
		await bob.next("signal", { data });
	});

	it("hears its own chat, as everybody does, with number and time", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob] = members;
		await ann.do({ type: "chat", text: 'one 🦊\n"two"' });
		await bob.do({ type: "chat", text: "three" });
		for (const member of members) {
			const first = await member.next("chat");
			const second = await member.next("chat");
			assert.deepEqual([first.from, first.name, first.text], [ann.id, "Ann", 'one 🦊\n"two"']);
			assert.deepEqual([second.from, second.name, second.text], [bob.id, "Bob", "three"]);
			assert.deepEqual([first.n, second.n], [1, 2]);
			assert.ok(Math.abs(first.time - Date.now()) < 60_000);
			assert.ok(second.time >= first.time);
		}
	});

	it("finds the last chat messages in the reply to its join", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann, bob] = members;
		const said = [];
		for (const text of ["a", "b", "c"]) {
			await ann.do({ type: "chat", text });
			said.push(await bob.next("chat"));
		}
		const { data } = await membersOf(t, members.room, ann.id);
		// They are not events any more, but what was said.
		const past = said.map(({ seq, ...message }) => message);
		assert.deepEqual(data.chat, past);
	});

	it("answers ping with pong, or with a reply where there is an id", async (t) => {
		const ann = await connect(t, server);
		ann.send({ type: "ping" });
		await ann.next("pong");
		assert.equal(await ann.do({ type: "ping" }), undefined);
		await ann.nothing();
	});

	it("says nothing to a message without id that succeeds", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann, bob] = members;
		ann.send({ type: "update", mic: true });
		ann.send({ type: "signal", to: bob.id, data: 1 });
		await bob.next("signal");
		await bob.next("updated");
		await allQuiet(members);
	});

	it("may leave out the room only while it is in exactly one", async (t) => {
		const ann = await connect(t, server);
		await ann.refused({ type: "chat", text: "nowhere" }, "not_joined");
		const [one, two] = [freshRoom(), freshRoom()];
		await ann.join(one);
		await ann.do({ type: "chat", text: "here" });
		await ann.next("chat", { room: one });
		await ann.join(two);
		await ann.refused({ type: "chat", text: "where?" }, "not_joined");
		await ann.do({ type: "chat", room: two, text: "there" });
		await ann.next("chat", { room: two });
		await ann.do({ type: "leave", room: one });
		await ann.do({ type: "chat", text: "two again" });
		await ann.next("chat", { room: two, text: "two again" });
	});

	it("has fields ignored that nobody knows", async (t) => {
		const ann = await connect(t, server);
		await ann.join(freshRoom(), { colour: "red", state: { mood: 7 }, options: { walls: [] } });
		await ann.do({ type: "update", hand: true, tail: { long: true } });
	});

	it("is in several rooms at once, each with its own numbers", async (t) => {
		const ann = await connect(t, server);
		const others = [];
		for (let i = 0; i < 8; i++) {
			const [other] = await roomOf(t, server, [`Other ${i}`]);
			other.room = other.joinData.room;
			await ann.join(other.room);
			other.annId = ann.id;
			await other.next("joined");
			others.push(other);
		}
		for (const { room } of others) {
			ann.send({ type: "chat", room, text: `to ${room}` });
		}
		for (const other of others) {
			await other.next("chat", { room: other.room, text: `to ${other.room}`, n: 1 });
		}
		ann.vanish();
		for (const other of others) {
			await other.next("left", { member: other.annId, reason: "disconnect" });
		}
	});

	it("keeps rooms apart", async (t) => {
		const here = await roomOf(t, server, ["Ann", "Bob"]);
		const there = await roomOf(t, server, ["Cem", "Dora"]);
		await here[0].do({ type: "signal", data: 1 });
		await here[0].refused({ type: "signal", to: there[0].id, data: 1 }, "no_such_member");
		await here[1].next("signal");
		await allQuiet(here);
		await allQuiet(there);
	});

	it("may use any 128 bytes of UTF-8 as a room's name", async (t) => {
		for (const room of ["a/b?c=d&e#f", " ", "🦊".repeat(32), "x".repeat(128), "ä".repeat(64)]) {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"], { room });
			await ann.do({ type: "leave", room });
			await bob.next("left", { room });
			await bob.close();
		}
	});

	it("may have an empty name", async (t) => {
		const ann = await connect(t, server);
		assert.equal((await ann.join(freshRoom(), { name: "" })).you.name, "");
	});
});

describe("the events of a room", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--limit.messages=0"], workers: 2 });
	});
	after(() => server.stop());

	// Client.#take holds for every test that `seq` rises; here all talk at once.
	it("come to all members in the same order", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem", "Dora"]);
		const each = 100;
		for (let i = 0; i < each; i++) {
			for (const member of members) {
				member.send({ type: "chat", text: `${member.id} ${i}` });
			}
		}
		const total = each * members.length;
		const orders = [];
		for (const member of members) {
			await member.waitFor((inbox) => inbox.length === total, "everybody's chat");
			orders.push(member.inbox.map(({ seq, n, text }) => ({ seq, n, text })));
			member.inbox.length = 0;
		}
		for (const order of orders) {
			assert.deepEqual(order, orders[0]);
		}
		assert.deepEqual(
			orders[0].map(({ n }) => n),
			Array.from({ length: total }, (_, i) => i + 1),
		);
		for (const { id } of members) {
			const own = orders[0].filter(({ text }) => text.startsWith(id));
			const sent = Array.from({ length: each }, (_, i) => `${id} ${i}`);
			assert.deepEqual(
				own.map(({ text }) => text),
				sent,
			);
		}
		await allQuiet(members);
	});

	it("keep their order when kinds mix", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob, cem] = members;
		for (let i = 0; i < 50; i++) {
			ann.send({ type: "update", mic: i % 2 === 0 });
			ann.send({ type: "signal", data: i });
			bob.send({ type: "update", hand: i % 2 === 0 });
			bob.send({ type: "signal", to: cem.id, data: `for Cem ${i}` });
		}
		await fence([ann, ...members.slice(1)], members.room);
		await fence([bob, ann, cem], members.room);
		const seen = (member, of) =>
			member.inbox.filter(({ from, member: about }) => [from, about].includes(of.id));
		assert.equal(seen(cem, ann).length, 100);
		assert.equal(seen(cem, bob).length, 100);
		assert.deepEqual(
			seen(bob, ann).map(({ seq }) => seq),
			seen(cem, ann).map(({ seq }) => seq),
		);
		const numbers = cem.inbox.filter(({ from, to }) => from === ann.id && !to);
		assert.deepEqual(
			numbers.map(({ data }) => data),
			Array.from({ length: 50 }, (_, i) => i),
		);
	});
});
