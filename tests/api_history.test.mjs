// The server API about what was: messages, visits, bans.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, freshRoom } from "./lib/client.mjs";
import { Ajv2020 } from "./lib/deps.mjs";
import { get } from "./lib/http.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { KEY_ARGS, tokenFor } from "./lib/token.mjs";

let server;
let document;
before(async () => {
	server = await startServer({ workers: 2, args: KEY_ARGS });
	document = JSON.parse((await get(server, "/openapi.json")).text);
});
after(() => server.stop());

/** The answer of a call, which is held against the document. */
async function ask(path, schema, at = server) {
	const { status, json } = await call(at, "GET", path);
	assert.equal(status, 200, JSON.stringify(json));
	const ajv = new Ajv2020({ strict: false });
	ajv.addSchema({ $id: "api", components: document.components });
	const validate = ajv.compile({ $ref: `api#/components/schemas/${schema}` });
	assert.ok(validate(json), JSON.stringify([validate.errors, json]));
	return json;
}

async function join(t, room, identity, at = server) {
	const headers = { Authorization: `Bearer ${tokenFor(identity, room)}` };
	const client = await connect(t, at, { room, headers });
	await client.join(room, { name: identity });
	return client;
}

const texts = ({ messages }) => messages.map(({ text }) => text);

describe("what was said", () => {
	it("is told in pages, both ways, also when nobody is there any more", async (t) => {
		const rooms = [freshRoom(), freshRoom(), freshRoom()];
		for (const room of rooms) {
			const path = `/api/v1/rooms/${room}/messages`;
			const ann = await join(t, room, "ann");
			for (const text of ["one", "two", "three", "four", "five"]) {
				await ann.ask({ type: "chat", text });
			}
			const check = async () => {
				const newest = await ask(`${path}?limit=2`, "MessageList");
				assert.deepEqual([texts(newest), newest.more], [["four", "five"], true]);
				const [{ n, epoch, from, name, user, type }] = newest.messages;
				assert.equal(epoch, newest.epoch);
				assert.deepEqual([type, from, name, user], ["chat", ann.id, "ann", "ann"]);
				const older = await ask(`${path}?limit=9&before=${n}`, "MessageList");
				assert.deepEqual([texts(older), older.more], [["one", "two", "three"], false]);
				const first = await ask(`${path}?limit=2&after=0`, "MessageList");
				assert.deepEqual([texts(first), first.more], [["one", "two"], true]);
				const next = await ask(`${path}?after=${first.messages[1].n}`, "MessageList");
				assert.deepEqual(texts(next), ["three", "four", "five"]);
			};
			await check();
			await ann.do({ type: "leave" });
			assert.equal((await call(server, "GET", `/api/v1/rooms/${room}`)).status, 404);
			await check();
		}
	});

	it("has changes and what the application said, and nothing of direct messages", async (t) => {
		const room = freshRoom();
		const path = `/api/v1/rooms/${room}/messages`;
		const ann = await join(t, room, "ann");
		const bob = await join(t, room, "bob");
		await ann.next("joined");
		const { n } = (await ann.ask({ type: "chat", text: "frist" })).data;
		await ann.ask({ type: "chat", text: "between us", to: bob.id });
		await ann.ask({ type: "edit", n, text: "first" });
		await bob.ask({ type: "react", n, emoji: "👍", on: true });
		await call(server, "POST", path, { text: "five minutes", name: "Clock" });
		const now = await ask(path, "MessageList");
		assert.deepEqual(texts(now), ["first", "five minutes"]);
		assert.deepEqual(now.messages[0].reactions, { "👍": ["bob"] });
		assert.ok(now.messages[0].edited > 0);
		const since = await ask(`${path}?after=${n}`, "MessageList");
		assert.deepEqual(
			since.messages.map(({ type }) => type),
			["edited", "reacted", "chat"],
		);
	});

	it("is nothing in a room that never was", async () => {
		const path = `/api/v1/rooms/${freshRoom()}`;
		const { messages, epoch, more } = await ask(`${path}/messages`, "MessageList");
		assert.deepEqual([messages, epoch, more], [[], 0, false]);
		assert.deepEqual(await ask(`${path}/visits`, "VisitList"), { visits: [], more: false });
	});

	it("without a store: what the room has in memory", async (t) => {
		const own = await serverFor(t, { args: [...KEY_ARGS, "--store.url=none"] });
		const room = freshRoom();
		const path = `/api/v1/rooms/${room}`;
		const ann = await join(t, room, "ann", own);
		await ann.ask({ type: "chat", text: "hello" });
		assert.deepEqual(texts(await ask(`${path}/messages`, "MessageList", own)), ["hello"]);
		const visits = await call(own, "GET", `${path}/visits`);
		assert.deepEqual([visits.status, visits.json.error.code], [503, "unavailable"]);
		await ann.do({ type: "leave" });
		assert.equal((await call(own, "GET", `${path}/messages`)).status, 404);
	});

	for (const query of ["limit=0", "limit=201", "before=0", "before=x", "after=9007199254740992"]) {
		it(`is not told for ${query}`, async () => {
			const { status, json } = await call(server, "GET", `/api/v1/rooms/r/messages?${query}`);
			assert.deepEqual(
				[status, json.error.code, json.error.detail],
				[400, "bad_field", query.split("=")[0]],
			);
		});
	}
});

describe("who was here", () => {
	it("is told with times and reasons, page by page", async (t) => {
		const room = freshRoom();
		const path = `/api/v1/rooms/${room}/visits`;
		const ann = await join(t, room, "ann");
		const bob = await join(t, room, "bob");
		await ann.next("joined");
		await bob.do({ type: "leave" });
		await ann.next("left");
		// Rows of visits are written without anybody waiting: a message is kept after them.
		await ann.ask({ type: "chat", text: "bye" });
		const { visits, more } = await ask(path, "VisitList");
		assert.equal(more, false);
		assert.deepEqual(
			visits.map(({ member, user, reason }) => [member, user, reason]),
			[
				[ann.id, "ann", undefined],
				[bob.id, "bob", "leave"],
			],
		);
		assert.ok(visits[1].leftAt >= visits[1].joinedAt);
		const last = await ask(`${path}?limit=1`, "VisitList");
		assert.deepEqual([last.visits, last.more], [[visits[1]], true]);
		const first = await ask(`${path}?before=${visits[1].visit}`, "VisitList");
		assert.deepEqual(first.visits, [visits[0]]);
	});
});

describe("bans", () => {
	it("are listed, and lifted one by one", async (t) => {
		const room = freshRoom();
		const path = `/api/v1/rooms/${room}/bans`;
		await join(t, room, "ann");
		const bob = await join(t, room, "bob");
		const listed = async () => {
			const { bans } = await ask(path, "BanList");
			return bans.map(({ until, ...who }) => who);
		};
		assert.deepEqual(await listed(), []);
		const ban = (body) => call(server, "POST", path, body);
		await ban({ member: "bob", byAddress: true });
		await ban({ user: "eve" });
		await ban({ address: "192.0.2.7" });
		assert.deepEqual(await listed(), [
			{ user: "bob", address: "127.0.0.1", name: "bob" },
			{ user: "eve" },
			{ address: "192.0.2.7" },
		]);
		await bob.refused({ type: "join", room, name: "Bob" }, "banned");
		const lift = (query) => call(server, "DELETE", `${path}?${query}`);
		assert.equal((await lift("user=eve")).status, 204);
		assert.equal((await lift("address=127.0.0.1")).status, 204);
		assert.equal((await lift("user=eve")).status, 404);
		assert.deepEqual(await listed(), [{ address: "192.0.2.7" }]);
		await bob.join(room);
		assert.equal((await call(server, "GET", `${path}x`)).status, 404);
	});
});
