// A session outlives its connection: the seat is kept for a while, and who comes back in time has
// missed nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { allQuiet, connect, fence, freshRoom, roomOf } from "./lib/client.mjs";
import { Talker } from "./lib/dialects.mjs";
import { metricIs, metrics, perWorker } from "./lib/metrics.mjs";
import { serverFor, startServer } from "./lib/server.mjs";

/** The connection breaks without a word; the others see that it is away, and nothing else. */
async function lose(client, others) {
	const ticket = client.ticket();
	client.vanish();
	for (const other of others) {
		const { seq, ...rest } = await other.next("updated", { changes: { away: true } });
		assert.deepEqual(rest.member, client.id, `it is away, at ${seq}`);
	}
	return ticket;
}

/** A new connection goes on with the session; the others see that it is back. */
async function back(t, server, ticket, others, options) {
	const client = await connect(t, server, options);
	const data = await client.resume(ticket);
	client.id = data.rooms[0]?.you;
	for (const other of others) {
		await other.next("updated", { member: client.id, changes: { away: false } });
	}
	return client;
}

const room = (client, name) => client.resumed.rooms.find((entry) => entry.room === name);

for (const workers of [1, 2, 4]) {
	describe(`sessions that resume, ${workers} workers`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers, grace: "5m", args: ["--limit.messages=0"] });
		});
		after(() => server.stop());

		it("who comes back gets what it missed, in order and once", async (t) => {
			const [ann, bob, cem] = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
			const name = bob.joinData.room;
			const ticket = await lose(bob, [ann, cem]);
			for (let i = 0; i < 20; i++) {
				await ann.do({ type: "chat", text: `line ${i}` });
				await ann.do({ type: "signal", to: bob.id, data: { to: "Bob", i } });
				await ann.do({ type: "signal", to: cem.id, data: { to: "Cem", i } });
				await cem.do({ type: "signal", data: { all: i } });
			}
			const again = await back(t, server, ticket, [ann, cem]);
			assert.equal(room(again, name).complete, true);
			assert.equal(room(again, name).you, bob.id);
			await again.settled();
			const got = again.inbox.map(({ type, text, data }) => (type === "chat" ? text : data));
			const wanted = Array.from({ length: 20 }, (_, i) => [
				`line ${i}`,
				{ to: "Bob", i },
				{ all: i },
			]);
			assert.deepEqual(got, wanted.flat());
			again.inbox.length = 0;
			again.texts.length = 0;
			ann.inbox.length = 0;
			cem.inbox.length = 0;
			await allQuiet([ann, again, cem], name);
		});

		it("what was on its way to a connection already dead comes again", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const ticket = bob.ticket();
			for (let i = 0; i < 5; i++) {
				await ann.do({ type: "signal", data: i });
			}
			await bob.waitFor((inbox) => inbox.length === 5);
			const again = await connect(t, server);
			await again.resume(ticket);
			await again.settled();
			assert.deepEqual(
				again.inbox.map(({ data }) => data),
				[0, 1, 2, 3, 4],
			);
		});

		it("its own words come back as they do to the others", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const ticket = bob.ticket();
			await bob.do({ type: "chat", text: "mine" });
			await bob.do({ type: "signal", data: "not for me" });
			await bob.do({ type: "update", mic: true });
			await lose(bob, [ann]);
			const again = await back(t, server, ticket, [ann]);
			await again.next("chat", { from: bob.id, text: "mine" });
			await again.nothing();
		});

		it("it is in its seat again: it is heard, and hears", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const again = await back(t, server, await lose(bob, [ann]), [ann]);
			await again.do({ type: "signal", data: 1 });
			await ann.next("signal", { from: bob.id, data: 1 });
			await ann.do({ type: "signal", to: bob.id, data: 2 });
			await again.next("signal", { from: ann.id, data: 2 });
			await again.do({ type: "leave" });
			await ann.next("left", { member: bob.id, reason: "leave" });
		});

		it("a newcomer sees who is away in the roster", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const ticket = await lose(bob, [ann]);
			const cem = await connect(t, server);
			const { members } = await cem.join(bob.joinData.room, { name: "Cem" });
			assert.deepEqual(
				members.map(({ name, state }) => [name, state.away]),
				[
					["Ann", undefined],
					["Bob", true],
				],
			);
			await ann.next("joined");
			const again = await back(t, server, ticket, [ann, cem]);
			await again.next("joined");
		});

		it("it goes on again and again, and each secret is good for once", async (t) => {
			const [ann, first] = await roomOf(t, server, ["Ann", "Bob"]);
			let bob = first;
			for (let i = 0; i < 5; i++) {
				const ticket = await lose(bob, [ann]);
				await ann.do({ type: "chat", text: String(i) });
				await ann.next("chat");
				bob = await back(t, server, ticket, [ann]);
				await bob.next("chat", { text: String(i) });
				assert.equal(bob.id, first.id);
				assert.equal(bob.resumed.session, first.hello.session);
				const thief = await connect(t, server);
				await thief.refused({ type: "resume", ...ticket }, "cannot_resume");
				await thief.nothing();
			}
			await bob.nothing();
			await allQuiet([ann, bob], first.joinData.room);
		});

		it("the newer of two connections wins", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const again = await connect(t, server);
			await again.resume(bob.ticket());
			assert.deepEqual(await bob.ended(), { code: 4001, reason: "resumed elsewhere" });
			await again.do({ type: "chat", text: "here" });
			await ann.next("chat", { from: bob.id });
			await again.next("chat");
			await allQuiet([ann, again], bob.joinData.room);
		});

		it("seats in several rooms are kept, wherever these live", async (t) => {
			const hosts = [];
			for (let i = 0; i < 6; i++) {
				const host = await connect(t, server);
				await host.join(freshRoom("of-many"));
				hosts.push({ host, name: Object.keys(host.ticket().seen)[0] });
			}
			const bob = await connect(t, server);
			const ids = [];
			for (const { host, name } of hosts) {
				ids.push((await bob.join(name, { name: "Bob" })).you.id);
				await host.next("joined");
			}
			const ticket = bob.ticket();
			bob.vanish();
			for (const [i, { host, name }] of hosts.entries()) {
				await host.next("updated", { member: ids[i], changes: { away: true } });
				await host.do({ type: "chat", room: name, text: "all" });
				await host.do({ type: "signal", room: name, to: ids[i], data: "you" });
			}
			const again = await connect(t, server);
			const { rooms } = await again.resume(ticket);
			assert.equal(rooms.length, hosts.length);
			for (const [i, { host, name }] of hosts.entries()) {
				const entry = rooms.find((one) => one.room === name);
				assert.deepEqual([entry.complete, entry.you], [true, ids[i]]);
				await again.next("chat", { room: name, text: "all" });
				await again.next("signal", { room: name, data: "you" });
				await host.next("updated", { member: ids[i], changes: { away: false } });
				await again.do({ type: "signal", room: name, to: host.id, data: "back" });
				await host.next("signal", { from: ids[i], data: "back" });
			}
			await again.nothing();
		});

		it("a number that the room has not reached is a bad field, and costs nothing", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const name = bob.joinData.room;
			const ticket = await lose(bob, [ann]);
			const future = { ...ticket, seen: { [name]: 1_000_000 } };
			const again = await connect(t, server);
			const error = await again.refused({ type: "resume", ...future }, "bad_field");
			assert.equal(error.detail, "seen");
			await again.resume(ticket);
			await ann.next("updated", { changes: { away: false } });
		});

		it("unknown sessions and wrong secrets are refused, and counted", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const before = (await metrics(server)).get("resumes_refused_total");
			const ticket = await lose(bob, [ann]);
			const wrong = [
				{ ...ticket, secret: "a".repeat(26) },
				{ ...ticket, session: `s_aa${"b".repeat(14)}` },
				{ ...ticket, session: `s_77${"b".repeat(14)}` },
				{ ...ticket, session: `s_${"A".repeat(16)}` },
			];
			const eve = await connect(t, server);
			for (const one of wrong) {
				await eve.refused({ type: "resume", ...one }, "cannot_resume");
			}
			const own = { session: eve.hello.session, secret: eve.hello.secret };
			await eve.refused({ type: "resume", ...own }, "cannot_resume");
			await metricIs(server, "resumes_refused_total", (n) => n === before + wrong.length + 1);
			await eve.join(freshRoom());
			await eve.refused({ type: "resume", ...ticket }, "cannot_resume");
			await back(t, server, ticket, [ann]);
		});

		it("the same user wins over who is away", async (t) => {
			const [ann] = await roomOf(t, server, ["Ann"]);
			const name = ann.joinData.room;
			const bob = await connect(t, server);
			await bob.join(name, { name: "Bob", user: "bob" });
			await ann.next("joined");
			const ticket = await lose(bob, [ann]);
			const fresh = await connect(t, server);
			const { members } = await fresh.join(name, { name: "Bob", user: "bob" });
			assert.deepEqual(
				members.map((member) => member.name),
				["Ann"],
			);
			await ann.next("left", { member: bob.id, reason: "replaced" });
			await ann.next("joined");
			const late = await connect(t, server);
			await late.refused({ type: "resume", ...ticket }, "cannot_resume");
			await allQuiet([ann, fresh], name);
		});

		it("who is away the longest makes way in a full room", async (t) => {
			const options = { capacity: 3 };
			const [ann, bob, cem] = await roomOf(t, server, ["Ann", "Bob", "Cem"], { options });
			const name = ann.joinData.room;
			const full = await connect(t, server);
			await full.refused({ type: "join", room: name, name: "Dora" }, "room_full");
			const lost = await lose(bob, [ann, cem]);
			const kept = await lose(cem, [ann]);
			await full.join(name, { name: "Dora" });
			await ann.next("left", { member: bob.id, reason: "timeout" });
			await ann.next("joined");
			const late = await connect(t, server);
			await late.refused({ type: "resume", ...lost }, "cannot_resume");
			const again = await back(t, server, kept, [ann, full]);
			await again.next("left", { member: bob.id });
			await again.next("joined");
			await allQuiet([ann, full, again], name);
		});

		it("who says goodbye is gone", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const ticket = bob.ticket();
			await bob.close(1000);
			await ann.next("left", { member: bob.id, reason: "leave" });
			const late = await connect(t, server);
			await late.refused({ type: "resume", ...ticket }, "cannot_resume");
		});

		it("who is alone keeps its room", async (t) => {
			const [ann] = await roomOf(t, server, ["Ann"]);
			const name = ann.joinData.room;
			const ticket = ann.ticket();
			ann.vanish();
			await metricIs(server, "sessions_away", (n) => n > 0);
			const bob = await connect(t, server);
			await bob.join(name, { name: "Bob" });
			await bob.do({ type: "chat", text: "anybody?" });
			const again = await back(t, server, ticket, [bob]);
			await again.next("joined");
			await again.next("chat", { text: "anybody?" });
			await again.nothing();
		});

		it("a session without a seat is not kept", async (t) => {
			const ann = await connect(t, server);
			const ticket = ann.ticket();
			ann.vanish();
			await ann.closed;
			const again = await connect(t, server);
			await again.refused({ type: "resume", ...ticket, seen: {} }, "cannot_resume");
		});

		it("what members of another dialect say meanwhile is kept as well", async (t) => {
			const ann = await connect(t, server);
			const name = freshRoom("mixed");
			await ann.join(name);
			const coach = new Talker(server, `/ws-simple/${name}?userId=coach&name=Coach`);
			t.after(() => coach.socket.terminate());
			await coach.opened;
			coach.send({ type: "join", userId: "coach", userName: "Coach", isCoach: true });
			await ann.next("joined");
			const ticket = ann.ticket();
			ann.vanish();
			await metricIs(server, "sessions_away", (n) => n > 0);
			for (let i = 0; i < 3; i++) {
				coach.send({ type: "offer", userId: "coach", offer: { type: "offer", sdp: `v=${i}` } });
			}
			const again = await connect(t, server);
			await again.resume(ticket);
			for (let i = 0; i < 3; i++) {
				const { data } = await again.next("signal");
				assert.deepEqual(data, { description: { type: "offer", sdp: `v=${i}` } });
			}
			await again.nothing();
		});

		it("a sync tells what a join would", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			await ann.do({ type: "chat", text: "one" });
			await bob.next("chat");
			const cem = await connect(t, server);
			await cem.join(bob.joinData.room, { name: "Cem" });
			for (const other of [ann, bob]) {
				await other.next("joined");
			}
			const data = await bob.do({ type: "sync" });
			assert.equal(data.you.id, bob.id);
			// Who came later offers first.
			assert.deepEqual(
				data.members.map(({ name, offer }) => [name, offer]),
				[
					["Ann", true],
					["Cem", false],
				],
			);
			assert.deepEqual(
				data.chat.map(({ text }) => text),
				["one"],
			);
			await ann.next("chat");
			await allQuiet([ann, bob, cem], bob.joinData.room);
		});
	});
}

describe("sessions that resume too late", () => {
	it("after the grace the others see it leave", async (t) => {
		const server = await serverFor(t, { grace: "300ms", workers: 2 });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const ticket = await lose(bob, [ann]);
		await ann.next("left", { member: bob.id, reason: "disconnect" });
		const late = await connect(t, server);
		await late.refused({ type: "resume", ...ticket }, "cannot_resume");
		await metricIs(server, "sessions_away", 0);
		await allQuiet([ann], bob.joinData.room);
	});

	it("with a grace of 0 nothing is kept", async (t) => {
		const server = await serverFor(t);
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		assert.equal(bob.hello.grace, 0);
		const ticket = bob.ticket();
		bob.vanish();
		await ann.next("left", { member: bob.id, reason: "disconnect" });
		const late = await connect(t, server);
		await late.refused({ type: "resume", ...ticket }, "cannot_resume");
	});

	for (const [what, args, lines] of [
		["too many", ["--session.log=10"], 11],
		["too large", ["--session.log=4096"], 60],
	]) {
		it(`events that are ${what} are told to be lost, and a sync makes up for them`, async (t) => {
			const server = await serverFor(t, { grace: "5m", args: [...args, "--limit.messages=0"] });
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const name = bob.joinData.room;
			const ticket = await lose(bob, [ann]);
			for (let i = 0; i < lines; i++) {
				await ann.do({ type: "chat", text: `${i} ${"x".repeat(8000)}` });
			}
			const again = await back(t, server, ticket, [ann]);
			assert.equal(room(again, name).complete, false);
			await metricIs(server, "resumes_incomplete_total", 1);
			await again.settled();
			const texts = again.inbox.map(({ text }) => Number.parseInt(text, 10));
			assert.ok(texts.length > 0 && texts.length < lines);
			const from = lines - texts.length;
			assert.deepEqual(
				texts,
				Array.from(texts, (_, i) => from + i),
			);
			const data = await again.do({ type: "sync" });
			assert.equal(data.chat.at(-1).text.split(" ")[0], String(lines - 1));
		});
	}

	it("a room that floods pushes out its own events, not those of others", async (t) => {
		const args = ["--session.log-size=4M", "--limit.messages=0"];
		const server = await serverFor(t, { grace: "5m", args });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const [eve, cem] = await roomOf(t, server, ["Eve", "Cem"]);
		const ticket = await lose(bob, [ann]);
		const flooded = await lose(cem, [eve]);
		for (let i = 0; i < 5; i++) {
			await ann.do({ type: "chat", text: `line ${i}` });
		}
		const noise = "x".repeat(100_000);
		for (let i = 0; i < 100; i++) {
			await eve.do({ type: "signal", data: noise });
		}
		const again = await back(t, server, ticket, [ann]);
		assert.equal(room(again, bob.joinData.room).complete, true);
		for (let i = 0; i < 5; i++) {
			await again.next("chat", { text: `line ${i}` });
		}
		const late = await back(t, server, flooded, [eve]);
		assert.equal(room(late, cem.joinData.room).complete, false);
		await late.next("signal", { data: noise });
		await late.next("signal", { data: noise });
		await late.nothing();
	});

	it("a server that stops keeps nobody", async (t) => {
		const server = await startServer({ grace: "5m" });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await lose(bob, [ann]);
		await server.stop();
		assert.equal((await ann.ended()).code, 1001);
	});
});

describe("many that are lost", () => {
	it("500 sessions dropped at once all come back to their seats", async (t) => {
		const server = await serverFor(t, { workers: 2, grace: "5m" });
		const pairs = [];
		for (let i = 0; i < 250; i++) {
			pairs.push(await roomOf(t, server, ["Ann", "Bob"]));
		}
		const tickets = pairs.flat().map((client) => client.ticket());
		for (const client of pairs.flat()) {
			client.vanish();
		}
		await metricIs(server, "sessions_away", 500);
		await Promise.all(
			tickets.map(async (ticket) => {
				const client = await connect(t, server);
				const { rooms } = await client.resume(ticket);
				assert.deepEqual([rooms.length, rooms[0].complete], [1, true]);
			}),
		);
		await metricIs(server, "sessions_away", 0);
		await metricIs(server, "members", 500);
		assert.equal(
			(await perWorker(server, "sessions")).reduce((a, b) => a + b),
			500,
		);
	});
});
