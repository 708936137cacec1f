// A table of one's own over plain WebSockets: one address for all rooms, whose first message names the room, so
// that a connection may have to move to another worker while its message is heard.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { fenceOf, openPage, talkTo } from "./lib/dialects.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { freshDir, startServer } from "./lib/server.mjs";
import { heard, stock } from "./lib/socketio.mjs";

const TABLE = `
dialect  mine
speaks   json event
route    /mine
unknown  error

every 1s send tick {at: $seconds}

on enter
    join room=data.room user=data.id name=data.name keep={colour: data.colour}

on shout
    rate 2/s
    size 2kB
    relay others {*, by: $id}

on order
    only moderator
    relay all {*, by: $id}

on whisper
    relay to data.to as whispered {data: {text: data.text, from: $id}}

on say
    chat data.text

on go
    leave

when chat
    send said {words: $text, mine: $mine}

when welcome
    send entered {room: $room, you: $id, all: $members {id: $id, name: $name, *}}

when joined
    send came {id: $id, name: $name, *, mine: $mine}

when left
    send went {id: $id}

when error
    send failed {code: $code, detail: $detail}
`;

for (const workers of [1, 3]) {
	describe(`a table of one's own with ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		let dataDir;
		before(async () => {
			dataDir = freshDir();
			mkdirSync(join(dataDir, "dialects"));
			writeFileSync(join(dataDir, "dialects", "mine.dialect"), TABLE);
			server = await startServer({ workers, dataDir });
		});
		after(async () => {
			await server.stop();
			rmSync(dataDir, { recursive: true, force: true });
		});

		const hears = async (member, event, fits = () => true) => {
			const at = () => member.inbox.findIndex((m) => m.event === event && fits(m));
			await member.wait(() => at() >= 0, event);
			return member.inbox.splice(at(), 1)[0];
		};

		async function enter(t, room, id, more = {}) {
			const member = await talkTo(t, server, "/mine");
			member.send({ event: "enter", data: { room, id, name: `Name of ${id}`, ...more } });
			member.entered = await hears(member, "entered");
			return member;
		}

		const rest = ({ inbox }) => inbox.filter(({ event }) => event !== "tick");

		it("members meet wherever they came in, and know what each has said of itself", async (t) => {
			const room = freshRoom("mine");
			const ann = await enter(t, room, "a", { colour: "red" });
			const ben = await enter(t, room, "b", { secret: 1 });
			assert.deepEqual(await hears(ann, "came"), {
				event: "came",
				id: "b",
				name: "Name of b",
				mine: false,
			});
			assert.deepEqual(ben.entered, {
				event: "entered",
				room,
				you: "b",
				all: [
					{ id: "a", name: "Name of a", colour: "red" },
					{ id: "b", name: "Name of b" },
				],
			});
			ben.send({ event: "whisper", data: { to: "a", text: "psst" }, extra: 1 });
			assert.deepEqual(await hears(ann, "whispered"), {
				event: "whispered",
				data: { text: "psst", from: "b" },
			});
			ben.send({ event: "go" });
			assert.equal((await hears(ann, "went")).id, "b");
			assert.deepEqual([...rest(ann), ...rest(ben)], []);
		});

		it("fields of a value that an attacker chose do not take the place of ours", async (t) => {
			const room = freshRoom("mine");
			const ann = await enter(t, room, "a");
			const ben = await enter(t, room, "b");
			await hears(ann, "came");
			ben.send({ event: "shout", by: "a", x: 1 });
			assert.deepEqual(await hears(ann, "shout"), { event: "shout", x: 1, by: "b" });
			ben.raw('{"event":"shout","event":"went","id":"a"}');
			assert.equal((await hears(ben, "failed")).code, "malformed");
			assert.deepEqual(rest(ann), []);
		});

		it("guards answer who goes too far, and nobody else hears of it", async (t) => {
			const room = freshRoom("mine");
			const ann = await enter(t, room, "a");
			const ben = await enter(t, room, "b");
			await hears(ann, "came");
			// Two at once, and what time brings.
			const shouts = 10;
			for (let i = 0; i < shouts; i++) {
				ben.send({ event: "shout", i });
			}
			await hears(ben, "failed", ({ code }) => code === "rate_limited");
			for (const [message, wanted] of [
				[{ event: "shout", pad: "x".repeat(3000) }, "too_large"],
				[{ event: "order" }, "denied"],
				[{ event: "dance" }, "unknown_type"],
			]) {
				ben.send(message);
				await hears(ben, "failed", ({ code }) => code === wanted);
			}
			ann.send({ event: "order", what: "quiet" });
			for (const member of [ann, ben]) {
				assert.deepEqual(await hears(member, "order"), {
					event: "order",
					what: "quiet",
					by: "a",
				});
			}
			const numbers = rest(ann).map(({ i }) => i);
			assert.deepEqual(numbers.slice(0, 2), [0, 1]);
			assert.ok(numbers.length < shouts);
		});

		it("before joining nothing is heard, and a bad join is answered", async (t) => {
			const eve = await talkTo(t, server, "/mine");
			eve.send({ event: "shout" });
			assert.equal((await hears(eve, "failed")).code, "not_joined");
			eve.send({ event: "enter", data: { id: "e" } });
			assert.deepEqual(await hears(eve, "failed"), {
				event: "failed",
				code: "bad_field",
				detail: "room",
			});
			eve.send({ event: "enter", data: "no object" });
			assert.equal((await hears(eve, "failed")).code, "bad_field");
			const room = freshRoom("mine");
			eve.send({ event: "enter", data: { room, id: "e" } });
			assert.equal((await hears(eve, "entered")).room, room);
		});

		it("ticks come before and after the move", async (t) => {
			const early = await talkTo(t, server, "/mine");
			await hears(early, "tick");
			early.send({ event: "enter", data: { room: freshRoom("mine"), id: "e" } });
			await hears(early, "entered");
			const { at } = await hears(early, "tick", ({ at }) => Math.abs(at - Date.now() / 1000) < 30);
			await hears(early, "tick", (m) => m.at > at);
		});

		it("who changes rooms leaves the first, also when that lives elsewhere", async (t) => {
			const [here, there] = [freshRoom("mine"), freshRoom("mine")];
			const ann = await enter(t, here, "a");
			const ben = await enter(t, here, "b");
			const cem = await enter(t, there, "c");
			await hears(ann, "came");
			ben.send({ event: "enter", data: { room: there, id: "b2", name: "Ben" } });
			assert.equal((await hears(ann, "went")).id, "b");
			assert.equal((await hears(cem, "came")).id, "b2");
			assert.equal((await hears(ben, "entered")).you, "b2");
			await fenceOf(
				[ben, cem],
				(member, mark) => member.send({ event: "shout", mark }),
				(member, mark) => hears(member, "shout", (m) => m.mark === mark),
			);
			assert.deepEqual(rest(ann), []);
		});

		it("what was said before is for tables that ask for it", async (t) => {
			const room = freshRoom("mine");
			const ann = await enter(t, room, "a");
			ann.send({ event: "say", data: { text: "before" } });
			assert.deepEqual(await hears(ann, "said"), { event: "said", words: "before", mine: true });
			ann.send({ event: "go" });
			ann.send({ event: "enter", data: { room, id: "a" } });
			await hears(ann, "entered");
			const ben = await enter(t, room, "b");
			ben.send({ event: "say", data: { text: "now" } });
			assert.equal((await hears(ann, "said")).words, "now");
			assert.deepEqual(await hears(ben, "said"), { event: "said", words: "now", mine: true });
		});

		it("everybody gone, nothing stays", async () => {
			for (const name of ["members", "rooms", "sessions"]) {
				await metricIs(server, name, 0);
			}
		});
	});
}

// Two ways to say media that are neither ours nor those of the shipped tables: flat messages with texts in
// them, and one event for everything.
const FLAT = `
dialect  flat
speaks   json type
route    /flat/{room}
offers   later

on connect
    join room=$room
on offer
    media offer {type: "offer", sdp: sdp} back {sdp: sdp}
    relay others {*, from: $id}
on answer
    media answer {type: "answer", sdp: sdp} back {sdp: sdp}
    relay others {*, from: $id}
on candidate
    media candidate {candidate: candidate, sdpMid: id, sdpMLineIndex: label} back {candidate: candidate, id: sdpMid, label: sdpMLineIndex}
    relay others {*, from: $id}
when joined
    send peer {id: $id, initiator: $offer}
`;
const SIGNAL = `
dialect  signal
speaks   socketio
route    socketio /signal

on join
    join room=$1 name=$2
on signal
    media signal signal
    relay to to {*-to, from: $id}
when welcome
    send users $others {id: $id, initiator: $offer}
when joined
    send user {id: $id, initiator: $offer}
`;

describe("media in other forms", () => {
	const DESCRIPTION = { type: "offer", sdp: "v=0 of Ann\r\n" };
	const CANDIDATE = { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0 };
	let server;
	let dataDir;
	before(async () => {
		dataDir = freshDir();
		mkdirSync(join(dataDir, "dialects"));
		writeFileSync(join(dataDir, "dialects", "flat.dialect"), FLAT);
		writeFileSync(join(dataDir, "dialects", "signal.dialect"), SIGNAL);
		server = await startServer({ dataDir });
	});
	after(async () => {
		await server.stop();
		rmSync(dataDir, { recursive: true, force: true });
	});

	it("flat messages with texts become descriptions and candidates, and back", async (t) => {
		await metricIs(server, "members", 0);
		const room = freshRoom("flat");
		const ann = await openPage(t, server, "native", { room, name: "Ann" });
		await metricIs(server, "members", 1);
		const ben = await talkTo(t, server, `/flat/${room}`);
		const { member } = await ann.next("joined");
		assert.equal(member.id.slice(0, 2), "m_");
		const say = (data) => ann.tell({ type: "signal", room, to: member.id, data });
		say({ description: DESCRIPTION });
		const offer = await ben.next("offer", { sdp: DESCRIPTION.sdp });
		assert.deepEqual(Object.keys(offer).sort(), ["from", "sdp", "type"]);
		say({ candidate: CANDIDATE });
		const { from, ...candidate } = await ben.next("candidate", { candidate: CANDIDATE.candidate });
		assert.equal(from, offer.from);
		assert.deepEqual(candidate, {
			type: "candidate",
			candidate: "candidate:1",
			id: "0",
			label: 0,
		});
		ben.send({ type: "candidate", candidate: "candidate:2", id: "1", label: 1, x: 1 });
		assert.deepEqual((await ann.next("signal")).data, {
			candidate: { candidate: "candidate:2", sdpMid: "1", sdpMLineIndex: 1 },
		});
	});

	it("one event for all says by its content what it is", async (t) => {
		await metricIs(server, "members", 0);
		const room = freshRoom("signal");
		const ann = await openPage(t, server, "native", { room, name: "Ann" });
		await metricIs(server, "members", 1);
		const ben = await stock(t, server, { namespace: "/signal" });
		const users = heard(ben, "users");
		ben.emit("join", room, "Ben");
		const [[{ id, initiator }]] = await users;
		const { member, offer } = await ann.next("joined");
		assert.notEqual(offer, initiator, "one of them");
		const signal = heard(ben, "signal");
		ann.tell({ type: "signal", room, to: member.id, data: { description: DESCRIPTION } });
		assert.deepEqual((await signal)[0], { signal: DESCRIPTION, from: id });
		for (const candidate of [CANDIDATE, { type: "candidate", candidate: CANDIDATE }]) {
			ben.emit("signal", { to: id, signal: candidate });
			assert.deepEqual((await ann.next("signal")).data, { candidate: CANDIDATE });
		}
		ben.emit("signal", { to: id, signal: { type: "answer", sdp: "v=0\r\n" } });
		assert.deepEqual((await ann.next("signal")).data, {
			description: { type: "answer", sdp: "v=0\r\n" },
		});
	});
});
