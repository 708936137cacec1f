// docs/protocol.md, roles: who may do what, who becomes owner; capacity and ring rooms.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { allQuiet, connect, connectAll, freshRoom, roomOf } from "./lib/client.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";

// What each role may do, as the page says it. `bob` is somebody else in the room.
const ACTIONS = {
	"raise a hand": () => ({ type: "update", hand: true }),
	"say that it speaks": () => ({ type: "update", speaking: true }),
	"change its name": () => ({ type: "update", name: "Renamed" }),
	chat: () => ({ type: "chat", text: "hello" }),
	"signal to one": (bob) => ({ type: "signal", to: bob.id, data: 1 }),
	"signal to all": () => ({ type: "signal", data: 1 }),
	accept: (bob) => ({ type: "accept", to: bob.id }),
	reject: (bob) => ({ type: "reject", to: bob.id }),
	"give a role": (bob) => ({ type: "role", member: bob.id, role: "listener" }),
	kick: (bob) => ({ type: "kick", member: bob.id }),
};
const DENIED = {
	owner: [],
	moderator: [],
	speaker: ["give a role", "kick"],
	listener: ["signal to all", "give a role", "kick"],
};

describe("a role", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--limit.messages=0"] });
	});
	after(() => server.stop());

	for (const [role, denied] of Object.entries(DENIED)) {
		for (const [action, message] of Object.entries(ACTIONS)) {
			const may = !denied.includes(action);
			it(`${role} ${may ? "may" : "may not"} ${action}`, async (t) => {
				const [owner, actor, bob] = await roomOf(t, server, ["Owner", "Actor", "Bob"]);
				await owner.do({ type: "role", member: actor.id, role });
				await bob.next("updated", { member: actor.id });
				if (may) {
					await actor.do(message(bob));
				} else {
					await actor.refused(message(bob), "denied");
					await bob.nothing("a denied command to reach nobody");
				}
			});
		}
	}

	for (const field of ["mic", "camera", "screen"]) {
		it(`listener keeps ${field} false, and it falls when one becomes a listener`, async (t) => {
			const members = await roomOf(t, server, ["Owner", "Actor", "Bob"]);
			const [owner, actor, bob] = members;
			await actor.do({ type: "update", [field]: true });
			await bob.next("updated", { changes: { [field]: true } });
			await owner.do({ type: "role", member: actor.id, role: "listener" });
			await bob.next("updated", { changes: { role: "listener", [field]: false } });
			await actor.refused({ type: "update", [field]: true }, "denied");
			await actor.do({ type: "update", [field]: false });
			await owner.do({ type: "role", member: actor.id, role: "speaker" });
			await bob.next("updated", { changes: { role: "speaker" } });
			await actor.do({ type: "update", [field]: true });
			await bob.next("updated", { changes: { [field]: true } });
		});
	}

	it("is told to everybody when it changes", async (t) => {
		const members = await roomOf(t, server, ["Owner", "Actor", "Bob"]);
		const [owner, actor] = members;
		await owner.do({ type: "role", member: actor.id, role: "moderator" });
		for (const member of members) {
			const updated = await member.next("updated", { member: actor.id });
			assert.deepEqual(updated.changes, { role: "moderator" });
		}
		await allQuiet(members);
	});

	it("of owner goes to whoever has been there longest when the last owner leaves", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob, cem] = members;
		await ann.do({ type: "leave" });
		for (const member of [bob, cem]) {
			const left = await member.next("left", { member: ann.id });
			const updated = await member.next("updated", { member: bob.id });
			assert.deepEqual(updated.changes, { role: "owner" });
			assert.ok(updated.seq > left.seq);
		}
		bob.vanish();
		await cem.next("left", { member: bob.id });
		await cem.next("updated", { member: cem.id, changes: { role: "owner" } });
		await cem.nothing();
	});

	it("of owner stays where it is while another owner is there", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob, cem] = members;
		await ann.do({ type: "role", member: cem.id, role: "owner" });
		await bob.next("updated");
		await cem.next("updated");
		await ann.do({ type: "leave" });
		await bob.next("left");
		await cem.next("left");
		await allQuiet([bob, cem], members.room);
	});

	it("of the kicked one ends: it and the others hear of it, and it may say no more", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		const [ann, bob, cem] = members;
		await ann.do({ type: "kick", member: bob.id, reason: "too loud" });
		for (const member of members) {
			const left = await member.next("left", { member: bob.id, reason: "kick" });
			assert.equal(left.detail, "too loud");
		}
		await bob.refused({ type: "chat", room: members.room, text: "but" }, "not_joined");
		await allQuiet([ann, cem], members.room);
		await bob.join(members.room, { name: "Bob again" });
	});

	it("does not let a kick without a reason carry one", async (t) => {
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await ann.do({ type: "kick", member: bob.id });
		assert.ok(!("detail" in (await bob.next("left"))));
	});
});

describe("the capacity of a room", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--room.capacity=3"] });
	});
	after(() => server.stop());

	it("is room.capacity unless its maker asks for less", async (t) => {
		const ann = await connect(t, server);
		assert.equal((await ann.join(freshRoom())).capacity, 3);
		assert.equal((await ann.join(freshRoom(), { options: { capacity: 2 } })).capacity, 2);
	});

	it("turns the next one away with room_full, and lets it in when a seat is free", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"], { options: { capacity: 2 } });
		const cem = await connect(t, server);
		const join = { type: "join", room: members.room, name: "Cem" };
		await cem.refused(join, "room_full");
		await cem.refused({ type: "chat", room: members.room, text: "hi" }, "not_joined");
		await allQuiet(members);
		await members[0].do({ type: "leave" });
		await cem.do(join);
	});

	it("is not changed by the options of those who come later", async (t) => {
		const ann = await connect(t, server);
		const bob = await connect(t, server);
		const room = freshRoom();
		await ann.join(room, { options: { capacity: 2, ring: false } });
		const data = await bob.join(room, { options: { capacity: 3, ring: true } });
		assert.deepEqual([data.capacity, data.ring], [2, false]);
	});

	it("counts rooms and members in /metrics, and lets them go", async (t) => {
		await metricIs(server, "members", 0); // those of the test before
		const clients = await connectAll(t, server, 2);
		const room = freshRoom();
		for (const client of clients) {
			await client.join(room);
		}
		await metricIs(server, "members", 2);
		for (const client of clients) {
			await client.close();
		}
		await metricIs(server, "members", 0);
		await metricIs(server, "rooms", 0);
	});
});

describe("the number of rooms", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--room.max-rooms=3"] });
	});
	after(() => server.stop());

	it("ends at room.max-rooms with limit, until one of them is empty", async (t) => {
		const [ann, bob] = await connectAll(t, server, 2);
		const rooms = [freshRoom(), freshRoom(), freshRoom()];
		for (const room of rooms) {
			await ann.join(room);
		}
		const join = { type: "join", room: freshRoom(), name: "Bob" };
		await bob.refused(join, "limit");
		await bob.join(rooms[0]);
		await ann.do({ type: "leave", room: rooms[1] });
		await bob.do(join);
	});
});

describe("a ring room", () => {
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	it("is made by options.ring, and says so to who joins", async (t) => {
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"], { options: { ring: true } });
		assert.equal(ann.joinData.ring, true);
		assert.equal(bob.joinData.ring, true);
		assert.equal(bob.joinData.members[0].offer, true);
	});

	it("carries accept to the caller only", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"], { options: { ring: true } });
		const [ann, , caller] = members;
		await ann.do({ type: "accept", to: caller.id });
		await caller.next("accept", { from: ann.id, room: members.room });
		await allQuiet(members);
	});

	it("carries reject, with and without a reason, to the caller only", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem"], { options: { ring: true } });
		const [ann, bob, caller] = members;
		await ann.do({ type: "reject", to: caller.id, reason: "in a meeting" });
		assert.equal((await caller.next("reject", { from: ann.id })).reason, "in a meeting");
		await bob.do({ type: "reject", to: caller.id });
		assert.ok(!("reason" in (await caller.next("reject", { from: bob.id }))));
		await allQuiet(members);
	});
});
