// Chat: kept before it is shown, numbered, found again.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, fence, freshRoom, roomOf } from "./lib/client.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";

const bare = ({ seq, ...message }) => message;
const texts = (messages) => messages.map(({ text }) => text);

for (const store of ["kept", "none"]) {
	describe(`chat, store: ${store}`, () => {
		let server;
		before(async () => {
			const args = store === "none" ? ["--store.url", "none"] : [];
			server = await startServer({ workers: 2, args });
		});
		after(() => server.stop());

		const two = (t) => roomOf(t, server, ["Ann", "Bob"]);

		it("is acknowledged with the number that everybody sees", async (t) => {
			const [ann, bob] = await two(t);
			const kept = await ann.do({ type: "chat", text: "hello", key: "k-1" });
			const seen = await bob.next("chat");
			assert.equal(seen.n, kept.n);
			assert.equal(seen.epoch, kept.epoch);
			assert.equal(seen.time, kept.time);
			assert.equal(seen.key, "k-1");
			assert.deepEqual(await ann.next("chat"), seen);
		});

		it("takes no file from a client, in whatever form", async (t) => {
			const [ann, bob] = await two(t);
			for (const file of ['{"id":"x"}', '","text":"y', { id: "x" }]) {
				await ann.do({ type: "chat", text: "look", file });
				assert.equal((await bob.next("chat")).file, undefined);
			}
		});

		it("takes a key once, and answers its repetition with the first numbers", async (t) => {
			const members = await two(t);
			const [ann, bob] = members;
			const first = await ann.do({ type: "chat", text: "once", key: "same" });
			const again = await ann.do({ type: "chat", text: "once", key: "same" });
			assert.deepEqual(again, { ...first, known: true });
			await bob.next("chat", { text: "once" });
			await fence(members);
			await bob.nothing();
		});

		it("counts up in the order of saying", async (t) => {
			const [ann, bob] = await two(t);
			const said = Array.from({ length: 100 }, (_, i) => `line ${i}`);
			await ann.do({ type: "chat", text: said[0] }); // the room knows its last number then
			await Promise.all(said.slice(1).map((text) => ann.do({ type: "chat", text })));
			const seen = [];
			for (let i = 0; i < said.length; i++) seen.push(await bob.next("chat"));
			assert.deepEqual(texts(seen), said);
			assert.ok(seen.every((message, i) => i === 0 || message.n > seen[i - 1].n));
		});

		it("tells newcomers what was said, in its latest form", async (t) => {
			const members = await two(t);
			const [ann, bob] = members;
			const { n } = await ann.do({ type: "chat", text: "first" });
			const gone = await bob.do({ type: "chat", text: "second" });
			await ann.do({ type: "edit", n, text: "better" });
			await bob.do({ type: "react", n, emoji: "👍" });
			await bob.do({ type: "delete", n: gone.n });
			const cleo = await connect(t, server);
			const { chat } = await cleo.join(members.room, { name: "Cleo" });
			assert.deepEqual(texts(chat), ["better", ""]);
			assert.deepEqual(chat[0].reactions, { "👍": [bob.id] });
			assert.ok(chat[0].edited);
			assert.equal(chat[1].deleted, true);
			const { messages } = await cleo.do({ type: "history" });
			assert.deepEqual(messages, chat);
		});

		it("lets change only who may", async (t) => {
			const [ann, bob] = await two(t);
			const { n } = await ann.do({ type: "chat", text: "mine" });
			await bob.refused({ type: "edit", n, text: "yours" }, "denied");
			await bob.refused({ type: "delete", n }, "denied");
			await bob.refused({ type: "edit", n: n + 100, text: "?" }, "not_found");
			const other = await bob.do({ type: "chat", text: "bob's" });
			await ann.refused({ type: "edit", n: other.n, text: "ann's" }, "denied");
			await ann.do({ type: "delete", n: other.n });
			await bob.refused({ type: "edit", n: other.n, text: "again" }, "not_found");
		});

		it("changes reactions for one, and takes them back", async (t) => {
			const [ann, bob] = await two(t);
			const { n } = await ann.do({ type: "chat", text: "nice" });
			await ann.do({ type: "react", n, emoji: "❤" });
			await bob.do({ type: "react", n, emoji: "❤" });
			assert.equal((await bob.do({ type: "react", n, emoji: "❤" })).known, true);
			await ann.do({ type: "react", n, emoji: "❤", on: false });
			const { messages } = await ann.do({ type: "history" });
			assert.deepEqual(messages.at(-1).reactions, { "❤": [bob.id] });
			const seen = await bob.next("reacted", { on: false });
			assert.equal(seen.of, n);
			assert.equal(seen.reader, ann.id);
		});

		it("shows a direct message to two", async (t) => {
			const members = await roomOf(t, server, ["Ann", "Bob", "Cleo"]);
			const [ann, bob, cleo] = members;
			const { n } = await ann.do({ type: "chat", text: "psst", to: bob.id });
			assert.equal((await bob.next("chat", { text: "psst" })).to, bob.id);
			await ann.next("chat", { text: "psst" });
			await bob.do({ type: "react", n, emoji: "😀" });
			await ann.next("reacted");
			await bob.next("reacted");
			await fence(members);
			await cleo.nothing();
			await cleo.refused({ type: "react", n, emoji: "😀" }, "not_found");
			assert.ok(!texts((await cleo.do({ type: "history" })).messages).includes("psst"));
			assert.ok(texts((await bob.do({ type: "history" })).messages).includes("psst"));
		});

		it("tells who types and who has read, to the others alone", async (t) => {
			const members = await two(t);
			const [ann, bob] = members;
			const { n } = await ann.do({ type: "chat", text: "read me" });
			await bob.do({ type: "typing" });
			assert.equal((await ann.next("typing")).on, true);
			await bob.do({ type: "typing", on: false });
			assert.equal((await ann.next("typing")).on, false);
			await bob.do({ type: "read", n });
			assert.equal((await ann.next("read")).n, n);
			assert.equal((await bob.do({ type: "history" })).read, n);
			await bob.refused({ type: "read", n: n + 50 }, "not_found");
		});

		it("pages both ways", async (t) => {
			const [ann] = await two(t);
			const numbers = [];
			for (let i = 1; i <= 30; i++) {
				numbers.push((await ann.do({ type: "chat", text: `line ${i}` })).n);
			}
			const back = await ann.do({
				type: "history",
				before: numbers[20],
				limit: 10,
			});
			assert.deepEqual(
				back.messages.map(({ n }) => n),
				numbers.slice(10, 20),
			);
			assert.equal(back.more, true);
			const on = await ann.do({ type: "history", after: numbers[24] });
			assert.deepEqual(
				on.messages.map(({ n }) => n),
				numbers.slice(25),
			);
			assert.equal(on.more, false);
		});
	});
}

describe("chat that is kept", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2 });
	});
	after(() => server.stop());

	it("finds messages by their words", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann] = members;
		await ann.do({ type: "chat", text: "The quick brown fox" });
		const { n } = await ann.do({ type: "chat", text: "Ein schöner Fuchs" });
		const found = async (text) => texts((await ann.do({ type: "search", text })).messages);
		assert.deepEqual(await found("fox quick"), ["The quick brown fox"]);
		assert.deepEqual(await found("SCHONER"), ["Ein schöner Fuchs"]);
		assert.deepEqual(await found("quick fuchs"), []);
		assert.deepEqual(await found('"* OR NOT ('), []);
		await ann.do({ type: "edit", n, text: "Ein Hase" });
		assert.deepEqual(await found("fuchs"), []);
		assert.deepEqual(await found("hase"), ["Ein Hase"]);
		const other = await connect(t, server);
		await other.join(freshRoom());
		assert.deepEqual((await other.do({ type: "search", text: "fox" })).messages, []);
	});

	it("tells a client that was away what it has missed, changes too", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		const one = await ann.do({ type: "chat", text: "one" });
		const two = await ann.do({ type: "chat", text: "two" });
		await ann.do({ type: "edit", n: one.n, text: "uno" });
		await ann.do({ type: "react", n: one.n, emoji: "👍" });
		await ann.do({ type: "react", n: one.n, emoji: "👍", on: false });
		await ann.do({ type: "delete", n: one.n });
		const { messages } = await ann.do({ type: "history", after: two.n });
		assert.deepEqual(
			messages.map(({ type, of, on }) => [type, of, on]),
			[
				["edited", one.n, undefined],
				["reacted", one.n, true],
				["reacted", one.n, false],
				["deleted", one.n, undefined],
			],
		);
		assert.equal(messages[0].text, "", "what was deleted is not told any more");
	});

	it("remembers who was in the room, when and why they left", async (t) => {
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann, bob] = members;
		await ann.do({ type: "kick", member: bob.id });
		await ann.next("left");
		await ann.do({ type: "chat", text: "What is kept is kept in order." });
		const { visits, more } = await ann.do({ type: "whowas" });
		assert.equal(more, false);
		assert.deepEqual(
			visits.map(({ name, reason }) => [name, reason]),
			[
				["Ann", undefined],
				["Bob", "kick"],
			],
		);
		assert.ok(visits[1].leftAt >= visits[1].joinedAt);
	});

	it("goes on where it was when the room was empty meanwhile", async (t) => {
		const room = freshRoom();
		const ann = await connect(t, server);
		await ann.join(room);
		const kept = await ann.do({ type: "chat", text: "before" });
		const seen = await ann.next("chat");
		await ann.do({ type: "leave" });
		await ann.join(room);
		const replayed = await ann.next("chat");
		assert.deepEqual(bare(replayed), { ...bare(seen), replay: true });
		assert.ok((await ann.do({ type: "chat", text: "after" })).n > kept.n);
	});
});

describe("chat over restarts", () => {
	it("is there again, with its numbers, marks and visits", async (t) => {
		const dataDir = freshDir();
		const room = freshRoom();
		const first = await startServer({ dataDir });
		const ann = await connect(t, first);
		await ann.join(room, { user: "ann" });
		const { n, epoch } = await ann.do({ type: "chat", text: "kept", key: "k" });
		await ann.do({ type: "read", n });
		await ann.do({ type: "react", n, emoji: "👍" }); // marks are kept in order with it
		await first.kill();

		const second = await serverFor(t, { dataDir });
		const bob = await connect(t, second);
		await bob.join(room, { user: "ann" });
		const seen = await bob.next("chat");
		assert.equal(seen.text, "kept");
		assert.deepEqual(await bob.do({ type: "chat", text: "kept", key: "k" }), {
			n,
			epoch,
			time: seen.time,
			known: true,
		});
		assert.equal((await bob.do({ type: "history" })).read, n);
		const { visits } = await bob.do({ type: "whowas" });
		assert.equal(visits[0].reason, "shutdown");
		assert.equal(visits[1].reason, undefined);
	});
});
