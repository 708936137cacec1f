// The database: what goes when it is old, and what operators do with it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { freshDir, runParley, serverFor, startServer } from "./lib/server.mjs";
import { poll } from "./lib/wait.mjs";

/** What the history has, once it fits. */
async function historyThat(client, fits) {
	let last;
	await poll(
		async () => {
			last = (await client.do({ type: "history", after: 0 })).messages;
			return fits(last);
		},
		() => `a history that fits: ${last.length} messages`,
	);
	return last;
}

describe("retention", () => {
	it("keeps the last messages of a room", async (t) => {
		const server = await serverFor(t, { args: ["--chat.keep-messages", "10"] });
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		for (let i = 0; i < 30; i++) await ann.do({ type: "chat", text: `line ${i}` });
		const left = await historyThat(ann, (messages) => messages.length === 10);
		assert.equal(left.at(-1).text, "line 29");
		assert.deepEqual((await ann.do({ type: "search", text: "5" })).messages, []);
		await ann.do({ type: "chat", text: "one more" });
	});

	it("lets old messages go, and visits", async (t) => {
		const server = await serverFor(t, { args: ["--chat.keep", "1s"] });
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann, bob] = members;
		await ann.do({ type: "chat", text: "soon gone" });
		await bob.do({ type: "leave" });
		await historyThat(ann, (messages) => messages.length === 0);
		await poll(
			async () => (await ann.do({ type: "whowas" })).visits.length <= 1,
			() => "old visits to go",
		);
	});
});

describe("parley db", () => {
	it("checks, copies and exports while the server runs", async (t) => {
		const dataDir = freshDir();
		const server = await serverFor(t, { dataDir });
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		const said = await ann.do({ type: "chat", text: 'to "keep"', key: "k" });
		const at = ["--data-dir", dataDir];
		const check = await runParley(["db", "check", ...at]);
		assert.deepEqual([check.code, check.stdout], [0, "ok\n"], check.stderr);

		const copies = freshDir();
		const copy = await runParley(["db", "backup", `${copies}/parley.db`, ...at]);
		assert.equal(copy.code, 0, copy.stderr);
		const again = await runParley(["db", "backup", `${copies}/parley.db`, ...at]);
		assert.equal(again.code, 1);
		for (const dir of [dataDir, copies]) {
			const { stdout } = await runParley(["db", "export", "--data-dir", dir]);
			const [message] = stdout.trim().split("\n").map(JSON.parse);
			assert.equal(message.text, 'to "keep"');
			assert.equal(message.n, said.n);
			assert.equal(message.key, "k");
		}

		// The copy is a database to go on with.
		const other = await serverFor(t, { dataDir: copies });
		const cleo = await connect(t, other);
		await cleo.join(ann.joinData.room);
		assert.equal((await cleo.next("chat")).text, 'to "keep"');
	});

	it("says what is wrong", async () => {
		const none = await runParley(["db", "check", "--data-dir", freshDir()]);
		assert.equal(none.code, 1);
		assert.match(none.stderr, /there is no database/);
		assert.equal((await runParley(["db"])).code, 2);
		assert.equal((await runParley(["db", "burn"])).code, 2);
	});
});

describe("a database that cannot be used", () => {
	it("is said in the log, and chat lives in memory", async (t) => {
		const dataDir = freshDir();
		writeFileSync(
			`${dataDir}/parley.db`,
			"this is no database, but it is long enough to be looked at".repeat(20),
		);
		const server = await startServer({ dataDir });
		t.after(() => server.stop());
		await server.logged(/no-store/);
		const ann = await connect(t, server);
		await ann.join(freshRoom());
		await ann.do({ type: "chat", text: "hello" });
		await ann.refused({ type: "search", text: "hello" }, "unavailable");
	});
});
