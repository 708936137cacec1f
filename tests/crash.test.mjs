// Nothing that anybody was told to be kept is lost, doubled or out of order, whenever the server dies.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, rmSync } from "node:fs";
import { describe, it } from "node:test";
import { freshRoom, roomOf } from "./lib/client.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { mustAgree, Talker } from "./lib/talk.mjs";
import { poll } from "./lib/wait.mjs";

const DEATHS = 20;
const CLIENTS = 50;
const ROOMS = 5;
const ARGS = ["--limit.messages=0", "--log-level=error"];

/** The server dies, and talk ends, at moments that nothing announces. */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A room of ten, some of which resume their sessions and some join anew. */
function crowd() {
	const rooms = Array.from({ length: ROOMS }, () => freshRoom());
	return Array.from(
		{ length: CLIENTS },
		(_, i) => new Talker(rooms[i % ROOMS], `T${i}`, { resumes: i % 3 !== 0 }),
	);
}

/** Says one thing more and waits until all of its room have it, so that everybody is up to date. */
async function settle(talkers) {
	for (const talker of talkers) {
		const said = { key: `end of ${talker.name} in ${talker.room}`, text: "end" };
		const reply = await talker.ask({ type: "chat", ...said });
		assert.ok(reply.ok);
		talker.acknowledged.set(said.key, reply.data.n);
	}
	for (const talker of talkers) await talker.ask({ type: "ping" });
}

describe("crashes", () => {
	it(`kill -9, ${DEATHS} times, while ${CLIENTS} chat at full speed`, async () => {
		const dataDir = freshDir();
		const talkers = crowd();
		let port = 0;
		for (let death = 0; death < DEATHS; death++) {
			const server = await startServer({ dataDir, port, workers: 2, grace: "20s", args: ARGS });
			port = server.port;
			// The moment of death is random on purpose, also while they come back.
			const dead = pause(20 + Math.random() * 400).then(() => server.kill());
			await Promise.all(
				talkers.map(async (talker) => {
					if (await talker.enter(port)) await talker.talk(dead);
				}),
			);
			await dead;
		}
		const last = await startServer({ dataDir, port, workers: 2, grace: "20s", args: ARGS });
		for (const talker of talkers) assert.ok(await talker.enter(port));
		await Promise.all(talkers.map((talker) => talker.talk(pause(200))));
		await settle(talkers);
		mustAgree(talkers);
		const said = talkers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
		assert.ok(said > CLIENTS * DEATHS, `only ${said} messages were kept`);
		for (const talker of talkers) talker.leave();
		await last.stop();
	});

	const root = process.getuid() === 0;
	it("a full disk", { skip: root ? false : "needs root, to mount a small disk" }, async (t) => {
		const dataDir = freshDir();
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", dataDir]);
		t.after(() => execFileSync("umount", ["--lazy", dataDir]));
		const server = await serverFor(t, { dataDir, grace: "20s" });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const said = [(await ann.do({ type: "chat", text: "while there is room", key: "a" })).n];

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
		const ready = async () => (await fetch(`${server.http}/readyz`)).status === 200;
		await poll(ready, () => "the server to be ready again");
		said.push((await ann.do({ type: "chat", text, key: "b" })).n);
		const { messages } = await bob.do({ type: "history", after: 0, limit: 200 });
		assert.deepEqual(
			messages.map(({ n }) => n),
			said.slice(0, 200),
		);
	});
});
