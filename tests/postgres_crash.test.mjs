// Nothing that anybody was told to be kept is lost, doubled or out of order, whenever PostgreSQL dies.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { startPostgres } from "./lib/postgres.mjs";
import { freshDir, startServer } from "./lib/server.mjs";
import { keepsOn, keptOf, mustAgree, Talker } from "./lib/talk.mjs";
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

		const becomes = (status) =>
			poll(
				async () => (await fetch(`${server.http}/readyz`)).status === status,
				() => `readyz to be ${status}: ${server.stderr}`,
			);
		let end;
		const over = new Promise((resolve) => {
			end = resolve;
		});
		const talk = Promise.all(talkers.map((talker) => talker.talk(over)));
		for (let death = 0; death < DEATHS; death++) {
			await keepsOn(talkers, 2 * CLIENTS);
			await pause(Math.random() * 400);
			await postgres.kill();
			// Back at once, or after everybody was told that the store is not available.
			if (death % 2) await becomes(503);
			await postgres.start();
			await becomes(200);
		}
		await keepsOn(talkers, CLIENTS);
		end();
		await talk;

		// Whoever is not sure says it again; and one thing more, so that everybody is up to date.
		for (const talker of talkers) {
			const left = [...talker.unsure, { key: `end of ${talker.name}`, text: "end" }];
			for (const said of left) {
				const reply = await poll(
					async () => {
						const answer = await talker.ask({ type: "chat", ...said });
						if (!answer.ok) assert.equal(answer.error.code, "unavailable");
						return answer.ok && answer;
					},
					() => `${said.key} to be kept`,
				);
				talker.acknowledged.set(said.key, reply.data.n);
			}
		}
		for (const talker of talkers) await talker.ask({ type: "ping" });
		mustAgree(talkers);
		const said = keptOf(talkers);
		assert.ok(said >= CLIENTS * DEATHS, `only ${said} messages were kept`);

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
