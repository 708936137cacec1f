// A client whose network goes dead without a word, for longer and longer: the server keeps its
// seat for session.grace, and whoever is back by then has missed nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Guest, launchBrowser } from "../lib/browser.mjs";
import { connect, freshRoom } from "../lib/client.mjs";
import { startServer } from "../lib/server.mjs";
import { poll, within } from "../lib/wait.mjs";
import { Lab, SERVER } from "./lab.mjs";

const GRACE = "30s";
// The server asks a silent client after two seconds, and waits for as long as a busy machine may keep one silent.
const ARGS = ["--ws.ping-interval=2s", "--ws.ping-timeout=10s"];
// What it may take to come back once the network is there again.
const SLACK = 60_000;
// A page tries again by itself, every half a minute at last.
const PAGE_SLACK = 90_000;

// Most of it is waiting: all at once.
describe("a client whose network is cut", { concurrency: 4 }, () => {
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

	/** The network is dead for so long, while the witness talks; what it says. */
	async function dead(site, witness, ms) {
		const said = [];
		const end = Date.now() + ms;
		while (Date.now() < end) {
			said.push(`line ${said.length}`);
			await witness.do({ type: "chat", text: said.at(-1) });
			await pause(500);
		}
		site.unblock();
		return said;
	}

	/** Its network is dead for so long, while the witness talks; then it is connected again. */
	async function cut(t, { site, dial, witness, client }, ms) {
		const ticket = client.ticket();
		site.block("all");
		const talk = dead(site, witness, ms);
		// It has noticed by itself that nothing answers, and gives its connection up.
		client.vanish();
		const [again, said] = await Promise.all([reconnect(t, dial, ms + SLACK), talk]);
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

	it("for 60 s, a page, has the whole history, and what was written meanwhile is sent once", async (t) => {
		const site = await lab.site({ nat: "keeps" });
		const browser = await launchBrowser({ within: (program) => site.program(program) });
		t.after(() => browser.close());
		const room = freshRoom("page");
		const witness = await connect(t, server, { createConnection: beside });
		await witness.join(room, { name: "witness" });
		const origin = `https://${SERVER}:${server.port}`;
		const ann = await Guest.open(t, browser, server, `/r/${room}`, "Ann", { origin });
		await ann.join();
		await ann.press("chat-button");
		const write = async (text) => {
			await ann.find("chat-input").fill(text);
			await ann.press("chat-send");
		};
		await write("before");
		await witness.next("chat", { text: "before" });

		site.block("all");
		const talk = dead(site, witness, 60_000);
		const queued = ["it does not know yet", "it knows", "and waits"];
		await write(queued[0]);
		await ann.sees("chat-away");
		for (const text of queued.slice(1)) await write(text);
		// That is longer than its seat is kept.
		const { reason } = await witness.next("left", {}, SLACK);
		assert.ok(["disconnect", "timeout"].includes(reason), reason);
		assert.equal(await ann.find("chat-pending").count(), queued.length);
		const said = await talk;

		const expected = ["before", ...said, ...queued];
		await ann.page.waitForFunction(
			(count) =>
				document.querySelectorAll(".message-text").length === count &&
				!document.querySelector('[data-testid="chat-pending"]'),
			expected.length,
			{ timeout: PAGE_SLACK },
		);
		assert.deepEqual(await ann.page.locator(".message-text").allTextContents(), expected);
		const { messages } = await witness.do({ type: "history", room, after: 0, limit: 200 });
		assert.deepEqual(
			messages.map(({ text }) => text),
			expected,
			"each is on the server once",
		);
		await ann.press("leave-button");
	});
});
