// A client whose network goes dead without a word, for longer and longer: the server keeps its
// seat for session.grace, and whoever is back by then has missed nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect, freshRoom } from "../lib/client.mjs";
import { startServer } from "../lib/server.mjs";
import { poll, within } from "../lib/wait.mjs";
import { Lab } from "./lab.mjs";

const GRACE = "30s";
// The server asks a silent client after two seconds, and waits for as long as a busy machine may keep one silent.
const ARGS = ["--ws.ping-interval=2s", "--ws.ping-timeout=10s"];
// What it may take to come back once the network is there again.
const SLACK = 60_000;

describe("a client whose network is cut", { concurrency: 3 }, () => {
	let lab;
	let server;
	let beside;
	before(async () => {
		lab = await Lab.open();
		server = await startServer({ ...lab.serverOptions, grace: GRACE, workers: 2, args: ARGS });
		beside = await lab.dialer(server.port);
	});
	after(async () => {
		await server?.stop();
		await lab?.close();
	});

	/** A client behind a router of its own, and a witness who stays. */
	async function pair(t) {
		const site = await lab.site({ nat: "keeps" });
		const dial = await site.dialer(server.port);
		const room = freshRoom("cut");
		const witness = await connect(t, server, { createConnection: beside });
		await witness.join(room, { name: "witness" });
		const client = await connect(t, server, { createConnection: dial });
		await client.join(room, { name: "walker", user: "walker" });
		await witness.next("joined");
		return { site, dial, room, witness, client };
	}

	/** Asks until the network lets it through, as clients do. */
	async function reconnect(t, dial, ms) {
		const again = () =>
			connect(t, server, { createConnection: dial, handshakeTimeout: 5000 }).catch(() => null);
		return poll(again, () => "a connection", ms);
	}

	/** Its network is dead for so long, while the witness talks; then it is connected again. */
	async function cut(t, { site, dial, witness, client }, ms) {
		const ticket = client.ticket();
		site.block("all");
		const end = Date.now() + ms;
		const said = [];
		const talk = (async () => {
			while (Date.now() < end) {
				said.push(`line ${said.length}`);
				await witness.do({ type: "chat", text: said.at(-1) });
				await pause(500);
			}
			site.unblock();
		})();
		// It has noticed by itself that nothing answers, and gives its connection up.
		client.vanish();
		const [again] = await Promise.all([reconnect(t, dial, ms + SLACK), talk]);
		return { ticket, said, again };
	}

	for (const seconds of [5, 20]) {
		it(`for ${seconds} s is in its seat again, and has missed nothing`, async (t) => {
			const people = await pair(t);
			const { witness, client, room } = people;
			const { ticket, said, again } = await cut(t, people, seconds * 1000);
			const { rooms } = await again.resume(ticket);
			assert.equal(rooms[0].complete, true);
			assert.equal(rooms[0].you, client.id);
			await again.settled();
			assert.deepEqual(
				again.inbox.filter(({ type }) => type === "chat").map(({ text }) => text),
				said,
			);
			await witness.settled();
			const others = witness.inbox.filter(({ type }) => type !== "chat");
			assert.deepEqual(
				others.map(({ type, changes }) => [type, changes]),
				others.length === 0
					? []
					: [
							["updated", { away: true }],
							["updated", { away: false }],
						],
				"the others see at most that it was away",
			);
			await again.do({ type: "chat", room, text: "here I am" });
			await witness.next("chat", { from: client.id, text: "here I am" });
		});
	}

	it("for 60 s has lost its seat, is told so, and takes a new one", async (t) => {
		const people = await pair(t);
		const { witness, client, room } = people;
		const { ticket, said, again } = await cut(t, people, 60_000);
		const { reason } = await witness.next("left", { member: client.id });
		assert.ok(["disconnect", "timeout"].includes(reason), reason);
		await again.refused({ type: "resume", ...ticket }, "cannot_resume");
		const { chat, members } = await again.join(room, { name: "walker", user: "walker" });
		assert.deepEqual(
			chat.map(({ text }) => text),
			said.slice(-chat.length),
		);
		assert.deepEqual(
			members.map(({ name }) => name),
			["witness"],
			"no ghost of it is left",
		);
		await witness.next("joined", {});
		await within(again.settled(), "an answer");
	});
});
