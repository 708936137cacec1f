// PostgreSQL as the store: who may use it, what it keeps, and what happens when it does not keep up or is gone.
// That it does what SQLite does is shown by postgres_same.test.mjs, that it survives by postgres_crash.test.mjs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, rmSync } from "node:fs";
import { after, describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, roomOf } from "./lib/client.mjs";
import { uploaded } from "./lib/files.mjs";
import { Gate } from "./lib/gate.mjs";
import { PASSWORD, startPostgres } from "./lib/postgres.mjs";
import { freshDir, runParley, serverFor, startServer } from "./lib/server.mjs";
import { KEY_ARGS, tokenFor } from "./lib/token.mjs";
import { poll } from "./lib/wait.mjs";

const postgres = await startPostgres(after);
const SECRETS = [PASSWORD, encodeURIComponent(PASSWORD)];

function mustHideThePassword(...texts) {
	for (const text of texts) for (const secret of SECRETS) assert.ok(!text.includes(secret), text);
}

const readiness = async (server) => (await fetch(`${server.http}/readyz`)).status;

const mustBecome = (server, status) =>
	poll(
		async () => (await readiness(server)) === status,
		() => `readyz to be ${status}: ${server.stderr}`,
	);

/** A start that must fail: what it says. */
async function refusedStart(url, more = []) {
	const args = ["--listen", "127.0.0.1:0", "--data-dir", freshDir(), "--store.url", url, ...more];
	const { code, stdout, stderr } = await runParley(args);
	assert.notEqual(code, 0, stderr);
	mustHideThePassword(stdout, stderr);
	return stderr;
}

/** A server of one test with a database of its own: {server, database, url}. */
async function keptServer(t, { args = [], through, ...options } = {}) {
	const dataDir = options.dataDir ?? freshDir();
	const database = postgres.databaseOf(dataDir);
	const url = postgres.url(database, { port: through?.port });
	const whole = { ...options, dataDir, args: ["--store.url", url, ...args] };
	const server = await serverFor(t, whole);
	t.after(() => mustHideThePassword(server.stderr, server.stdout));
	return { server, database, url };
}

describe("a database that is not ours to use", () => {
	it("by a URL that is none is refused, without telling it", async () => {
		for (const url of [
			`postgresql://parley:${PASSWORD}@127.0.0.1/parley`,
			`mysql://parley:${encodeURIComponent(PASSWORD)}@127.0.0.1/parley`,
			`postgresql://parley:${encodeURIComponent(PASSWORD)}%@127.0.0.1/parley`,
		])
			assert.match(await refusedStart(url), /store\.url/);
		const option = postgres.url("postgres", { options: "?no_such_option=1" });
		assert.match(await refusedStart(option), /store\.url/);
	});

	it("is not told by parley config", async () => {
		const url = postgres.url("postgres");
		const { code, stdout, stderr } = await runParley(["config", "--store.url", url]);
		assert.equal(code, 0, stderr);
		mustHideThePassword(stdout, stderr);
	});

	it("with a wrong password, user or database is refused", async () => {
		const wrong = postgres.url("postgres", { password: "guess" });
		assert.match(await refusedStart(wrong), /password authentication failed/);
		const nobody = postgres.url("postgres", { user: "nobody" });
		assert.match(await refusedStart(nobody), /authentication failed/);
		assert.match(await refusedStart(postgres.url("nowhere")), /"nowhere" does not exist/);
		const without = postgres.url("postgres").replace(`:${encodeURIComponent(PASSWORD)}`, "");
		assert.match(await refusedStart(without), /password is needed/);
	});

	it("in another encoding, without the right to make tables, or of a newer parley is refused", async () => {
		await postgres.sql(
			"CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
			"postgres",
		);
		assert.match(await refusedStart(postgres.url("latin")), /LATIN1.*UTF8/);

		await postgres.sql("CREATE ROLE guest LOGIN PASSWORD 'guest'", "postgres");
		const guest = postgres.url("postgres", {
			user: "guest",
			password: "guest",
		});
		assert.match(await refusedStart(guest), /permission denied/);

		const database = postgres.databaseOf("newer");
		await (await startServer({ args: postgres.args("newer") })).stop();
		await postgres.sql("INSERT INTO parley.migration(version) VALUES(99)", database);
		assert.match(await refusedStart(postgres.url(database)), /newer parley \(version 99\)/);
	});

	it("because another uses it is refused, until that one has ended", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, args: postgres.args(dataDir) });
		const url = postgres.url(postgres.databaseOf(dataDir));
		assert.match(
			await refusedStart(url),
			/another parley uses this database \(from 127.0.0.1, since/,
		);
		const [ann] = await roomOf(t, first, ["Ann", "Bob"]);
		await ann.do({ type: "chat", text: "still here" });
		await first.kill();
		const second = await serverFor(t, {
			dataDir,
			args: postgres.args(dataDir),
		});
		const cleo = await connect(t, second);
		await cleo.join(ann.joinData.room);
		assert.equal((await cleo.next("chat")).text, "still here");
	});
});

describe("what is kept", () => {
	it("is found by words in whatever case, accents and punctuation", async (t) => {
		const { server } = await keptServer(t);
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		const said = ["Über die Straße", "see https://example.com/a-b", "ΑΘΗΝΑ", "x:(y) & !z"];
		for (const text of said) await ann.do({ type: "chat", text });
		for (const [text, found] of [
			["uber", 0],
			["STRASSE", undefined],
			["straße die", 0],
			["example", 1],
			["a-b com", 1],
			["αθηνα", 2],
			["x & z", 3],
			["' | !*", undefined],
			["example nothing", undefined],
		]) {
			const { messages } = await ann.do({ type: "search", text });
			const wanted = found === undefined ? [] : [said[found]];
			assert.deepEqual(
				messages.map((message) => message.text),
				wanted,
				text,
			);
		}
	});

	it("by an older parley is brought up to date: files of then are found by their names", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, args: postgres.args(dataDir) });
		const [ann] = await roomOf(t, first, ["Ann", "Bob"]);
		const { id } = await uploaded(first, ann, randomBytes(3), { name: "first.pdf" });
		await ann.do({ type: "chat", text: "with words", files: [id] });
		await first.stop();
		const older = `DROP TABLE parley.note; ALTER TABLE parley.message DROP COLUMN words;
			DROP FUNCTION parley.names; ALTER TABLE parley.message ADD COLUMN words tsvector
			GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, parley.folded(text))) STORED;
			DELETE FROM parley.migration WHERE version>2`;
		await postgres.sql(older, postgres.databaseOf(dataDir));

		const { server } = await keptServer(t, { dataDir });
		const bob = await connect(t, server);
		await bob.join(ann.joinData.room);
		const { messages } = await bob.do({ type: "search", text: "first.pdf words" });
		assert.equal(messages.length, 1);
	});

	it("may have characters that the database has not", async (t) => {
		const { server } = await keptServer(t);
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await ann.do({ type: "chat", text: "a\0b", key: "k\0" });
		await bob.next("chat");
		assert.ok((await ann.do({ type: "chat", text: "a\0b", key: "k\0" })).known);
		const { messages } = await bob.do({ type: "history" });
		assert.equal(messages[0].text, "a\uFFFDb");
	});

	it("and what the tables refuse leaves the others alone", async (t) => {
		const { server, database } = await keptServer(t);
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await postgres.sql(
			"ALTER TABLE parley.message ADD CHECK(text NOT LIKE '%unspeakable%')",
			database,
		);
		const said = Array.from({ length: 100 }, (_, i) =>
			i % 10 === 7 ? "unspeakable" : `line ${i}`,
		);
		const replies = await Promise.all(said.map((text) => ann.ask({ type: "chat", text })));
		for (const [i, reply] of replies.entries()) {
			assert.equal(reply.ok, i % 10 !== 7);
			if (!reply.ok) assert.equal(reply.error.code, "bad_field");
		}
		const { messages } = await bob.do({ type: "history", limit: 200 });
		assert.equal(messages.length, 90);
		assert.equal(bob.inbox.filter(({ type }) => type === "chat").length, 90);
		assert.equal(await readiness(server), 200);
	});

	it("is checked and exported by parley db; a copy is pg_dump's", async (t) => {
		const { server, url, database } = await keptServer(t);
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		const { n } = await ann.do({ type: "chat", text: 'to "keep"', key: "k" });
		await ann.do({ type: "react", n, emoji: "👍" });
		const at = ["--store.url", url];
		const check = await runParley(["db", "check", ...at]);
		assert.deepEqual([check.code, check.stdout], [0, "ok\n"], check.stderr);
		const { stdout } = await runParley(["db", "export", ...at]);
		const [message, ...rest] = stdout.trim().split("\n").map(JSON.parse);
		assert.deepEqual(rest, []);
		assert.equal(message.room, ann.joinData.room);
		assert.deepEqual([message.text, message.n, message.key], ['to "keep"', n, "k"]);
		assert.equal(Object.keys(message.reactions)[0], "👍");
		const copy = await runParley(["db", "backup", "/tmp/never.dump", ...at]);
		assert.equal(copy.code, 1);
		assert.match(copy.stderr, /pg_dump/);

		await postgres.sql("INSERT INTO parley.seat VALUES('s_none', 'r', 1)", database);
		const bad = await runParley(["db", "check", ...at]);
		assert.equal(bad.code, 1);
		assert.match(bad.stderr, /1 seats of no session/);
		const empty = await runParley(["db", "check", "--store.url", postgres.url("postgres")]);
		assert.match(empty.stderr, /no tables of parley/);
		const gone = await runParley(["db", "export", "--store.url", postgres.url("nowhere")]);
		assert.equal(gone.code, 1);
		for (const { stdout, stderr } of [check, copy, bad, empty, gone])
			mustHideThePassword(stdout, stderr);
	});
});

describe("a server that does not answer", () => {
	it("at the start is waited for: calls go, chat says so, and it heals", async (t) => {
		const early = await Gate.to(postgres.port);
		await early.close();
		const { server } = await keptServer(t, { through: early });
		assert.equal(await readiness(server), 503);
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await ann.refused({ type: "chat", text: "hello" }, "unavailable");
		await ann.refused({ type: "history" }, "unavailable");
		await ann.do({ type: "signal", to: bob.id, data: { candidate: null } });
		await bob.next("signal");

		const gate = await Gate.to(postgres.port, early.port);
		t.after(() => gate.close());
		await mustBecome(server, 200);
		await ann.do({ type: "chat", text: "hello" });
		assert.equal((await bob.next("chat")).text, "hello");
		assert.equal((await bob.do({ type: "history" })).messages.length, 1);
	});

	it("at the start has not told which tokens were taken back; it does when it comes", async (t) => {
		const dataDir = freshDir();
		const bearer = (token) => ({ Authorization: `Bearer ${token}` });
		const [eve, bob] = ["eve", "bob"].map((name) => tokenFor(name, "r", { jti: name }));
		const revoke = (server, token) => call(server, "POST", "/api/v1/revocations", { token });
		const first = await startServer({ dataDir, args: [...postgres.args(dataDir), ...KEY_ARGS] });
		assert.equal((await revoke(first, "eve")).status, 204);
		await first.stop();

		const early = await Gate.to(postgres.port);
		await early.close();
		const { server } = await keptServer(t, { dataDir, through: early, args: KEY_ARGS });
		const eager = await connect(t, server, { room: "r", headers: bearer(eve) });
		await eager.join("r", { name: "Eve" });
		// What is taken back now holds, but is not kept.
		const { status, json } = await revoke(server, "bob");
		assert.deepEqual([status, json.error.code], [503, "unavailable"]);
		assert.match(json.error.detail, /until a restart/);
		await assert.rejects(connect(t, server, { headers: bearer(bob) }));

		const gate = await Gate.to(postgres.port, early.port);
		t.after(() => gate.close());
		assert.deepEqual(await eager.ended(), { code: 4401, reason: "revoked" });
		await assert.rejects(connect(t, server, { headers: bearer(eve) }));
		await mustBecome(server, 200);
		assert.equal((await revoke(server, "bob")).status, 204);
	});

	it("does not refuse a ban or a lock: they hold", async (t) => {
		const { server, database } = await keptServer(t, { args: ["--store.patience", "200ms"] });
		const [ann] = await roomOf(t, server, ["Ann"]);
		const release = await postgres.hold("LOCK TABLE parley.note", database);
		await ann.do({ type: "ban", user: "eve" });
		const eve = await connect(t, server);
		const { room } = ann.joinData;
		await eve.refused({ type: "join", room, name: "Eve", user: "eve" }, "banned");
		await ann.do({ type: "lock" });
		await eve.refused({ type: "join", room, name: "Bob" }, "locked");
		await release();
		await mustBecome(server, 200);
	});

	it("because its tables are locked holds up chat alone", async (t) => {
		const { server, database } = await keptServer(t, {
			args: ["--store.patience", "2s"],
		});
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await ann.do({ type: "chat", text: "before" });
		await bob.next("chat");
		const release = await postgres.hold("LOCK TABLE parley.message", database);
		const waiting = Array.from({ length: 20 }, (_, i) =>
			ann.ask({ type: "chat", text: `line ${i}`, key: `k${i}` }),
		);
		// They are not answered yet, and signals go to and fro.
		for (let i = 0; i < 50; i++) {
			await ann.do({ type: "signal", to: bob.id, data: { candidate: i } });
			await bob.next("signal");
		}
		for (const reply of await Promise.all(waiting)) assert.equal(reply.error?.code, "unavailable");
		await bob.refused({ type: "history" }, "unavailable");
		await mustBecome(server, 503);
		await release();
		await mustBecome(server, 200);
		await ann.do({ type: "chat", text: "line 0", key: "k0" });
		const { messages } = await bob.do({ type: "history", after: 0 });
		const seen = bob.inbox.filter(({ type }) => type === "chat");
		assert.deepEqual(
			messages.slice(1).map(({ n }) => n),
			seen.map(({ n }) => n),
			"what is kept has been shown",
		);
		assert.equal(seen.filter(({ key }) => key === "k0").length, 1);
	});

	it("because its sessions are ended again and again loses nothing", async (t) => {
		const { server, database } = await keptServer(t, { args: ["--store.patience", "1m"] });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const end =
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity" +
			` WHERE datname='${database}' AND pid<>pg_backend_pid()`;
		let over = false;
		const killing = (async () => {
			for (let i = 0; i < 8; i++) await postgres.sql(end, database);
			over = true;
		})();
		const said = [];
		for (let i = 0; !over; i++) said.push((await ann.do({ type: "chat", text: `line ${i}` })).n);
		await killing;
		await ann.do({ type: "chat", text: "last" });
		await bob.next("chat", { text: "last" });
		assert.deepEqual(
			bob.inbox.filter(({ type }) => type === "chat").map(({ n }) => n),
			said,
		);
	});
});

describe("a disk of the server that is full", () => {
	const root = process.getuid() === 0;
	it("is told, and heals", { skip: root ? false : "needs root, to mount one" }, async (t) => {
		const dataDir = freshDir();
		const disk = freshDir();
		const database = postgres.databaseOf(dataDir);
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", disk]);
		execFileSync("chown", ["postgres", disk]);
		await postgres.sql(`CREATE TABLESPACE small LOCATION '${disk}'`, "postgres");
		await postgres.sql(`ALTER DATABASE ${database} SET TABLESPACE small`, "postgres");
		const { server } = await keptServer(t, { dataDir });
		t.after(async () => {
			await postgres.sql(`DROP DATABASE ${database}`, "postgres");
			await postgres.sql("DROP TABLESPACE small", "postgres");
			execFileSync("umount", ["--lazy", disk]);
		});
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const filler = `${disk}/filler`;
		try {
			for (;;) appendFileSync(filler, Buffer.alloc(4096));
		} catch (error) {
			assert.equal(error.code, "ENOSPC");
		}
		const said = [];
		const text = randomBytes(4000).toString("hex"); // that does not shrink much
		let reply;
		do reply = await ann.ask({ type: "chat", text, key: `k${said.length}` });
		while (reply.ok && said.push(reply.data.n) < 1000);
		assert.equal(reply.error?.code, "unavailable");
		await mustBecome(server, 503);
		await ann.do({ type: "signal", to: bob.id, data: { candidate: null } });
		await bob.next("signal");

		rmSync(filler);
		await mustBecome(server, 200);
		said.push((await ann.do({ type: "chat", text, key: `k${said.length}` })).n);
		const { messages } = await bob.do({ type: "history", limit: 200 });
		assert.deepEqual(
			messages.map(({ n }) => n),
			said.slice(-200),
		);
	});
});

describe("a commit whose end is not heard of", () => {
	const countOf = (text) => `SELECT count(*) FROM parley.message WHERE text='${text}'`;

	it("is found when the connection is back in time", async (t) => {
		const gate = await Gate.to(postgres.port);
		t.after(() => gate.close());
		const { server, database } = await keptServer(t, {
			through: gate,
			args: ["--store.patience", "1m"],
		});
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const { n } = await ann.do({ type: "chat", text: "first" });
		await bob.next("chat");
		const file = await uploaded(server, ann, Buffer.from("content"));
		const kept = {
			once: { type: "chat", text: "once" },
			edited: { type: "edit", n, text: "edited" },
			look: { type: "chat", text: "look", files: [file.id] },
		};
		for (const [text, message] of Object.entries(kept)) {
			gate.muteAt = "COMMIT";
			const reply = ann.ask(message);
			await poll(
				async () => (await postgres.sql(countOf(text), database)) === "1",
				() => `${text} to be kept`,
			);
			gate.cut();
			assert.ok((await reply).ok);
			const seen = await bob.next(text === "edited" ? text : "chat");
			assert.equal(seen.text, text);
			assert.equal(seen.files?.[0].id, message.files?.[0]);
		}
		const { messages } = await bob.do({ type: "history", after: 0 });
		assert.deepEqual(
			messages.map(({ text }) => text),
			["edited", "once", "look"],
		);
		await bob.nothing();
	});

	it("is taken back when it is not, so that saying it again shows it", async (t) => {
		const gate = await Gate.to(postgres.port);
		t.after(() => gate.close());
		const { server, database } = await keptServer(t, {
			through: gate,
			args: ["--store.patience", "2s"],
		});
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await ann.do({ type: "chat", text: "before" });
		await bob.next("chat");
		const file = await uploaded(server, ann, Buffer.from("content"));
		const message = { type: "chat", text: "lost", key: "k", files: [file.id] };
		gate.muteAt = "COMMIT";
		gate.shut = true; // nor is it asked again what became of it
		const reply = ann.ask(message);
		const count = () => postgres.sql(countOf("lost"), database);
		await poll(
			async () => (await count()) === "1",
			() => "the message to be kept",
		);
		assert.equal((await reply).error.code, "unavailable");
		await mustBecome(server, 503);
		await server.logged(/store +failed thread=writer/);
		gate.cut();
		gate.shut = false;
		await mustBecome(server, 200);
		assert.equal(await count(), "0");
		assert.equal((await ann.do(message)).known, undefined);
		const seen = await bob.next("chat");
		assert.deepEqual([seen.text, seen.files[0].id], ["lost", file.id]);
		await bob.nothing();
	});
});
