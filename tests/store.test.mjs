// What operators do with the database of SQLite, and one that cannot be used.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { freshDir, runParley, serverFor, startServer } from "./lib/server.mjs";

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
