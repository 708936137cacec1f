// Socket.IO's connection state recovery: who lost the line gets what was said meanwhile, and is who it was. To the
// others it had left.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client, freshRoom } from "./lib/client.mjs";
import { Line } from "./lib/line.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";
import { byHand, heard, stock, TRANSPORTS } from "./lib/socketio.mjs";
import { pause, poll } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

const AWAY = 1500;
const QUICK = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };

const join = (room, userName) => `42${JSON.stringify(["room:join", { room, userName }])}`;
const chat = (room, message) =>
	`42${JSON.stringify(["chat:message", { room, message, userName: "x" }])}`;
const eventsOf = (packet) => JSON.parse(packet.slice(2));

/** Ann behind a line that can be cut, Ben beside her in a room. */
async function pair(t, server, transports) {
	const line = await Line.open(t, server);
	const room = freshRoom("recover");
	const ann = await stock(t, line, { transports, ...QUICK });
	const ben = await stock(t, server, { transports: ["websocket"] });
	// Cut within an upgrade, the session would have the other transport still.
	await poll(
		() => ann.io.engine.transport.name === transports.at(-1),
		() => "the upgrade",
	);
	ann.emit("room:join", { room, userName: "Ann" });
	await heard(ann, "room:joined");
	const told = heard(ann, "user:joined");
	ben.emit("room:join", { room, userName: "Ben" });
	await told;
	const say = (...messages) => {
		for (const message of messages) {
			ben.emit("chat:message", { room, message, userName: "Ben" });
		}
	};
	return { line, room, ann, ben, say };
}

/** The line goes when a poll waits on it: else the server could not know. */
async function cut(server, { line, ann, ben }) {
	const left = heard(ben, "user:left");
	if (ann.io.engine.transport.name === "polling") {
		await metricIs(server, "socketio_polls", (n) => n > 0);
	}
	line.cut();
	const [{ id }] = await left;
	return id;
}

for (const workers of [1, 2]) {
	describe(`recovery with ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers });
		});
		after(() => server.stop());

		for (const transports of TRANSPORTS) {
			for (const after of ["one event", "no event"]) {
				it(`3 of 3 missed messages, ${transports.join(" and ")}, after ${after}`, async (t) => {
					const both = await pair(t, server, transports);
					const { line, ann, ben, say } = both;
					const texts = [];
					ann.on("chat:message", ({ text }) => texts.push(text));
					if (after === "one event") {
						say("before");
						await heard(ann, "chat:message");
						texts.length = 0;
					}
					const { id } = ann;
					assert.equal(await cut(server, both), id);
					say("one", "two", "three");
					await pause(AWAY);
					const third = new Promise((resolve) => {
						ann.on("chat:message", ({ text }) => text === "three" && resolve());
					});
					const back = heard(ben, "user:joined");
					const connected = heard(ann, "connect");
					line.mend();
					await Promise.all([connected, third]);
					assert.deepEqual(texts, ["one", "two", "three"]);
					assert.deepEqual([ann.recovered, ann.id], [true, id]);
					assert.equal((await back)[0].id, id);
					const next = heard(ann, "chat:message");
					say("four");
					assert.equal((await next)[0].text, "four");
				});
			}
		}
	});
}

describe("recovery by hand", () => {
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	/** In a room, with what it needs to come back. */
	async function member(room, name, options = {}) {
		const socket = await byHand(server, options);
		const { sid, pid } = JSON.parse(socket.connected.slice(2));
		Object.assign(socket, { sid, pid });
		socket.send(join(room, name));
		for (;;) {
			const packet = await socket.nextMessage();
			if (packet.startsWith('42["room:joined"')) {
				socket.offset = eventsOf(packet).at(-1);
				return socket;
			}
		}
	}

	const claim = (pid, offset) => `40${JSON.stringify({ pid, offset })}`;

	it("every event has an offset for its last argument, rising", async () => {
		const room = freshRoom("offset");
		const ann = await member(room, "Ann");
		const ben = await member(room, "Ben");
		const offsets = [ann.offset, eventsOf(await ann.nextMessage()).at(-1)];
		for (const text of ["a", "b"]) {
			ben.send(chat(room, text));
			offsets.push(eventsOf(await ann.nextMessage()).at(-1));
		}
		const numbers = offsets.map((offset) => Number(offset.match(/^(\d+)@0\.0\/?\d*$/)[1]));
		assert.deepEqual(
			numbers,
			[...numbers].sort((a, b) => a - b),
		);
		ann.close();
		ben.close();
	});

	it("what was sent into a dead line is sent again, the newer connection wins", async () => {
		const room = freshRoom("dead");
		const ann = await member(room, "Ann");
		const ben = await member(room, "Ben");
		ben.send(chat(room, "lost"));
		await ben.nextMessage();
		const again = await byHand(server, { packet: claim(ann.pid, ann.offset) });
		assert.equal(JSON.parse(again.connected.slice(2)).sid, ann.sid);
		assert.equal(eventsOf(await again.nextMessage())[0], "user:joined");
		assert.equal(eventsOf(await again.nextMessage())[1].text, "lost");
		await ann.closed();
		again.send(chat(room, "back"));
		assert.equal(eventsOf(await ben.nextMessage())[1].text, "back");
		again.close();
		ben.close();
	});

	it("what was said before it came is not said again", async () => {
		const room = freshRoom("late");
		const ben = await member(room, "Ben");
		ben.send(chat(room, "early"));
		await ben.nextMessage();
		const ann = await member(room, "Ann");
		const before = (await metrics(server)).get("sessions_away");
		ann.close();
		await metricIs(server, "sessions_away", before + 1);
		ben.send(chat(room, "late"));
		const again = await byHand(server, { packet: claim(ann.pid) });
		for (const wanted of ["room:join", "room:joined"]) {
			assert.equal(eventsOf(await again.nextMessage())[0], wanted);
		}
		const texts = [];
		while (texts.at(-1) !== "late") {
			const [event, { text }] = eventsOf(await again.nextMessage());
			if (event === "chat:message") {
				texts.push(text);
			}
		}
		assert.deepEqual(texts, ["early", "late"]); // the first from the room's history, once
		again.close();
		ben.close();
	});

	for (const [name, change] of [
		["a forged pid", (pid) => `${pid.slice(0, -4)}aaaa`],
		["a pid of nobody", () => "s_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
		["another's id with no secret", (pid) => pid.slice(0, 18)],
		["no text", () => 17],
	]) {
		it(`${name} makes a new session, the other is not disturbed`, async () => {
			const room = freshRoom("forged");
			const ann = await member(room, "Ann");
			const socket = await byHand(server, { packet: claim(change(ann.pid), "1@0") });
			assert.notEqual(JSON.parse(socket.connected.slice(2)).sid, ann.sid);
			ann.send(chat(room, "here"));
			assert.equal(eventsOf(await ann.nextMessage())[1].text, "here");
			socket.close();
			ann.close();
		});
	}

	it("an offset of no sense counts as none", async () => {
		const room = freshRoom("offset");
		const ann = await member(room, "Ann");
		ann.close();
		const again = await byHand(server, { packet: claim(ann.pid, "999999999@0") });
		assert.equal(JSON.parse(again.connected.slice(2)).sid, ann.sid);
		again.close();
	});

	it("who said goodbye does not come back, and who is in no room neither", async () => {
		const room = freshRoom("bye");
		const ann = await member(room, "Ann");
		ann.send("41");
		await metricIs(server, "members", (n) => n >= 0);
		const again = await byHand(server, { packet: claim(ann.pid, ann.offset) });
		assert.notEqual(JSON.parse(again.connected.slice(2)).sid, ann.sid);
		ann.close();
		again.close();
	});

	it("its place may be taken meanwhile; native members see it leave and come", async () => {
		const room = freshRoom("native");
		const native = await Client.connect(server);
		await native.join(room);
		const ann = await member(room, "Ann");
		const { member: joined } = await native.next("joined");
		ann.close();
		await native.next("left", { member: joined.id });
		const again = await byHand(server, { packet: claim(ann.pid, ann.offset) });
		assert.equal(JSON.parse(again.connected.slice(2)).sid, ann.sid);
		await native.next("joined");
		again.close();
		await native.close();
	});

	it("a flood of claims disturbs nobody", async () => {
		await undisturbed(server, "resumes_refused_total", async () => {
			const pid = "s_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
			const sockets = await Promise.all(
				Array.from({ length: 50 }, () => byHand(server, { packet: claim(pid, "1@0") })),
			);
			for (const socket of sockets) {
				socket.close();
			}
		});
	});

	it("can be left out: no pid, no offsets", async (t) => {
		const plain = await startServer({ args: ["--socketio.recovery=false"] });
		t.after(() => plain.stop());
		const socket = await byHand(plain);
		assert.deepEqual(Object.keys(JSON.parse(socket.connected.slice(2))), ["sid"]);
		socket.send(join(freshRoom("plain"), "Ann"));
		assert.equal(eventsOf(await socket.nextMessage()).length, 2);
		socket.close();
	});
});
