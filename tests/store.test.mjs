// What operators do with the database of SQLite, and one that cannot be used.
import assert from "node:assert/strict";
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { describe, it } from "node:test";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { depotFiles, depotPath, download, noise, sha256, uploaded } from "./lib/files.mjs";
import { freshDir, runParley, serverFor, startServer } from "./lib/server.mjs";
import { run } from "./lib/wait.mjs";

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

	it("copies what files contain, and sees that it is whole", async (t) => {
		const dataDir = freshDir();
		const server = await serverFor(t, { dataDir });
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		const contents = [noise(3_000_000), noise(10), noise(0)];
		const files = [];
		for (const bytes of contents) files.push(await uploaded(server, ann, bytes));
		await ann.do({ type: "chat", files: files.map(({ id }) => id) });
		const at = ["--data-dir", dataDir];
		const check = (dir) => runParley(["db", "check", "--data-dir", dir]);
		assert.equal((await check(dataDir)).code, 0);

		// One that was broken off: half a database, half a file; and a whole one, which is not copied again.
		const copies = freshDir();
		const [large, small] = contents.map(sha256);
		for (const folder of ["new", small.slice(0, 2)])
			mkdirSync(`${copies}/files/${folder}`, { recursive: true });
		writeFileSync(`${copies}/parley.db.part`, "half");
		writeFileSync(`${copies}/files/new/0000000000000001`, "half");
		copyFileSync(depotPath(dataDir, small), depotPath(copies, small));
		const { ino } = statSync(depotPath(copies, small));
		const copy = await runParley(["db", "backup", `${copies}/parley.db`, ...at]);
		assert.equal(copy.code, 0, copy.stderr);
		assert.deepEqual(depotFiles(copies).sort(), depotFiles(dataDir).sort());
		assert.deepEqual(readdirSync(copies).sort(), ["files", "parley.db"]);
		assert.equal(statSync(depotPath(copies, small)).ino, ino);
		assert.equal(statSync(`${copies}/parley.db`).mode & 0o077, 0);
		const whole = await check(copies);
		assert.deepEqual([whole.code, whole.stdout], [0, "ok\n"], whole.stderr);

		// What was said and sent is there when it is gone on with.
		const other = await startServer({ dataDir: copies });
		for (const [i, { id }] of files.entries())
			assert.ok((await download(other, id)).bytes.equals(contents[i]));
		await other.stop();

		// What is missing, or is something else, is found.
		writeFileSync(depotPath(copies, large), noise(3_000_000));
		rmSync(depotPath(copies, small));
		const bad = await check(copies);
		assert.equal(bad.code, 1);
		for (const hash of [large, small]) assert.match(bad.stderr, new RegExp(hash));
		const from = ["--data-dir", copies];
		const third = freshDir();
		const partly = await runParley(["db", "backup", `${third}/a.db`, ...from]);
		assert.equal(partly.code, 1);
		assert.match(partly.stderr, /of 2 files/);
		assert.ok(existsSync(`${third}/a.db`), "what there is is copied all the same");
	});

	it("says what is wrong", async () => {
		const none = await runParley(["db", "check", "--data-dir", freshDir()]);
		assert.equal(none.code, 1);
		assert.match(none.stderr, /there is no database/);
		assert.equal((await runParley(["db"])).code, 2);
		assert.equal((await runParley(["db", "burn"])).code, 2);
	});
});

describe("a database of an older parley", () => {
	it("is brought up to date: what was sent before is found by its name", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir });
		const [ann] = await roomOf(t, first, ["Ann", "Bob"]);
		for (const [name, text] of [
			["first.pdf", "with words"],
			["second.pdf", undefined],
		]) {
			const { id } = await uploaded(first, ann, noise(3), { name });
			await ann.do({ type: "chat", files: [id], ...(text && { text }) });
		}
		await first.stop();
		// As it was then: words of texts alone, and no notes.
		run("python3", "-c", OLDER, `${dataDir}/parley.db`);

		const second = await serverFor(t, { dataDir });
		const bob = await connect(t, second);
		await bob.join(ann.joinData.room);
		const found = async (text) =>
			(await bob.do({ type: "search", text })).messages.map(({ files }) => files[0].name);
		assert.deepEqual(await found("pdf"), ["first.pdf", "second.pdf"]);
		assert.deepEqual(await found("words first"), ["first.pdf"]);
		const check = await runParley(["db", "check", "--data-dir", dataDir]);
		assert.equal(check.code, 0, check.stderr);
	});
});

const OLDER = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript("""
BEGIN;
DROP TABLE note;
INSERT INTO words(words) VALUES('delete-all');
INSERT INTO words(rowid, text) SELECT id, text FROM message WHERE kind=0 AND text<>'';
PRAGMA user_version=2;
COMMIT;
""")
db.close()
`;

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
