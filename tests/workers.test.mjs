// Two workers: connections move to their room, and rooms on different workers meet by mail.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { allQuiet, connect, connectAll, fence, freshRoom, roomOf } from "./lib/client.mjs";
import { metricIs, metrics, perWorker } from "./lib/metrics.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { undisturbed } from "./lib/witness.mjs";

/** Makes rooms until each worker owns one; [room of worker 0, room of worker 1]. */
async function roomOfEachWorker(t, server) {
	const found = [];
	for (let i = 0; i < 200 && (!found[0] || !found[1]); i++) {
		const room = freshRoom("spread");
		const before = await perWorker(server, "rooms");
		const keeper = await connect(t, server);
		await keeper.join(room, { name: "keeper" });
		const after = await perWorker(server, "rooms");
		const worker = after.findIndex((count, w) => count > before[w]);
		found[worker] ??= { room, keeper };
		if (found[worker].keeper !== keeper) {
			await keeper.close();
		}
	}
	assert.ok(found[0] && found[1], "200 rooms all fell to one worker");
	return found;
}

describe("with two workers", () => {
	let server;
	before(async () => {
		server = await startServer({
			workers: 2,
			args: ["--limit.messages=0", "--room.capacity=100"],
		});
	});
	after(() => server.stop());

	it("each metric has a sample per worker", async () => {
		assert.equal((await perWorker(server, "connections")).length, 2);
		assert.equal((await perWorker(server, "rooms")).length, 2);
	});

	it("rooms spread over both", async (t) => {
		const clients = await connectAll(t, server, 8);
		for (const client of clients) {
			for (let i = 0; i < 8; i++) {
				await client.join(freshRoom());
			}
		}
		const [one, two] = await perWorker(server, "rooms");
		assert.ok(one >= 8 && two >= 8, `${one} and ${two} rooms of 64`); // six sigma from half
	});

	for (const hint of [true, false]) {
		it(`members meet ${hint ? "with" : "without"} the hint, wherever they came in`, async (t) => {
			for (let i = 0; i < 8; i++) {
				const room = freshRoom("hint");
				const connection = hint ? { room } : {};
				const names = ["Ann", "Bob", "Cem", "Dora"];
				const members = await roomOf(t, server, names, { room, connection });
				for (const member of members) {
					await member.do({ type: "signal", data: member.id });
				}
				for (const member of members) {
					for (const other of members.filter((m) => m !== member)) {
						await member.next("signal", { from: other.id, data: other.id });
					}
				}
				await allQuiet(members);
			}
		});

		it(`connections ${hint ? "with" : "without"} the hint are handed over`, async (t) => {
			const before = (await metrics(server)).get("handovers_total");
			for (let i = 0; i < 24; i++) {
				const room = freshRoom("hand");
				const ann = await connect(t, server, hint ? { room } : {});
				await ann.join(room);
				await ann.close();
			}
			await metricIs(server, "handovers_total", (count) => count > before);
		});
	}

	it("what was sent in one go with the join is not lost or reordered", async (t) => {
		for (let i = 0; i < 16; i++) {
			const room = freshRoom("burst");
			const ann = await connect(t, server);
			const joined = ann.join(room);
			for (let n = 0; n < 50; n++) {
				ann.send({ type: "chat", text: String(n) });
			}
			await joined;
			await ann.waitFor((inbox) => inbox.length === 50, "its own chat");
			const texts = ann.inbox.map(({ text }) => Number(text));
			assert.deepEqual(
				texts,
				Array.from({ length: 50 }, (_, n) => n),
			);
		}
	});

	it("a wrong hint does no harm", async (t) => {
		for (let i = 0; i < 8; i++) {
			const room = freshRoom();
			const [ann] = await roomOf(t, server, ["Ann"], { room });
			const bob = await connect(t, server, { room: freshRoom("elsewhere") });
			await bob.join(room);
			await ann.next("joined");
		}
	});

	it("a session is in rooms of both at once", async (t) => {
		const [first, second] = await roomOfEachWorker(t, server);
		const ann = await connect(t, server);
		const ids = [];
		for (const { room, keeper } of [first, second]) {
			ids.push((await ann.join(room, { name: "Ann" })).you.id);
			await keeper.next("joined", { room });
		}
		for (const [i, { room, keeper }] of [first, second].entries()) {
			await ann.do({ type: "update", room, mic: true });
			await keeper.next("updated", { room, member: ids[i], changes: { mic: true } });
			await keeper.do({ type: "signal", room, to: ids[i], data: { to: i } });
			await ann.next("signal", { room, data: { to: i } });
			await ann.do({ type: "signal", room, to: keeper.id, data: { from: i } });
			await keeper.next("signal", { room, from: ids[i], data: { from: i } });
			await ann.do({ type: "chat", room, text: `in ${i}` });
			await keeper.next("chat", { room, text: `in ${i}` });
			await ann.next("chat", { room, text: `in ${i}` });
		}
		await ann.do({ type: "leave", room: first.room });
		await first.keeper.next("left", { room: first.room, member: ids[0] });
		ann.vanish();
		const left = { room: second.room, member: ids[1], reason: "disconnect" };
		await second.keeper.next("left", left);
		await allQuiet([first.keeper], first.room);
		await allQuiet([second.keeper], second.room);
	});

	it("errors come back from a room that is elsewhere", async (t) => {
		const [first, second] = await roomOfEachWorker(t, server);
		const ann = await connect(t, server);
		for (const { room } of [first, second]) {
			await ann.join(room);
		}
		for (const { room } of [first, second]) {
			await ann.refused({ type: "join", room, name: "Ann" }, "already_joined");
			await ann.refused({ type: "kick", room, member: ann.id }, "denied");
			const stranger = { type: "signal", room, to: "m_aaaaaaaa", data: 1 };
			await ann.refused(stranger, "no_such_member");
			ann.send(stranger);
			assert.equal((await ann.next("error")).error.code, "no_such_member");
		}
	});

	it("what a session of both says keeps its order in each room", async (t) => {
		const [first, second] = await roomOfEachWorker(t, server);
		const ann = await connect(t, server);
		for (const { room } of [first, second]) {
			await ann.join(room);
		}
		const asked = [];
		for (let i = 0; i < 100; i++) {
			const { room } = i % 2 ? first : second;
			asked.push(ann.do({ type: "chat", room, text: String(i) }));
		}
		await Promise.all(asked);
		for (const { room, keeper } of [first, second]) {
			const own = (inbox) => inbox.filter((m) => m.type === "chat" && m.room === room);
			await keeper.waitFor((inbox) => own(inbox).length === 50, "the chat of its room");
			const there = own(keeper.inbox).map(({ text }) => Number(text));
			assert.deepEqual(
				there,
				[...there].sort((a, b) => a - b),
			);
		}
	});

	it("a member that is kicked from afar hears of it", async (t) => {
		const [first, second] = await roomOfEachWorker(t, server);
		const ann = await connect(t, server);
		for (const { room, keeper } of [first, second]) {
			const { you } = await ann.join(room);
			await keeper.next("joined");
			await keeper.do({ type: "kick", member: you.id, reason: "out" });
			await ann.next("left", { room, member: you.id, reason: "kick", detail: "out" });
			await ann.refused({ type: "chat", room, text: "?" }, "not_joined");
			await keeper.next("left");
		}
		await ann.refused({ type: "leave" }, "not_joined");
	});

	it("everybody in a large room on both sees all, in one order", async (t) => {
		const names = Array.from({ length: 20 }, (_, i) => `Member ${i}`);
		const room = freshRoom("large");
		const members = [];
		for (const name of names) {
			const member = await connect(t, server);
			// A second room first, so that the sessions live on both workers.
			await member.join(freshRoom("own"), { name });
			await member.join(room, { name, options: { capacity: 50 } });
			members.push(member);
		}
		members[0].send({ type: "chat", room, text: "start" });
		for (const member of members) {
			await member.next("chat", { text: "start" });
			member.inbox.length = 0;
			member.texts.length = 0;
		}
		for (let i = 0; i < 20; i++) {
			for (const member of members) {
				member.send({ type: "chat", room, text: `${member.id} ${i}` });
			}
		}
		const orders = [];
		for (const member of members) {
			await member.waitFor((inbox) => inbox.length === 400, "the chat of all");
			orders.push(member.inbox.map(({ text }) => text));
		}
		for (const order of orders) {
			assert.deepEqual(order, orders[0]);
		}
	});

	it("thousands of rooms come and go, and nothing stays", async (t) => {
		const clients = await connectAll(t, server, 20);
		await metricIs(server, "rooms", 0); // those of the test before
		await metricIs(server, "members", 0);
		for (let round = 0; round < 10; round++) {
			const joins = clients.flatMap((client) =>
				Array.from({ length: 8 }, () => {
					const room = freshRoom("many");
					return client.do({ type: "join", room, name: "" }).then(() => ({ client, room }));
				}),
			);
			const made = await Promise.all(joins);
			await metricIs(server, "rooms", 160);
			await Promise.all(made.map(({ client, room }) => client.do({ type: "leave", room })));
			await metricIs(server, "rooms", 0);
			await metricIs(server, "members", 0);
		}
	});

	it("members come and go in one room at the same time", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"], { room: freshRoom("gate") });
		const room = ann.joinData.room;
		const guests = await connectAll(t, server, 10);
		await Promise.all(
			guests.map(async (guest, i) => {
				for (let round = 0; round < 10; round++) {
					await guest.join(room, { name: `Guest ${i}`, options: { capacity: 20 } });
					guest.send({ type: "chat", room, text: "hi" });
					await guest.next("chat", { from: guest.id });
					await guest.do({ type: "leave", room });
				}
			}),
		);
		await fence([ann], room);
		const count = (type) => ann.inbox.filter((m) => m.type === type).length;
		assert.deepEqual([count("joined"), count("left"), count("chat")], [100, 100, 100]);
	});

	it("mail is counted, and batched", async (t) => {
		const before = await metrics(server);
		const [first, second] = await roomOfEachWorker(t, server);
		const ann = await connect(t, server);
		await ann.join(first.room);
		await ann.join(second.room);
		const after = await metrics(server);
		const rose = (name) => after.get(name) - before.get(name);
		assert.ok(rose("mail_sent_total") > 0);
		assert.ok(rose("mail_batches_total") > 0);
		assert.ok(rose("mail_batches_total") <= rose("mail_sent_total"));
	});

	it("a connection that breaks while it moves leaves nothing behind", async (t) => {
		const quiet = await serverFor(t, { workers: 2 });
		await undisturbed(quiet, "connects_total", async () => {
			for (let i = 0; i < 50; i++) {
				const client = await connect(t, quiet);
				client.send({ type: "join", id: 1, room: freshRoom("break"), name: "" });
				client.vanish();
			}
		});
		for (const name of ["members", "rooms", "sessions", "websockets"]) {
			await metricIs(quiet, name, 0);
		}
	});
});
