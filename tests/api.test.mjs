// The server API: rooms, members, tokens, for an application's backend; and the document about it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BY_KEY, call } from "./lib/api.mjs";
import { connect, freshRoom } from "./lib/client.mjs";
import { Ajv2020 } from "./lib/deps.mjs";
import { get } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { schemas } from "./lib/schemas.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { jwt, KEY, KEY_ARGS, now, SECRET, tokenFor } from "./lib/token.mjs";

const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const basic = (text) => ({ Authorization: `Basic ${Buffer.from(text).toString("base64")}` });

/** A token with only these grants, for the server API. */
const granted = (video, claims = {}) =>
	bearer(jwt({ iss: KEY, exp: now() + 600, video, ...claims }));

let server;
let document;
let schemaOf;

/** A member of a room, by a token of its own. */
async function join(t, room, identity, claims) {
	const client = await connect(t, server, {
		room,
		headers: bearer(tokenFor(identity, room, claims)),
	});
	client.data = await client.join(room, { name: identity });
	return client;
}

/** A granted call, its answer held against the document. */
async function api(method, path, body, headers) {
	const answer = await call(server, method, path, body, headers);
	assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.json)}`);
	return answer.json;
}

before(async () => {
	server = await startServer({ workers: 2, args: KEY_ARGS });
	document = JSON.parse((await get(server, "/openapi.json")).text);
	const ajv = new Ajv2020({ strict: false });
	ajv.addSchema({ $id: "api", components: document.components });
	schemaOf = (name) => ajv.compile({ $ref: `api#/components/schemas/${name}` });
});
after(() => server.stop());

function mustBe(name, value) {
	const validate = schemaOf(name);
	assert.ok(validate(value), `${name}: ${JSON.stringify([validate.errors, value])}`);
}

describe("rooms and members", () => {
	it("are listed and described, on whatever worker they live", async (t) => {
		const rooms = [1, 2, 3, 4, 5].map(() => freshRoom("listed"));
		const members = [];
		for (const room of rooms) {
			members.push(await join(t, room, "ann", { metadata: '{"team":"red"}' }));
		}
		for (let again = 0; again < 8; again++) {
			const list = await api("GET", "/api/v1/rooms?limit=1000");
			mustBe("RoomList", list);
			const names = list.rooms.map((room) => room.name);
			assert.deepEqual([...names].sort(), names);
			assert.ok(rooms.every((room) => names.includes(room)));
			const room = await api("GET", `/api/v1/rooms/${rooms[again % 5]}`);
			mustBe("Room", room);
			assert.equal(room.name, rooms[again % 5]);
			assert.equal(room.members, 1);
		}
		const bob = await join(t, rooms[0], "bob");
		const list = await api("GET", `/api/v1/rooms/${rooms[0]}/members`);
		mustBe("MemberList", list);
		assert.deepEqual(
			list.members.map(({ id, user, metadata }) => ({ id, user, metadata })),
			[
				{ id: members[0].id, user: "ann", metadata: { team: "red" } },
				{ id: bob.id, user: "bob", metadata: undefined },
			],
		);
		for (const who of [bob.id, "bob"]) {
			const member = await api("GET", `/api/v1/rooms/${rooms[0]}/members/${who}`);
			mustBe("Member", member);
			assert.deepEqual(member, list.members[1]);
		}
	});

	it("are listed page by page", async (t) => {
		const rooms = ["a", "b", "c", "d", "e"].map((letter) => freshRoom(`page-${letter}`));
		for (const room of rooms) {
			await join(t, room, "ann");
		}
		const seen = [];
		let after = "page-";
		while (after !== undefined && after.startsWith("page-")) {
			const query = `limit=2&after=${encodeURIComponent(after)}`;
			const page = await api("GET", `/api/v1/rooms?${query}`);
			assert.ok(page.rooms.length <= 2);
			seen.push(...page.rooms.map((room) => room.name));
			after = page.next;
		}
		assert.deepEqual(
			seen.filter((name) => name.startsWith("page-")),
			rooms,
		);
	});

	it("a member is given another role, or sent away", async (t) => {
		const room = freshRoom();
		const ann = await join(t, room, "ann");
		const bob = await join(t, room, "bob");
		await ann.next("joined");
		await api("PATCH", `/api/v1/rooms/${room}/members/bob`, { role: "moderator" });
		await bob.next("updated", { member: bob.id, changes: { role: "moderator" } });
		await api("DELETE", `/api/v1/rooms/${room}/members/${bob.id}?reason=too%20loud`);
		const left = await bob.next("left", { member: bob.id });
		assert.deepEqual([left.reason, left.detail], ["kick", "too loud"]);
		await ann.next("left", { member: bob.id, reason: "kick" });
	});

	it("a room is closed with everybody in it", async (t) => {
		const room = freshRoom();
		const members = [await join(t, room, "ann"), await join(t, room, "bob")];
		await api("DELETE", `/api/v1/rooms/${room}?reason=over`);
		for (const member of members) {
			const left = await member.next("left", { member: member.id });
			assert.deepEqual([left.reason, left.detail], ["closed", "over"]);
		}
		assert.equal((await call(server, "GET", `/api/v1/rooms/${room}`)).status, 404);
		await members[0].join(room);
	});

	it("hear what the application says", async (t) => {
		const room = freshRoom();
		const ann = await join(t, room, "ann");
		const bob = await join(t, room, "bob");
		await ann.next("joined");
		await api("POST", `/api/v1/rooms/${room}/messages`, { text: "five minutes", name: "Clock" });
		for (const member of [ann, bob]) {
			const { text, name } = await member.next("chat");
			assert.deepEqual([text, name], ["five minutes", "Clock"]);
		}
		const data = { what: ["ever", 1, null] };
		await api("POST", `/api/v1/rooms/${room}/notices`, { data });
		await ann.next("notice", { data });
		await bob.next("notice", { data });
		await api("POST", `/api/v1/rooms/${room}/notices`, { data: 7, to: "bob" });
		await bob.next("notice", { data: 7 });
		await ann.nothing("a notice for bob");
	});
});

describe("tokens", () => {
	it("are made for clients", async (t) => {
		const room = freshRoom();
		const begin = now();
		const made = await api("POST", "/api/v1/tokens", {
			identity: "ann",
			room,
			name: "Ann",
			role: "owner",
			metadata: { a: 1 },
			ttl: 60,
		});
		mustBe("Token", made);
		assert.ok(made.expires >= begin + 60 && made.expires <= now() + 60, String(made.expires));
		const ann = await connect(t, server, { headers: bearer(made.token) });
		const { you } = await ann.join(room);
		assert.deepEqual([you.name, you.user, you.role], ["Ann", "ann", "owner"]);
		assert.deepEqual(you.metadata, { a: 1 });
	});

	it("are taken back, one by one or all of an identity", async (t) => {
		const room = freshRoom();
		const eve = freshRoom("eve");
		const one = tokenFor(eve, room, { jti: `${eve}-1`, iat: now() - 5 });
		const two = tokenFor(eve, room, { jti: `${eve}-2`, iat: now() - 5 });
		const clients = [];
		for (const token of [one, two]) {
			clients.push(await connect(t, server, { headers: bearer(token) }));
		}
		await clients[1].join(room);
		await api("POST", "/api/v1/revocations", { token: `${eve}-1` });
		const opens = async (token) => {
			try {
				await connect(t, server, { headers: bearer(token) });
				return true;
			} catch {
				return false;
			}
		};
		assert.equal(await opens(one), false);
		assert.equal(await opens(two), true);
		await api("POST", "/api/v1/revocations", { identity: eve });
		assert.deepEqual(await clients[1].ended(), { code: 4401, reason: "revoked" });
		for (let again = 0; again < 4; again++) {
			assert.equal(await opens(two), false);
		}
		assert.equal(await opens(tokenFor(eve, room, { iat: now() + 2 })), true);
	});
});

describe("who may call", () => {
	const room = freshRoom();
	before(async () => {
		const client = await connect({ after() {} }, server, {
			room,
			headers: bearer(tokenFor("host", room)),
		});
		await client.join(room);
	});
	const OPS = {
		listRooms: ["GET", "/api/v1/rooms"],
		getRoom: ["GET", `/api/v1/rooms/${room}`],
		listMembers: ["GET", `/api/v1/rooms/${room}/members`],
		sendNotice: ["POST", `/api/v1/rooms/${room}/notices`, { data: 1 }],
		makeToken: ["POST", "/api/v1/tokens", { identity: "ann" }],
	};
	const EVERY = Object.keys(OPS);
	const expired = { exp: now() - 60 };
	// what is shown -> which operations are granted, and the answer to the others
	const WHO = {
		"an API key as Bearer": [BY_KEY, EVERY],
		"an API key as Basic": [basic(`${KEY}:${SECRET}`), EVERY],
		nothing: [{}, [], 401, "no token"],
		"a wrong secret": [bearer(`${KEY}:${SECRET}x`), [], 401, "unknown key"],
		"a wrong secret as Basic": [basic(`${KEY}:`), [], 401, "unknown key"],
		"an unknown key": [bearer(`x:${SECRET}`), [], 401, "unknown key"],
		"Basic that is none": [{ Authorization: "Basic *" }, [], 401, "no token"],
		"another scheme": [{ Authorization: `Digest ${SECRET}` }, [], 401, "no token"],
		"an expired token": [granted({ roomList: true }, expired), [], 401, "expired"],
		roomList: [granted({ roomList: true }), ["listRooms", "getRoom"], 403],
		"roomAdmin of the room": [
			granted({ roomAdmin: true, room }),
			["getRoom", "listMembers", "sendNotice"],
			403,
		],
		"roomAdmin of any room": [
			granted({ roomAdmin: true }),
			["getRoom", "listMembers", "sendNotice"],
			403,
		],
		"roomAdmin of another room": [granted({ roomAdmin: true, room: "other" }), [], 403],
		"a client's token": [bearer(tokenFor("ann", room)), [], 403],
	};
	for (const [name, [headers, allowed, refused, detail]] of Object.entries(WHO)) {
		it(`${name}: ${allowed.join(", ") || "nothing"}`, async () => {
			for (const [op, [method, path, body]] of Object.entries(OPS)) {
				const { status, json, headers: answered } = await call(server, method, path, body, headers);
				if (allowed.includes(op)) {
					assert.ok(status < 300, `${op}: ${JSON.stringify(json)}`);
					continue;
				}
				assert.equal(status, refused, op);
				mustBe("Error", json);
				assert.equal(json.error.code, status === 401 ? "unauthorized" : "denied");
				assert.equal(json.error.detail, detail ?? "grant");
				assert.equal(answered["www-authenticate"], status === 401 ? "Bearer" : undefined);
			}
		});
	}

	it("a token in the query is none here", async () => {
		const path = `/api/v1/rooms?token=${granted({ roomList: true }).Authorization.slice(7)}`;
		assert.equal((await call(server, "GET", path, undefined, {})).status, 401);
	});

	it("in open mode only this machine", async (t) => {
		const open = await serverFor(t);
		const ask = (headers) => call(open, "GET", "/api/v1/rooms", undefined, headers);
		assert.equal((await ask({})).status, 200);
		assert.equal((await ask({ "X-Forwarded-For": "192.0.2.1" })).status, 401);
		assert.equal((await ask({ Forwarded: "for=192.0.2.1" })).status, 401);
		const foreign = { Origin: "https://evil.example" };
		const notice = await call(open, "POST", "/api/v1/rooms/x/notices", { data: 1 }, foreign);
		assert.equal(notice.status, 403);
		const made = await call(open, "POST", "/api/v1/tokens", { identity: "ann" }, {});
		assert.deepEqual([made.status, made.json.error.code], [409, "state"]);
	});
});

describe("what is sent wrongly", () => {
	// [method, path, body] -> [status, code, detail]
	const WRONG = [
		[
			["GET", "/api/v1/rooms/nowhere"],
			[404, "not_found", "room"],
		],
		[
			["GET", "/api/v1/rooms/nowhere/members"],
			[404, "not_found", "room"],
		],
		[
			["DELETE", "/api/v1/rooms/nowhere"],
			[404, "not_found", "room"],
		],
		[
			["GET", "/api/v1/nothing"],
			[404, "not_found"],
		],
		[
			["PUT", "/api/v1/rooms"],
			[405, "method_not_allowed"],
		],
		[
			["GET", "/api/v1/rooms?limit=0"],
			[400, "bad_field", "limit"],
		],
		[
			["GET", "/api/v1/rooms?limit=1001"],
			[400, "bad_field", "limit"],
		],
		[
			["GET", "/api/v1/rooms?limit=-1"],
			[400, "bad_field", "limit"],
		],
		[
			["GET", "/api/v1/rooms?limit=99999999999999999999"],
			[400, "bad_field", "limit"],
		],
		[
			["GET", `/api/v1/rooms?after=${"x".repeat(129)}`],
			[400, "bad_field", "after"],
		],
		[
			["GET", `/api/v1/rooms/${"x".repeat(129)}`],
			[400, "bad_field", "room"],
		],
		[
			["GET", `/api/v1/rooms/x/members/${"x".repeat(129)}`],
			[400, "bad_field", "member"],
		],
		[
			["GET", "/api/v1/rooms/%00"],
			[400, "malformed"],
		],
		[
			["GET", "/api/v1/rooms/%ff"],
			[400, "malformed"],
		],
		[
			["POST", "/api/v1/tokens", ""],
			[400, "malformed"],
		],
		[
			["POST", "/api/v1/tokens", "{"],
			[400, "malformed"],
		],
		[
			["POST", "/api/v1/tokens", "[]"],
			[400, "malformed"],
		],
		[
			["POST", "/api/v1/tokens", '{"identity":"\\ud800"}'],
			[400, "malformed"],
		],
		[
			["POST", "/api/v1/tokens", `${"[".repeat(100)}`],
			[413, "too_large"],
		],
		[
			["POST", "/api/v1/tokens", `[${"1,".repeat(2000)}1]`],
			[413, "too_large"],
		],
		[
			["POST", "/api/v1/tokens", "x".repeat(70_000)],
			[413, "too_large"],
		],
		[
			["POST", "/api/v1/tokens", {}],
			[400, "bad_field", "identity"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "" }],
			[400, "bad_field", "identity"],
		],
		[
			["POST", "/api/v1/tokens", { identity: 7 }],
			[400, "bad_field", "identity"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "x".repeat(129) }],
			[400, "bad_field", "identity"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "a", role: "king" }],
			[400, "bad_field", "role"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "a", ttl: 0 }],
			[400, "bad_field", "ttl"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "a", ttl: 1.5 }],
			[400, "bad_field", "ttl"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "a", admin: 1 }],
			[400, "bad_field", "admin"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "a", metadata: [] }],
			[400, "bad_field", "metadata"],
		],
		[
			["POST", "/api/v1/tokens", { identity: "a", metadata: { x: "y".repeat(4096) } }],
			[400, "bad_field", "metadata"],
		],
		[
			["POST", "/api/v1/revocations", {}],
			[400, "bad_field", "identity or token"],
		],
		[
			["POST", "/api/v1/revocations", { identity: "a", token: "b" }],
			[400, "bad_field", "identity or token"],
		],
		[
			["POST", "/api/v1/rooms/x/messages", { text: "" }],
			[400, "bad_field", "text"],
		],
		[
			["POST", "/api/v1/rooms/x/messages", { text: "x".repeat(8193) }],
			[400, "bad_field", "text"],
		],
		[
			["POST", "/api/v1/rooms/x/notices", {}],
			[400, "bad_field", "data"],
		],
	];
	it("is answered with what is wrong", async () => {
		const before = (await metrics(server)).get("api_calls_refused_total");
		for (const [[method, path, body], [status, code, detail]] of WRONG) {
			const answer = await call(server, method, path, body);
			const what = `${method} ${path.slice(0, 60)} ${JSON.stringify(body)?.slice(0, 60)}`;
			assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer.json)}`);
			assert.equal(answer.json.error.code, code, what);
			assert.equal(answer.json.error.detail, detail, what);
		}
		await metricIs(server, "api_calls_refused_total", (count) => count > before);
	});

	it("nobody of that name, in a room that is there", async (t) => {
		const room = freshRoom();
		await join(t, room, "ann");
		for (const who of ["m_aaaaaaaa", "bob", "m_"]) {
			for (const method of ["GET", "DELETE"]) {
				const path = `/api/v1/rooms/${room}/members/${who}`;
				const { status, json } = await call(server, method, path);
				assert.deepEqual([status, json.error.code], [404, "no_such_member"]);
			}
		}
	});
});

describe("/openapi.json", () => {
	it("has the form of OpenAPI 3.1", () => {
		assert.equal(document.openapi, "3.1.0");
		assert.ok(document.info.title && document.info.version);
		const ids = new Set();
		for (const [path, item] of Object.entries(document.paths)) {
			assert.match(path, /^\/(api\/v1|files)\//);
			const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
			for (const [method, op] of Object.entries(item)) {
				assert.match(method, /^(get|post|put|patch|delete)$/);
				assert.ok(op.summary);
				assert.ok(!ids.has(op.operationId), op.operationId);
				ids.add(op.operationId);
				const named = op.parameters.filter((p) => p.in === "path").map((p) => p.name);
				assert.deepEqual(named, inPath);
				assert.ok(op.parameters.every((p) => p.in !== "path" || p.required));
				const codes = Object.keys(op.responses);
				assert.ok(codes.includes("default") && codes.some((code) => code.startsWith("2")));
			}
		}
	});

	it("has no reference without an end, and schemas that compile", () => {
		const at = (pointer) =>
			pointer
				.slice(2)
				.split("/")
				.reduce((value, key) => value?.[key], document);
		for (const [, ref] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
			assert.notEqual(at(ref), undefined, ref);
		}
		for (const name of Object.keys(document.components.schemas)) {
			schemaOf(name);
		}
	});

	it("names every route, and every route is named", async () => {
		for (const [path, item] of Object.entries(document.paths)) {
			const url = path.replaceAll(/\{\w+\}/g, "x");
			const { headers } = await call(server, "OPTIONS", url, undefined, {});
			const allowed = headers.allow.toLowerCase().split(", ");
			const extra = ["options", ...(item.get ? ["head"] : [])];
			assert.deepEqual(allowed.sort(), [...Object.keys(item), ...extra].sort(), path);
		}
	});
});

describe("/asyncapi.json", () => {
	let doc;
	const at = (pointer) =>
		pointer.slice(2).split("/").reduce((value, key) => value?.[key], doc);
	before(async () => {
		doc = JSON.parse((await get(server, "/asyncapi.json")).text);
	});

	it("has the form of AsyncAPI 3.0", () => {
		assert.equal(doc.asyncapi, "3.0.0");
		assert.ok(doc.info.title && doc.info.version);
		const [channel] = Object.values(doc.channels);
		assert.equal(channel.address, "/v1/connect");
		const said = Object.values(doc.operations).flatMap(({ action, messages }) => {
			assert.match(action, /^(send|receive)$/);
			return messages.map(({ $ref }) => $ref.split("/").at(-1));
		});
		assert.deepEqual(said.sort(), Object.keys(channel.messages).sort());
	});

	it("has every message of schema/, and no reference without an end", () => {
		const names = ["client", "server"].flatMap((side) =>
			[...schemas[side].keys()].map((type) => `${side}_${type}`),
		);
		assert.deepEqual(Object.keys(doc.components.messages).sort(), names.sort());
		for (const [, ref] of JSON.stringify(doc).matchAll(/"\$ref":"([^"]+)"/g)) {
			assert.notEqual(at(ref), undefined, ref);
		}
	});

	it("has schemas that messages fit", async (t) => {
		const ajv = new Ajv2020({ strict: false });
		ajv.addSchema({ $id: "async", components: doc.components });
		const fits = (type, message) => {
			const $ref = `async#/components/messages/server_${type}/payload/schema`;
			const validate = ajv.compile({ $ref });
			assert.ok(validate(message), JSON.stringify(validate.errors));
		};
		const room = freshRoom();
		const ann = await join(t, room, "ann");
		fits("hello", ann.hello);
		await join(t, room, "bob");
		fits("joined", await ann.next("joined"));
		fits("reply", await ann.ask({ type: "sync" }));
	});
});
