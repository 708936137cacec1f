// Nothing that anybody was told to be kept is lost, doubled or out of order, whenever the server dies.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { freshRoom, roomOf } from "./lib/client.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { Bystander, keepsOn, keptOf, mustAgree, PageTalker, Talker } from "./lib/talk.mjs";
import { pause, poll } from "./lib/wait.mjs";

const DEATHS = 20;
const CLIENTS = 50;
const ROOMS = 5;
const ARGS = ["--limit.messages=0", "--log-level=error"];

/** Pages over Socket.IO for rooms of many, who want to know what was kept. */
const CROWD = `
dialect  duo
speaks   socketio
route    socketio /
history  50

on room:join
    join room=room name=userName

on chat:message
    chat message
    ack {ok: $ok}

when welcome
    send room:joined {room: $room}

when chat
    send chat:message {id: $n, sender: $name, text: $text}
`;

/** Whom a room has: native clients, some of which resume their sessions and some join anew; pages over Socket.IO; and
 * two dialects without a chat, which come and go. */
const SORTS = [
	(room, name) => new Talker(room, name, { resumes: false }),
	...Array(4).fill((room, name) => new Talker(room, name, { resumes: true })),
	...Array(2).fill((room, name) => new PageTalker(room, name, ["websocket"])),
	(room, name) => new PageTalker(room, name, ["polling"]),
	(room, name) => new Bystander(`/ws/room/${room}`, name),
	(room, name) => new Bystander(`/ws-simple/${room}`, name),
];

function crowd() {
	const rooms = Array.from({ length: ROOMS }, () => freshRoom());
	return Array.from({ length: CLIENTS }, (_, i) =>
		SORTS[Math.floor(i / ROOMS)](rooms[i % ROOMS], `T${i}`),
	);
}

/** Says one thing more and waits until all of its room have it, so that everybody is up to date. */
async function settle(talkers) {
	const last = new Map();
	for (const talker of talkers.filter(({ log }) => log)) {
		const said = {
			key: `end of ${talker.name} in ${talker.room}`,
			text: `end ${talker.name}`,
		};
		const reply = await talker.ask({ type: "chat", ...said });
		assert.ok(reply.ok);
		talker.acknowledged.set(said.key, reply.data.n);
		last.set(talker.room, said.text);
	}
	for (const talker of talkers.filter(({ log }) => log))
		await talker.ask({ type: "ping" });
	for (const page of talkers.filter(({ pieces }) => pieces)) {
		await poll(
			() => page.pieces.at(-1).at(-1)?.text === last.get(page.room),
			() => `the last message at ${page.name}`,
		);
	}
}

describe("crashes", () => {
	it(`kill -9, ${DEATHS} times, while ${CLIENTS} chat at full speed`, async () => {
		const dataDir = freshDir();
		mkdirSync(`${dataDir}/dialects`);
		writeFileSync(`${dataDir}/dialects/duo.dialect`, CROWD);
		const talkers = crowd();
		let port = 0;
		for (let death = 0; death < DEATHS; death++) {
			const server = await startServer({
				dataDir,
				port,
				workers: 2,
				grace: "20s",
				args: ARGS,
			});
			port = server.port;
			const entered = talkers.map((talker) => talker.enter(port));
			const dead = (async () => {
				// The moment is random on purpose: of every other death also while they come back.
				if (death % 2 === 0) {
					await Promise.all(entered);
					await keepsOn(talkers, 2 * CLIENTS);
				}
				await pause(20 + Math.random() * 400);
				await server.kill();
			})();
			await Promise.all(
				talkers.map(async (talker, i) => {
					if (await entered[i]) await talker.talk(dead);
				}),
			);
			await dead;
		}
		const last = await startServer({
			dataDir,
			port,
			workers: 2,
			grace: "20s",
			args: ARGS,
		});
		for (const talker of talkers) assert.ok(await talker.enter(port));
		await Promise.all(talkers.map((talker) => talker.talk(pause(200))));
		await settle(talkers);
		mustAgree(talkers);
		const said = keptOf(talkers);
		assert.ok(said >= CLIENTS * DEATHS, `only ${said} messages were kept`);
		// Of three pages in each room, at half of the starts all had the time for it.
		const back = talkers.reduce((sum, { recovered = 0 }) => sum + recovered, 0);
		assert.ok(
			back > (3 * ROOMS * DEATHS) / 4,
			`only ${back} pages were recovered`,
		);
		for (const talker of talkers) talker.leave();
		await last.stop();
	});

	const root = process.getuid() === 0;
	it("a full disk", {
		skip: root ? false : "needs root, to mount a small disk",
	}, async (t) => {
		const dataDir = freshDir();
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", dataDir]);
		t.after(() => execFileSync("umount", ["--lazy", dataDir]));
		const server = await serverFor(t, { dataDir, grace: "20s" });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const said = [
			(await ann.do({ type: "chat", text: "while there is room", key: "a" })).n,
		];

		const filler = `${dataDir}/filler`;
		const fill = () => {
			try {
				for (;;) appendFileSync(filler, Buffer.alloc(4096));
			} catch (error) {
				assert.equal(error.code, "ENOSPC");
			}
		};
		fill();
		// What the log of the database has room for is still taken.
		const text = "x".repeat(8000);
		let reply;
		do reply = await ann.ask({ type: "chat", text });
		while (reply.ok && said.push(reply.data.n) < 1000);
		assert.equal(reply.error.code, "unavailable");
		assert.equal((await fetch(`${server.http}/readyz`)).status, 503);
		await ann.do({ type: "signal", to: bob.id, data: "calls go on" });
		await bob.next("signal");
		await ann.refused({ type: "chat", text, key: "b" }, "unavailable");

		rmSync(filler);
		const ready = async () =>
			(await fetch(`${server.http}/readyz`)).status === 200;
		await poll(ready, () => "the server to be ready again");
		said.push((await ann.do({ type: "chat", text, key: "b" })).n);
		const { messages } = await bob.do({
			type: "history",
			after: 0,
			limit: 200,
		});
		assert.deepEqual(
			messages.map(({ n }) => n),
			said.slice(0, 200),
		);
	});
});
