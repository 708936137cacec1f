// @parley/client as a package: what is in it, and that it works in node with a WebSocket given to it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { WebSocket } from "./lib/deps.mjs";
import { noise } from "./lib/files.mjs";
import { installSdk } from "./lib/sdk.mjs";
import { runParley, serverFor } from "./lib/server.mjs";
import { run, within } from "./lib/wait.mjs";

const TSC = new URL("../web/node_modules/typescript/bin/tsc", import.meta.url).pathname;

/** The next payload of an event. */
const next = (emitter, event) =>
	within(new Promise((resolve) => emitter.on(event, resolve)), `the event ${event}`);

describe("the package @parley/client", () => {
	it("holds its modules, their types and its licence, and depends on nothing", (t) => {
		const { home, files } = installSdk(t);
		const types = files.filter((path) => /^dist\/types\/[a-z-]+\.d\.ts$/.test(path));
		const others = files.filter((path) => !types.includes(path)).sort();
		// What a call needs that finds no path is loaded when it is needed.
		const modules = ["dist/parley.js", "dist/voice-engine.js", "dist/voice-worklet.js"];
		assert.deepEqual(others, ["LICENSE", "README.md", ...modules, "package.json"]);
		assert.ok(types.includes("dist/types/index.d.ts"));
		const about = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
		assert.equal(about.dependencies, undefined);
		assert.doesNotMatch(readFileSync(join(home, "dist/parley.js"), "utf8"), /^import /m);
	});

	it("has types that a strict program of node's module rules can use", (t) => {
		const { dir } = installSdk(t);
		const program = `
			import { Connection, RequestError, type JoinReply, type wire } from "@parley/client";
			const connection = new Connection({ url: "wss://example.org/v1/connect" });
			export const leave: wire.ClientMessage = { type: "ping" };
			export const members = (reply: JoinReply) => reply.members.map(({ state }) => state.mic);
			connection.request("ping").catch((error: unknown) => {
				if (error instanceof RequestError && error.reason === "denied") console.log(error.detail);
			});
		`;
		writeFileSync(join(dir, "package.json"), '{"type":"module"}');
		writeFileSync(join(dir, "program.ts"), program);
		const strict = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"];
		run(process.execPath, TSC, ...strict, "--lib", "es2022,dom", join(dir, "program.ts"));
	});

	it("joins, sees and chats from node, and goes on after its line was cut", async (t) => {
		const { home } = installSdk(t);
		const { Connection, connectUrl, Room } = await import(join(home, "dist/parley.js"));
		const server = await serverFor(t, { grace: "10s" });
		const name = freshRoom("sdk");
		const connection = new Connection({
			url: connectUrl(server.http, name),
			WebSocket,
			policy: { nextDelay: () => 0 },
		});
		t.after(() => connection.close());
		const room = new Room(connection, { room: name, name: "Ann" });
		const { you } = await room.join();
		const bob = await connect(t, server);
		const came = next(room, "joined");
		await bob.join(name, { name: "Bob" });
		assert.equal((await came).name, "Bob");
		await room.say("hello");
		assert.equal((await bob.next("chat")).text, "hello");
		const back = next(room, "resumed");
		connection.drop();
		const missed = next(room, "chat");
		bob.send({ type: "chat", text: "while you were away" });
		assert.equal((await missed).text, "while you were away");
		await back;
		assert.equal(room.self.id, you.id, "the seat was kept");
	});

	it("sends files from node, and says why it cannot", async (t) => {
		const { home } = installSdk(t);
		const { Connection, connectUrl, Room } = await import(join(home, "dist/parley.js"));
		const server = await serverFor(t, { args: ["--files.size=100k"] });
		const name = freshRoom("sdk files");
		const connection = new Connection({ url: connectUrl(server.http, name), WebSocket });
		t.after(() => connection.close());
		const room = new Room(connection, { room: name, name: "Ann" });
		const early = room.chat.sendFile(new Blob(["x"]));
		await assert.rejects(early, { reason: "no-files" });
		await room.join();
		const bob = await connect(t, server);
		await bob.join(name, { name: "Bob" });
		const text = new Blob(["hello file"], { type: "text/plain" });
		const sent = await room.chat.sendFile(text, { name: "a b.txt", text: "look" });
		assert.deepEqual((await bob.next("chat", { text: "look" })).files, sent.files);
		const [file] = sent.files;
		assert.deepEqual([file.name, file.type, file.size], ["a b.txt", "text/plain", 10]);
		assert.equal(await (await fetch(room.chat.urlOf(file))).text(), "hello file");
		assert.equal(room.chat.fileLimit, 102_400);
		await assert.rejects(room.chat.sendFile(new Blob([noise(102_401)])), { reason: "too_large" });
		const why = new Error("thought better of it");
		const aborted = room.chat.sendFile(text, { signal: AbortSignal.abort(why) });
		await assert.rejects(aborted, why);
		await room.chat.sendFile(new Blob([noise(102_400)]));
		assert.equal(room.chat.entries.length, 2);
	});

	it("comes in by a token, and says why it may not without one", async (t) => {
		const { home } = installSdk(t);
		const { Connection, connectUrl, Room } = await import(join(home, "dist/parley.js"));
		const key = "app:a-secret-of-some-length";
		const server = await serverFor(t, { args: ["--auth.key", key] });
		const name = freshRoom("token");
		const made = await runParley([
			"token",
			"create",
			"--auth.key",
			key,
			"--room",
			name,
			"--identity",
			"ann",
			"--name",
			"Ann A.",
		]);
		const url = connectUrl(server.http, name);
		const enter = (options) => {
			const connection = new Connection({ url, WebSocket, ...options });
			t.after(() => connection.close());
			return { connection, room: new Room(connection, { room: name, name: "Whoever" }) };
		};
		const { connection, room } = enter({ token: () => made.stdout.trim() });
		const { you } = await room.join();
		assert.deepEqual([you.user, you.name, connection.hello.open], ["ann", "Ann A.", undefined]);
		await room.say("hello");
		assert.equal(room.chat.entries.at(-1).mine, true);
		const stranger = enter({});
		await assert.rejects(stranger.room.join(), { reason: "unauthorized", detail: "no token" });
		assert.equal(stranger.connection.state, "closed");
	});

	it("gives up a wait that is aborted, and keeps no seat", async (t) => {
		const { home } = installSdk(t);
		const { Connection, connectUrl, Room } = await import(join(home, "dist/parley.js"));
		const server = await serverFor(t);
		const name = freshRoom("abort");
		const connection = new Connection({ url: connectUrl(server.http, name), WebSocket });
		t.after(() => connection.close());
		connection.open();
		await connection.ready();
		const why = new Error("thought better of it");
		const room = new Room(connection, { room: name, name: "Ann" });
		const control = new AbortController();
		const joining = room.join({ signal: control.signal });
		control.abort(why);
		await assert.rejects(joining, why);
		await connection.request("ping");
		const bob = await connect(t, server);
		const { members } = await bob.join(name);
		assert.deepEqual(members, []);
		await assert.rejects(connection.request("ping", {}, { signal: AbortSignal.abort(why) }), why);
	});
});
