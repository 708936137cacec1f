// Nothing that anybody was told to be kept is lost, doubled or out of order, whenever PostgreSQL dies.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { startPostgres } from "./lib/postgres.mjs";
import { freshDir, startServer } from "./lib/server.mjs";
import { mustAgree, Talker } from "./lib/talk.mjs";
import { pause, poll } from "./lib/wait.mjs";

const DEATHS = 20;
const CLIENTS = 50;
const ROOMS = 5;

const postgres = await startPostgres(after);

describe("crashes of PostgreSQL", () => {
	it(`kill -9, ${DEATHS} times, while ${CLIENTS} chat at full speed`, async () => {
		const dataDir = freshDir();
		const args = [...postgres.args(dataDir), "--limit.messages=0", "--store.patience=1s"];
		const server = await startServer({
			dataDir,
			workers: 2,
			grace: "20s",
			args,
		});
		const rooms = Array.from({ length: ROOMS }, () => freshRoom());
		const talkers = Array.from(
			{ length: CLIENTS },
			(_, i) => new Talker(rooms[i % ROOMS], `T${i}`, { resumes: false }),
		);
		for (const talker of talkers) assert.ok(await talker.enter(server.port));

		let end;
		const over = new Promise((resolve) => {
			end = resolve;
		});
		const talk = Promise.all(talkers.map((talker) => talker.talk(over)));
		for (let death = 0; death < DEATHS; death++) {
			await pause(100 + Math.random() * 500);
			await postgres.kill();
			// Back at once, or after everybody was told that the store is not available.
			await pause(death % 2 ? 1500 : 0);
			await postgres.start();
			await poll(
				async () => (await fetch(`${server.http}/readyz`)).status === 200,
				() => `the server to be ready again: ${server.stderr}`,
			);
		}
		await pause(200);
		end();
		await talk;

		// Whoever is not sure says it again; and one thing more, so that everybody is up to date.
		for (const talker of talkers) {
			const left = [...talker.unsure, { key: `end of ${talker.name}`, text: "end" }];
			for (const said of left) {
				const reply = await talker.ask({ type: "chat", ...said });
				assert.ok(reply.ok, JSON.stringify(reply));
				talker.acknowledged.set(said.key, reply.data.n);
			}
		}
		for (const talker of talkers) await talker.ask({ type: "ping" });
		mustAgree(talkers);
		const said = talkers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
		assert.ok(said > CLIENTS * DEATHS, `only ${said} messages were kept`);

		// And what was shown is what is kept, no more and no less.
		const kept = await postgres.sql(
			"SELECT count(*) FROM parley.message",
			postgres.databaseOf(dataDir),
		);
		const shown = rooms.map((room) => talkers.find((talker) => talker.room === room).log.length);
		assert.equal(
			Number(kept),
			shown.reduce((sum, n) => sum + n),
		);
		for (const talker of talkers) talker.leave();
		await server.stop();
	});
});
