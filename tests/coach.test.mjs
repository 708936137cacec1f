// The video socket of the coach pages, /ws-simple/{room}: three dialects (docs/dialects.md) at one
// address. Each test is a line of what those pages say and expect.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { fenceOf, talkTo } from "./lib/dialects.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { poll } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

const SDP = { type: "offer", sdp: "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n" };
const CANDIDATE = {
	candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host",
	sdpMid: "0",
	sdpMLineIndex: 0,
	usernameFragment: "frag",
};

// What joins say beyond type, roomId, userId and userName.
const JOINS = {
	D1: {},
	"D2 coach": { userRole: "coach" },
	"D2 client": { userRole: "client" },
	"D3 coach": { userRole: "coach", participantType: "human" },
	"D3 client": { userRole: "client", participantType: "human" },
	"D3 AI": { userRole: "ai", participantType: "ai" },
};

const path = (room) => `/ws-simple/${encodeURIComponent(room)}`;

function sayJoin(member, room) {
	const { user, name, kind } = member;
	member.send({ type: "join", roomId: room, userId: user, userName: name, ...JOINS[kind] });
}

/** Joins; resolves when the server must have dealt with it. */
async function join(t, server, room, kind, user, name = `Name of ${user}`) {
	const member = await talkTo(t, server, path(room));
	Object.assign(member, { user, name, kind, room });
	sayJoin(member, room);
	if (kind.startsWith("D3")) {
		member.list = await member.next("peer-discovery");
	}
	return member;
}

/** Joins in the order of the kinds, as u1, u2, ...; everybody has seen the later ones come. */
async function roomOf(t, server, kinds, room = freshRoom("coach")) {
	const members = [];
	for (const [i, kind] of kinds.entries()) {
		const member = await join(t, server, room, kind, `u${i + 1}`);
		for (const other of members) {
			await other.next("user-joined", { userId: member.user });
		}
		await heardOfOthers(member, members);
		members.push(member);
	}
	return members;
}

// Who has no list is told of one who was there before.
async function heardOfOthers(member, before) {
	if (!member.kind.startsWith("D3") && before.length > 0) {
		await member.next("user-joined", { userId: before[0].user });
	}
}

// Made for two, D1 and D2 pages ignore the list and the status; tests of two look for user-joined.
const IGNORED = new Set(["peer-discovery", "room-status", "user-joined"]);

const rest = ({ kind, inbox }) =>
	inbox.filter(({ type }) => kind.startsWith("D3") || !IGNORED.has(type));

const joins = ({ inbox }) => inbox.filter(({ type }) => type === "user-joined");

const fence = (members) =>
	fenceOf(
		members,
		(member, mark) => member.send({ type: "client_signal", action: "mark", mark }),
		(member, mark) => member.next("client_signal", { mark }),
	);

/** Nothing but what was taken has come to anybody. */
async function allQuiet(members) {
	await fence(members);
	for (const member of members) {
		assert.deepEqual(rest(member), [], `nothing more for ${member.user}`);
	}
}

const only = (message, keys) => Object.fromEntries(keys.map((key) => [key, message[key]]));

for (const workers of [1, 2]) {
	describe(`/ws-simple with ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers, args: ["--limit.messages=0"] });
		});
		after(() => server.stop());

		describe("a D1 page that joins", () => {
			it("hears nothing when it is alone", async (t) => {
				const room = freshRoom("coach");
				const ann = await join(t, server, room, "D1", "u1");
				ann.send({ type: "ping" });
				await ann.next("pong");
				assert.deepEqual(joins(ann), []);
				assert.deepEqual(rest(ann), []);
			});

			it("is told of who is there, to whom it shall offer, once", async (t) => {
				const room = freshRoom("coach");
				const ann = await join(t, server, room, "D1", "u1", "Ann");
				ann.send({ type: "ping" });
				await ann.next("pong");
				const bob = await join(t, server, room, "D1", "u2", "Bob");
				const told = await bob.next("user-joined");
				assert.deepEqual(only(told, ["userId", "userName", "shouldCreateOffer"]), {
					userId: "u1",
					userName: "Ann",
					shouldCreateOffer: true,
				});
				await ann.next("user-joined");
				await fence([ann, bob]);
				assert.deepEqual([...joins(ann), ...joins(bob)], []);
			});

			it("is shown to who is there, who shall wait", async (t) => {
				const room = freshRoom("coach");
				const ann = await join(t, server, room, "D1", "u1", "Ann");
				ann.send({ type: "ping" });
				await ann.next("pong");
				await join(t, server, room, "D1", "u2", "Bob");
				const told = await ann.next("user-joined");
				assert.deepEqual(only(told, ["userId", "userName", "shouldCreateOffer"]), {
					userId: "u2",
					userName: "Bob",
					shouldCreateOffer: false,
				});
			});
		});

		for (const [first, second] of [
			["D2 coach", "D2 client"],
			["D2 client", "D2 coach"],
		]) {
			it(`a ${first} and then a ${second} see each other with their roles`, async (t) => {
				const room = freshRoom("coach");
				const ann = await join(t, server, room, first, "u1");
				ann.send({ type: "ping" });
				await ann.next("pong");
				const bob = await join(t, server, room, second, "u2");
				const toAnn = await ann.next("user-joined");
				const toBob = await bob.next("user-joined");
				assert.deepEqual(only(toAnn, ["userId", "userRole"]), {
					userId: "u2",
					userRole: JOINS[second].userRole,
				});
				assert.deepEqual(only(toBob, ["userId", "userRole"]), {
					userId: "u1",
					userRole: JOINS[first].userRole,
				});
				await allQuiet([ann, bob]);
				assert.deepEqual([...joins(ann), ...joins(bob)], []);
			});
		}

		it("every user-joined has a role, also of those who named none", async (t) => {
			const members = await roomOf(t, server, ["D1"]);
			const room = members[0].room;
			const coach = await join(t, server, room, "D2 coach", "u2");
			const told = await coach.next("user-joined", { userId: "u1" });
			assert.equal(typeof told.userRole, "string");
		});

		describe("a D3 page that joins", () => {
			it("gets a list, also an empty one, with the room", async (t) => {
				const room = freshRoom("coach");
				const ann = await join(t, server, room, "D3 coach", "u1");
				assert.deepEqual(ann.list, { type: "peer-discovery", peers: [], roomId: room });
			});

			it("finds everybody in the list, in the order in which they came", async (t) => {
				const members = await roomOf(t, server, ["D3 coach", "D3 AI", "D3 client"]);
				const expected = ["D3 coach", "D3 AI"].map((kind, i) => ({
					userId: `u${i + 1}`,
					userName: `Name of u${i + 1}`,
					...JOINS[kind],
				}));
				const keys = ["userId", "userName", "userRole", "participantType"];
				assert.deepEqual(
					members[2].list.peers.map((peer) => only(peer, keys)),
					expected,
				);
			});

			it("gets no user-joined for those who are there", async (t) => {
				const kinds = ["D3 coach", "D1", "D2 client", "D3 client"];
				const members = await roomOf(t, server, kinds);
				assert.equal(members[3].list.peers.length, 3);
				await allQuiet(members);
			});

			it("is shown to the others with all that it said", async (t) => {
				const room = freshRoom("coach");
				const ann = await join(t, server, room, "D3 client", "u1");
				await join(t, server, room, "D3 coach", "u2", "Bob");
				const { userId, userName, userRole, participantType, shouldCreateOffer } =
					await ann.next("user-joined");
				assert.deepEqual(
					{ userId, userName, userRole, participantType },
					{ userId: "u2", userName: "Bob", userRole: "coach", participantType: "human" },
				);
				assert.equal(shouldCreateOffer, false, "the coach offers to the client");
			});

			for (const [there, newcomer, ids, told] of [
				["coach", "client", ["u1", "u2"], true],
				["client", "coach", ["u1", "u2"], false],
				["coach", "AI", ["u1", "u2"], true],
				["client", "AI", ["u2", "u1"], true],
				["AI", "coach", ["u1", "u2"], false],
				["AI", "client", ["u1", "u2"], false],
				["client", "client", ["u1", "u2"], true],
				["client", "client", ["u2", "u1"], false],
				["coach", "coach", ["u10", "u9"], true],
			]) {
				const text = `${there} ${ids[0]}, when a ${newcomer} ${ids[1]} comes,`;
				it(`${text} is told to ${told ? "offer" : "wait"}`, async (t) => {
					const room = freshRoom("coach");
					const ann = await join(t, server, room, `D3 ${there}`, ids[0]);
					await join(t, server, room, `D3 ${newcomer}`, ids[1]);
					const message = await ann.next("user-joined");
					assert.equal(message.shouldCreateOffer, told);
				});
			}
		});

		for (const [kinds, message] of [
			[["D1", "D1"], { type: "offer", offer: SDP }],
			[["D1", "D1"], { type: "answer", answer: { ...SDP, type: "answer" } }],
			[["D1", "D1"], { type: "ice-candidate", candidate: CANDIDATE }],
			[["D2 coach", "D2 client"], { type: "webrtc-offer", offer: SDP }],
			[["D2 coach", "D2 client"], { type: "webrtc-answer", answer: SDP }],
			[["D2 coach", "D2 client"], { type: "ice-candidate", candidate: CANDIDATE }],
			[["D3 coach", "D3 client", "D3 AI"], { type: "offer", offer: SDP }],
			[["D3 coach", "D3 client", "D3 AI"], { type: "answer", answer: SDP }],
			[["D3 coach", "D3 client", "D3 AI"], { type: "ice-candidate", candidate: CANDIDATE }],
		]) {
			it(`${message.type} of ${kinds[0]} without a target goes to all others`, async (t) => {
				const members = await roomOf(t, server, kinds);
				members[0].send(message);
				for (const other of members.slice(1)) {
					const got = await other.next(message.type);
					assert.deepEqual(got, { ...message, fromId: "u1", from: "u1" });
				}
				await allQuiet(members);
			});
		}

		for (const key of ["toId", "targetId", "to"]) {
			for (const [type, body] of [
				["offer", { offer: SDP }],
				["answer", { answer: SDP }],
				["ice-candidate", { candidate: CANDIDATE }],
			]) {
				it(`${type} goes to whom ${key} names, and nobody else`, async (t) => {
					const members = await roomOf(t, server, ["D3 coach", "D3 client", "D3 AI"]);
					members[0].send({ type, ...body, [key]: "u3" });
					const got = await members[2].next(type);
					const wanted = { type, ...body, [key]: "u3", fromId: "u1", from: "u1" };
					assert.deepEqual(got, wanted);
					await allQuiet(members);
				});
			}
		}

		for (const type of ["webrtc-offer", "webrtc-answer"]) {
			it(`${type} goes to whom "to" names, and nobody else`, async (t) => {
				const members = await roomOf(t, server, ["D2 coach", "D2 client", "D2 client"]);
				members[0].send({ type, to: "u3", offer: SDP, answer: SDP });
				const got = await members[2].next(type);
				assert.deepEqual(only(got, ["from", "fromId", "to"]), {
					from: "u1",
					fromId: "u1",
					to: "u3",
				});
				await allQuiet(members);
			});
		}

		it("toId is looked at before targetId, and targetId before to", async (t) => {
			const members = await roomOf(t, server, ["D3 coach", "D3 client", "D3 AI"]);
			members[0].send({ type: "offer", offer: SDP, to: "u2", toId: "u3" });
			await members[2].next("offer");
			members[0].send({ type: "offer", offer: SDP, to: "u3", targetId: "u2" });
			await members[1].next("offer");
			await allQuiet(members);
		});

		for (const [what, target] of [
			["nobody", "u99"],
			["nobody, being empty", ""],
			["nobody, being null", null],
			["nobody, being a number", 7],
		]) {
			it(`a target that names ${what} means all others`, async (t) => {
				const members = await roomOf(t, server, ["D3 coach", "D3 client", "D3 AI"]);
				members[0].send({ type: "offer", offer: SDP, toId: target });
				for (const other of members.slice(1)) {
					const got = await other.next("offer");
					assert.deepEqual(got.toId, target, "it is passed on as it came");
				}
				await allQuiet(members);
			});
		}

		it("unknown fields, deep and foreign ones too, are kept as they came", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["D1", "D1"]);
			const extra =
				'"x":{"a":[1,2.50,1e3,null,"\\u00e4\\ud83e\\udd8a"]},"roomId":"R","userId":"u1"';
			ann.raw(`{"type":"offer",${extra},"offer":{"type":"offer","sdp":"v=0\\r\\n","y":true}}`);
			const got = await bob.next("offer");
			assert.deepEqual(got.x, { a: [1, 2.5, 1000, null, "ä🦊"] });
			assert.deepEqual([got.roomId, got.userId], ["R", "u1"]);
			assert.deepEqual(got.offer, { type: "offer", sdp: "v=0\r\n", y: true });
			assert.ok(got.text.includes("2.50,1e3"), "numbers keep their spelling");
		});

		it("nobody can pass for somebody else by fromId or from", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["D1", "D1"]);
			const forged = { type: "offer", fromId: "u9", from: "u9", offer: SDP };
			ann.send(forged);
			const got = await bob.next("offer");
			assert.deepEqual(got, { ...forged, fromId: "u1", from: "u1" });
			for (const key of ["fromId", "from"]) {
				assert.equal(got.text.split(`"${key}":`).length, 2, `one ${key} in ${got.text}`);
			}
			ann.raw(`{"type":"offer","offer":{"type":"offer","sdp":""},"fro\\u006d":"u9"}`);
			const sly = await bob.next("offer");
			assert.equal(sly.from, "u1", "also when the key is spelt with an escape");
			ann.raw(`{"type":"offer","offer":{"type":"offer","sdp":""},"from":"u8","from":"u9"}`);
			assert.equal((await bob.next("offer")).from, "u1", "also when it comes twice");
		});

		it("what one sends comes in the order in which it was sent", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["D1", "D1"]);
			for (let n = 0; n < 100; n++) {
				ann.send({ type: "ice-candidate", candidate: CANDIDATE, n });
			}
			for (let n = 0; n < 100; n++) {
				assert.equal((await bob.next("ice-candidate")).n, n);
			}
		});

		for (const message of [
			{ type: "ai_status", status: "speaking", sessionId: "s1" },
			{ type: "client_signal", action: "pause", deep: { a: [1] } },
			{ type: "ai_control", action: "mute", toId: "u2" },
			{ type: "orb_heartbeat", metrics: { fps: 59.9 } },
			{ type: "ai-orb-shutdown", sessionId: "s1" },
		]) {
			it(`${message.type} goes to all others word for word`, async (t) => {
				const members = await roomOf(t, server, ["D3 coach", "D3 client", "D3 AI"]);
				const text = JSON.stringify(message).replace("{", '{ "from":"u9" ,');
				members[2].raw(text);
				for (const other of members.slice(0, 2)) {
					assert.equal((await other.next(message.type)).text, text);
				}
				await allQuiet(members);
			});
		}

		for (const kind of ["D1", "D3 coach"]) {
			it(`ping of ${kind} is answered with pong, to it alone`, async (t) => {
				const members = await roomOf(t, server, [kind, "D3 client"]);
				members[0].send({ type: "ping" });
				assert.deepEqual(await members[0].next("pong"), { type: "pong" });
				await allQuiet(members);
			});
		}

		for (const [kind, how, leave] of [
			["D1", "says leave", (m) => m.send({ type: "leave" })],
			["D2 client", "says leave", (m) => m.send({ type: "leave", roomId: "R", userId: m.user })],
			["D3 client", "closes", (m) => m.close(1000)],
			["D3 client", "breaks off", (m) => m.vanish()],
			["D1", "breaks off", (m) => m.vanish()],
			["D2 client", "goes without a code", (m) => m.close()],
		]) {
			it(`the others hear user-left once when a ${kind} ${how}`, async (t) => {
				const members = await roomOf(t, server, ["D3 coach", kind, "D3 AI"]);
				const [ann, bob, cem] = members;
				leave(bob);
				for (const other of [ann, cem]) {
					const left = await other.next("user-left");
					assert.equal(left.userId, "u2");
					assert.equal(left.userName, "Name of u2");
					assert.equal(typeof left.userRole, "string");
					if (kind !== "D1") {
						assert.equal(left.userRole, "client");
					}
					assert.equal(left.participantType, "human");
				}
				bob.vanish();
				await allQuiet([ann, cem]);
			});
		}

		it("who has left gets nothing more, and is heard by nobody", async (t) => {
			const [ann, bob, cem] = await roomOf(t, server, ["D3 coach", "D1", "D3 client"]);
			bob.send({ type: "leave" });
			await ann.next("user-left");
			await cem.next("user-left");
			bob.inbox.length = 0;
			if (!bob.gone) {
				bob.send({ type: "offer", offer: SDP });
			}
			ann.send({ type: "offer", offer: SDP });
			await cem.next("offer", { from: "u1" });
			await allQuiet([ann, cem]);
			assert.deepEqual(
				bob.inbox.filter(({ type }) => type === "offer"),
				[],
			);
		});

		it("who has not joined reaches nobody and hears nothing", async (t) => {
			const members = await roomOf(t, server, ["D3 coach", "D3 client"]);
			const eve = await talkTo(t, server, path(members[0].room));
			eve.send({ type: "offer", offer: SDP });
			eve.send({ type: "client_signal", action: "x" });
			eve.send({ type: "leave" });
			eve.send({ type: "ping" });
			await eve.next("pong");
			await allQuiet(members);
			assert.deepEqual(
				eve.inbox.filter(({ type }) => type !== "error"),
				[],
			);
		});

		for (const kind of Object.keys(JOINS)) {
			it(`a ${kind} that joins again replaces its old socket without a leave`, async (t) => {
				const kinds = ["D3 client", kind];
				const members = await roomOf(t, server, kinds);
				const [ann, old] = members;
				const again = await join(t, server, ann.room, kind, old.user);
				await ann.next("user-joined", { userId: old.user });
				await heardOfOthers(again, [ann]);
				await old.ended();
				await allQuiet([ann, again]);
				ann.send({ type: "offer", offer: SDP, toId: old.user });
				const type = kind.startsWith("D2") ? "webrtc-offer" : "offer";
				await again.next(type, { from: "u1" });
				again.vanish();
				await ann.next("user-left", { userId: old.user });
			});
		}

		it("a newcomer finds one who has reloaded once in its list", async (t) => {
			const [ann] = await roomOf(t, server, ["D3 coach"]);
			await join(t, server, ann.room, "D3 coach", "u1");
			const cem = await join(t, server, ann.room, "D3 client", "u3");
			assert.deepEqual(
				cem.list.peers.map(({ userId }) => userId),
				["u1"],
			);
		});

		it("an unknown type is ignored", async (t) => {
			const members = await roomOf(t, server, ["D1", "D3 client"]);
			members[0].send({ type: "weather", toId: "u2" });
			members[0].send({ type: "init_session", sessionId: "s" });
			members[0].send({ type: "ping" });
			await members[0].next("pong");
			await allQuiet(members);
		});

		for (const [what, text] of [
			["half an object", '{"type":"offer"'],
			["a word", "hello"],
			["nothing", ""],
			["an array", "[1]"],
		]) {
			it(`${what} instead of JSON is answered with error, and the socket stays`, async (t) => {
				const members = await roomOf(t, server, ["D1", "D3 client"]);
				await undisturbed(server, "malformed_messages_total", async () => {
					members[0].raw(text);
					const error = await members[0].next("error");
					assert.equal(typeof error.message, "string");
				});
				members[0].send({ type: "offer", offer: SDP });
				await members[1].next("offer");
				await allQuiet(members);
			});
		}

		it("a message over the limit closes with 1009, and the others hear user-left", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["D3 client", "D1"]);
			bob.send({ type: "offer", offer: { type: "offer", sdp: "x".repeat(300_000) } });
			assert.equal((await bob.ended()).code, 1009);
			await ann.next("user-left", { userId: "u2" });
		});

		it("bytes of another room never come, whatever the target", async (t) => {
			const here = await roomOf(t, server, ["D3 coach", "D3 client"]);
			const there = await join(t, server, freshRoom("other"), "D3 client", "u3");
			here[0].send({ type: "offer", offer: SDP, toId: "u3" });
			await here[1].next("offer", { toId: "u3" });
			there.send({ type: "offer", offer: SDP, toId: "u1", roomId: here[0].room });
			there.send({ type: "ping" });
			await there.next("pong");
			await allQuiet(here);
			assert.deepEqual(there.inbox, []);
		});

		it("everybody's socket gone, nothing stays in the server", async () => {
			for (const name of ["members", "rooms"]) {
				await metricIs(server, name, 0);
			}
		});
	});
}

describe("a flood on /ws-simple", () => {
	it("of candidates is counted and told, and disturbs nobody else", async (t) => {
		const server = await serverFor(t, { args: ["--limit.messages=50", "--limit.burst=100"] });
		await undisturbed(server, "rate_limited_total", async () => {
			const [ann, bob] = await roomOf(t, server, ["D3 client", "D1"]);
			for (let n = 0; n < 300 && !bob.gone; n++) {
				bob.send({ type: "ice-candidate", candidate: CANDIDATE, n });
			}
			await poll(
				() => bob.gone || bob.inbox.some(({ type }) => type === "error"),
				() => "an error or the end",
			);
			ann.send({ type: "ping" });
			await ann.next("pong");
		});
	});
});
