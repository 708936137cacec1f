// The signalling socket of the coworking page: an envelope {type, data, from, to, roomId} at three
// addresses (docs/dialects.md). A page goes by a name of its own invention, the room by another.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { fenceOf, talkTo } from "./lib/dialects.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";
import { undisturbed } from "./lib/witness.mjs";

const TOKEN = `${btoa('{"alg":"HS256"}')}.${btoa('{"sub":"5b1f"}')}.c2lnbmF0dXJl`.replaceAll(
	"=",
	"",
);
const PATHS = {
	"/ws/room/{id}": (room) => `/ws/room/${room}`,
	"/ws/room/{id}?token=": (room) => `/ws/room/${room}?token=${TOKEN}`,
	"/ws/rooms/{id}?token=": (room) => `/ws/rooms/${room}?token=${TOKEN}`,
	"/api/ws/rooms/{id}?token=": (room) => `/api/ws/rooms/${room}?token=${TOKEN}`,
};
const OFFER = { type: "offer", sdp: "v=0\r\n" };
const CANDIDATE = {
	candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host",
	sdpMid: "0",
	sdpMLineIndex: 0,
};

let people = 0;

function say(member, type, data, to) {
	member.send({ type, data, from: member.alias, to, roomId: member.room });
}

/** Connects, and says who it is as the page does unless told to be silent. */
async function enter(t, server, room, { path = PATHS["/ws/room/{id}"], silent = false } = {}) {
	const member = await talkTo(t, server, path(encodeURIComponent(room)));
	people += 1;
	Object.assign(member, { room, alias: `guest_5173_${people}` });
	if (!silent) {
		say(member, "user-joined", { userId: member.alias });
	}
	return member;
}

const fence = (members) =>
	fenceOf(
		members,
		(member, mark) => say(member, "ice-candidate", { ...CANDIDATE, mark }),
		(member, mark) => member.next("ice-candidate", { data: { ...CANDIDATE, mark } }),
	);

/** Each of the others has been told of the newcomer by one name, which becomes its id. */
async function known(newcomer, others) {
	for (const other of others) {
		const joined = await other.next("user-joined");
		newcomer.id ??= joined.from;
		assert.deepEqual(joined, {
			type: "user-joined",
			data: { userId: newcomer.id },
			from: newcomer.id,
			roomId: newcomer.room,
		});
	}
}

/** The first in a room has nobody to be told to: its id is learnt from what it sends. */
async function learnId(member, other) {
	say(member, "ice-candidate", { hello: 1 });
	member.id = (await other.next("ice-candidate", { data: { hello: 1 } })).from;
}

async function roomOf(t, server, count, { room = freshRoom("cowork"), ...options } = {}) {
	const members = [];
	for (let i = 0; i < count; i++) {
		const member = await enter(t, server, room, options);
		if (i === 0) {
			await metricIs(server, "members", (value) => value > 0);
		}
		await known(member, members);
		members.push(member);
	}
	if (count > 1) {
		await learnId(members[0], members[1]);
		for (const other of members.slice(2)) {
			await other.next("ice-candidate");
		}
	}
	return members;
}

async function allQuiet(members) {
	await fence(members);
	for (const member of members) {
		assert.deepEqual(member.inbox, [], `nothing more for ${member.alias}`);
	}
}

for (const workers of [1, 2]) {
	describe(`coworking with ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers, args: ["--limit.messages=0"] });
		});
		after(() => server.stop());
		// Each test begins with nobody there, so that "somebody is in" can be read from /metrics.
		const test = (name, body) =>
			it(name, async (t) => {
				await metricIs(server, "members", 0);
				await body(t);
			});

		for (const [spelling, path] of Object.entries(PATHS)) {
			test(`${spelling} is a door to the room`, async (t) => {
				const [ann, bob] = await roomOf(t, server, 2, { path });
				say(ann, "offer", OFFER, bob.id);
				assert.deepEqual((await bob.next("offer")).data, OFFER);
				await allQuiet([ann, bob]);
			});
		}

		test("all doors lead to one room, whose name may be escaped", async (t) => {
			const room = freshRoom("co work ä");
			const members = [];
			for (const path of Object.values(PATHS)) {
				const member = await enter(t, server, room, { path });
				if (members.length === 0) {
					await metricIs(server, "members", 1);
				}
				await known(member, members);
				members.push(member);
			}
			await allQuiet(members);
		});

		test("two with the same token are two members", async (t) => {
			const path = PATHS["/ws/rooms/{id}?token="];
			const members = await roomOf(t, server, 3, { path });
			const ids = new Set(members.map(({ id }) => id));
			assert.equal(ids.size, 3);
			await allQuiet(members);
		});

		test("who was there is told of the newcomer, who gets no list", async (t) => {
			const members = await roomOf(t, server, 3);
			await allQuiet(members);
		});

		test("who connects is announced without saying a word", async (t) => {
			const room = freshRoom("cowork");
			const ann = await enter(t, server, room, { silent: true });
			await metricIs(server, "members", 1);
			const bob = await enter(t, server, room, { silent: true });
			await known(bob, [ann]);
		});

		test("the user-joined and user-left that a page sends itself go to nobody", async (t) => {
			const [ann, bob] = await roomOf(t, server, 2);
			for (const type of ["user-joined", "user-left"]) {
				say(bob, type, { userId: bob.alias });
				say(bob, type, { userId: bob.alias }, ann.id);
			}
			await allQuiet([ann, bob]);
		});

		for (const [type, data] of [
			["offer", OFFER],
			["answer", { type: "answer", sdp: "v=0\r\n" }],
			["ice-candidate", { ...CANDIDATE, usernameFragment: "f", deep: [1, 2.5, { a: null }] }],
		]) {
			test(`${type} goes to whom "to" names, as it came, from the room's name`, async (t) => {
				const [ann, bob, cem] = await roomOf(t, server, 3);
				const message = { type, data, from: ann.alias, to: cem.id, roomId: ann.room, x: [1] };
				ann.send(message);
				const { to: _, ...got } = await cem.next(type);
				const { to: __, ...wanted } = { ...message, from: ann.id };
				assert.deepEqual(got, wanted);
				await allQuiet([ann, bob, cem]);
			});

			test(`${type} without "to" goes to all others`, async (t) => {
				const [ann, ...others] = await roomOf(t, server, 3);
				say(ann, type, data);
				for (const other of others) {
					const got = await other.next(type);
					assert.deepEqual([got.data, got.from, got.roomId], [data, ann.id, ann.room]);
				}
				await allQuiet([ann, ...others]);
			});
		}

		test("one is reached by the name that it was heard to use", async (t) => {
			const [ann, bob, cem] = await roomOf(t, server, 3);
			say(ann, "offer", OFFER, cem.alias);
			assert.equal((await cem.next("offer")).from, ann.id);
			say(cem, "answer", OFFER, ann.alias);
			assert.equal((await ann.next("answer")).from, cem.id);
			await allQuiet([ann, bob, cem]);
		});

		test("a call by the pages' own rules finds its peers on both sides", async (t) => {
			const [ann, bob] = await roomOf(t, server, 2);
			say(ann, "offer", OFFER, bob.id);
			const offer = await bob.next("offer");
			assert.equal(offer.from, ann.id);
			say(bob, "answer", OFFER, offer.from);
			const answer = await ann.next("answer");
			assert.equal(answer.from, bob.id, "the peer that ann was told of, and no other");
			say(bob, "ice-candidate", CANDIDATE, offer.from);
			assert.equal((await ann.next("ice-candidate")).from, bob.id);
		});

		test("who changes its name is reached by the new one, and known by the same id", async (t) => {
			const [ann, bob] = await roomOf(t, server, 2);
			bob.alias = "guest_5174_new";
			say(bob, "answer", OFFER, ann.id);
			assert.equal((await ann.next("answer")).from, bob.id);
			say(ann, "offer", OFFER, "guest_5174_new");
			await bob.next("offer");
			await allQuiet([ann, bob]);
		});

		test("nobody takes another's name: it stays with whom it was learnt from", async (t) => {
			const [ann, bob, eve] = await roomOf(t, server, 3);
			const own = eve.alias;
			for (const name of [bob.alias, bob.id]) {
				eve.alias = name;
				say(eve, "ice-candidate", CANDIDATE, ann.id);
				assert.equal((await ann.next("ice-candidate")).from, eve.id);
				say(ann, "offer", OFFER, name);
				await bob.next("offer");
			}
			eve.alias = own;
			await allQuiet([ann, bob, eve]);
		});

		test("a message for somebody who is not there goes to nobody", async (t) => {
			const members = await roomOf(t, server, 3);
			say(members[0], "offer", OFFER, "nobody");
			await allQuiet(members);
		});

		for (const [what, message] of [
			["type", { data: OFFER, from: "x", roomId: "R" }],
			["from", { type: "offer", data: OFFER, roomId: "R" }],
			["roomId", { type: "offer", data: OFFER, from: "x" }],
			["a known type", { type: "weather", data: OFFER, from: "x", roomId: "R" }],
			["a type that is text", { type: 1, data: OFFER, from: "x", roomId: "R" }],
		]) {
			test(`a message without ${what} is ignored`, async (t) => {
				const [ann, bob] = await roomOf(t, server, 2);
				const room = message.roomId && { roomId: ann.room };
				ann.send({ ...message, ...room });
				ann.send({ ...message, ...room, to: bob.id });
				await allQuiet([ann, bob]);
			});
		}

		for (const [what, text] of [
			["half an object", '{"type":"offer"'],
			["a word", "hello"],
			["nothing", ""],
			["an array", "[]"],
		]) {
			test(`${what} instead of JSON is counted and ignored`, async (t) => {
				const [ann, bob] = await roomOf(t, server, 2);
				await undisturbed(server, "malformed_messages_total", async () => ann.raw(text));
				await allQuiet([ann, bob]);
			});
		}

		for (const [how, leave] of [
			["closes", (member) => member.close(1000)],
			["breaks off", (member) => member.vanish()],
		]) {
			test(`the others hear user-left when one ${how}`, async (t) => {
				const [ann, bob, cem] = await roomOf(t, server, 3);
				await leave(cem);
				for (const other of [ann, bob]) {
					assert.deepEqual(await other.next("user-left"), {
						type: "user-left",
						data: { userId: cem.id },
						from: cem.id,
						roomId: ann.room,
					});
				}
				say(ann, "offer", OFFER, cem.alias);
				await allQuiet([ann, bob]);
			});
		}

		test("no other room is reached, by id, by name or by roomId", async (t) => {
			const [ann, bob] = await roomOf(t, server, 2);
			const there = await roomOf(t, server, 2, { room: freshRoom("cowork-other") });
			for (const name of [bob.id, bob.alias]) {
				say(there[0], "offer", OFFER, name);
				const { type, data, from } = { type: "offer", data: OFFER, from: there[0].alias };
				there[0].send({ type, data, from, to: name, roomId: ann.room });
			}
			await allQuiet([ann, bob]);
			await fence(there);
		});

		test("a message over the limit closes with 1009, and the others hear user-left", async (t) => {
			const [ann, bob] = await roomOf(t, server, 2);
			say(bob, "offer", { type: "offer", sdp: "x".repeat(300_000) }, ann.id);
			assert.equal((await bob.ended()).code, 1009);
			await ann.next("user-left", { from: bob.id });
		});

		test("everybody's socket gone, nothing stays in the server", async () => {
			for (const name of ["rooms", "websockets"]) {
				await metricIs(server, name, 0);
			}
		});
	});
}
