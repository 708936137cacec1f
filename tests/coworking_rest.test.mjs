// The REST half of the co-working page (docs/dialects.md): rooms, who is in them, messages. With two
// workers a request may come in on the one that does not keep them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect } from "./lib/client.mjs";
import { openPage } from "./lib/dialects.mjs";
import { uploaded } from "./lib/files.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { heard, stock } from "./lib/socketio.mjs";

const token = (claims) =>
	[{ alg: "HS256" }, claims]
		.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
		.concat("c2ln")
		.join(".");

class Person {
	constructor(server, id, name) {
		this.base = `${server.http}/api/coworking/rooms`;
		this.headers = {
			Authorization: `Bearer ${token({ sub: id, name })}`,
			Connection: "close",
		};
	}

	async call(method, path = "", body = undefined) {
		const response = await fetch(this.base + path, {
			method,
			headers: {
				...this.headers,
				...(body && { "Content-Type": "application/json" }),
			},
			body: body && JSON.stringify(body),
		});
		return { status: response.status, body: await response.json() };
	}

	async ok(method, path, body, status = 200) {
		const got = await this.call(method, path, body);
		assert.equal(got.status, status, JSON.stringify(got.body));
		return got.body;
	}

	async refused(method, path, body, status, detail) {
		const got = await this.call(method, path, body);
		assert.equal(got.status, status);
		assert.equal(got.body.detail, detail);
	}
}

for (const workers of [1, 2]) {
	describe(`coworking over REST with ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		let ann;
		let bob;
		before(async () => {
			server = await startServer({ workers });
			ann = new Person(server, "u-ann", "Ann");
			bob = new Person(server, 7, "Bob");
		});
		after(() => server.stop());

		const make = (options = {}) =>
			ann.ok("POST", "", { name: "Focus", ...options }, 201);

		it("a room is made, listed, shown and deleted by who made it", async () => {
			const room = await make({
				description: "quiet",
				max_participants: 3,
				color: "#fff",
			});
			assert.deepEqual(room, {
				id: room.id,
				name: "Focus",
				description: "quiet",
				status: "active",
				participant_count: 0,
				max_participants: 3,
				color: "#fff",
			});
			assert.ok((await bob.ok("GET", "")).some(({ id }) => id === room.id));
			const detail = await bob.ok("GET", `/${room.id}`);
			assert.deepEqual(detail, {
				id: room.id,
				name: "Focus",
				description: "quiet",
				participants: [],
				messages: [],
				tasks_completed: 0,
				tasks_total: 0,
				focus_time: 0,
				focus_goal: 480,
			});
			const denied = "Only who made the room may delete it";
			await bob.refused("DELETE", `/${room.id}`, undefined, 403, denied);
			assert.equal((await ann.ok("DELETE", `/${room.id}`)).success, true);
			await ann.refused("GET", `/${room.id}`, undefined, 404, "Room not found");
		});

		it("joining twice is joining once", async () => {
			const { id } = await make();
			const first = await ann.ok("POST", `/${id}/join`);
			assert.equal(first.success, true);
			const again = await ann.ok("POST", `/${id}/join`);
			assert.deepEqual(again.room.participants, first.room.participants);
			const [{ joined_at, ...me }] = again.room.participants;
			assert.ok(Date.parse(joined_at) > 0);
			assert.deepEqual(me, {
				id: "u-ann",
				name: "Ann",
				avatar: "A",
				is_speaking: false,
				is_muted: false,
			});
			assert.deepEqual(
				again.room.messages.map(({ user, text }) => [user, text]),
				[["System", "Ann joined the room"]],
			);
			assert.equal(
				(await bob.ok("POST", `/${id}/join`)).room.participants.length,
				2,
			);
			await ann.ok("POST", `/${id}/leave`);
			await ann.refused(
				"POST",
				`/${id}/leave`,
				undefined,
				404,
				"Not in this room",
			);
			const { participants, messages } = await bob.ok("GET", `/${id}`);
			assert.deepEqual(
				participants.map(({ id }) => id),
				["7"],
			);
			assert.equal(messages.at(-1).text, "Ann left the room");
		});

		it("a full room refuses, but not who is in it", async () => {
			const { id } = await make({ max_participants: 1 });
			await ann.ok("POST", `/${id}/join`);
			await bob.refused("POST", `/${id}/join`, undefined, 400, "Room is full");
			await ann.ok("POST", `/${id}/join`);
		});

		it("messages are kept, the last fifty, oldest first", async () => {
			const { id } = await make();
			await bob.refused(
				"POST",
				`/${id}/messages`,
				{ message_text: "x" },
				403,
				"Not in this room",
			);
			await bob.ok("POST", `/${id}/join`);
			const said = await bob.ok("POST", `/${id}/messages`, {
				message_text: "hello",
				message_type: "text",
			});
			assert.match(said.time, /^\d\d:\d\d$/);
			assert.deepEqual(
				[said.user, said.text, said.avatar],
				["Bob", "hello", "B"],
			);
			assert.equal(
				(await bob.ok("POST", `/${id}/emoji`, { emoji: "🎉" })).text,
				"🎉",
			);
			for (let i = 0; i < 55; i++) {
				await bob.ok("POST", `/${id}/messages`, { message_text: `m${i}` });
			}
			const { messages } = await bob.ok("GET", `/${id}`);
			assert.deepEqual(
				messages.map(({ text }) => text),
				Array.from({ length: 50 }, (_, i) => `m${i + 5}`),
			);
			const ids = messages.map(({ id }) => id);
			assert.deepEqual(
				ids,
				[...ids].sort((a, b) => a - b),
			);
		});

		it("who is muted does not speak", async () => {
			const { id } = await make();
			await ann.ok("POST", `/${id}/join`);
			const put = (path, body) => ann.ok("PUT", `/${id}/${path}`, body);
			assert.deepEqual(await put("speaking", { is_speaking: true }), {
				success: true,
				is_speaking: true,
			});
			assert.deepEqual(await put("mic-toggle", { is_muted: true }), {
				success: true,
				is_muted: true,
			});
			const speak = { is_speaking: true };
			await ann.refused(
				"PUT",
				`/${id}/speaking`,
				speak,
				400,
				"Cannot speak while muted",
			);
			const [me] = (await ann.ok("GET", `/${id}`)).participants;
			assert.deepEqual([me.is_muted, me.is_speaking], [true, false]);
		});

		it("what is said reaches native members of the room", async (t) => {
			const { id } = await make();
			const page = await openPage(t, server, "native", {
				room: id,
				name: "Nat",
			});
			await metricIs(server, "members", 1);
			await ann.ok("POST", `/${id}/join`);
			await ann.ok("POST", `/${id}/messages`, { message_text: "over here" });
			for (const [name, text] of [
				["System", "Ann joined the room"],
				["Ann", "over here"],
			]) {
				const chat = await page.next("chat");
				assert.deepEqual(
					[chat.name, JSON.parse(chat.text ?? "{}").text],
					[name, text],
				);
			}
		});

		it("it is one history with that of native and Socket.IO members", async (t) => {
			const { id } = await make();
			await ann.ok("POST", `/${id}/join`);
			await ann.ok("POST", `/${id}/messages`, {
				message_text: "by REST, to nobody",
			});
			const native = await connect(t, server);
			await native.join(id, { name: "Nat" });
			const duo = await stock(t, server, { transports: ["websocket"] });
			duo.emit("room:join", { room: id, userName: "Duo" });
			await heard(duo, "room:joined");
			const told = heard(duo, "chat:message");
			duo.emit("chat:message", { message: "by duo", userName: "Duo" });
			await told;
			await native.do({ type: "chat", text: "by native" });
			await ann.ok("POST", `/${id}/emoji`, { emoji: "🎉" });
			const said = [
				["System", "Ann joined the room"],
				["Ann", "by REST, to nobody"],
				["Duo", "by duo"],
				["Nat", "by native"],
				["Ann", "🎉"],
			];
			const { messages } = await ann.ok("GET", `/${id}`);
			assert.deepEqual(
				messages.map(({ user, text }) => [user, text]),
				said,
			);
			const history = (await native.do({ type: "history", after: 0 })).messages;
			assert.deepEqual(
				history.map(({ name, text }) => [name, text]),
				said,
			);
			assert.deepEqual(
				messages.map(({ id }) => id),
				history.map(({ n }) => n),
			);
			assert.equal(history[1].user, "u-ann");
		});

		it("files of native members are lines", async (t) => {
			const { id } = await make();
			await ann.ok("POST", `/${id}/join`);
			const native = await connect(t, server);
			native.joinData = await native.join(id, { name: "Nat" });
			const file = await uploaded(server, native, Buffer.from("hello"), { name: "a.txt" });
			await native.do({ type: "chat", files: [file.id] });
			const { messages } = await ann.ok("GET", `/${id}`);
			assert.equal(messages.at(-1).text, `a.txt: /files/${file.id}`);
		});

		it("mute and speaking are shown to the members of the room", async (t) => {
			const { id } = await make();
			const [own, other] = [await connect(t, server), await connect(t, server)];
			const { you } = await own.join(id, { name: "Ann", user: "u-ann" });
			await other.join(id, { name: "Other" });
			await ann.ok("POST", `/${id}/join`);
			for (const [path, body, changes] of [
				["mic-toggle", { is_muted: false }, { mic: true }],
				["speaking", { is_speaking: true }, { speaking: true }],
				["speaking", { is_speaking: false }, { speaking: false }],
				["mic-toggle", { is_muted: true }, { mic: false }],
			]) {
				await ann.ok("PUT", `/${id}/${path}`, body);
				for (const member of [own, other]) {
					const updated = await member.next("updated");
					assert.deepEqual(
						[updated.member, updated.changes],
						[you.id, changes],
					);
				}
			}
		});

		for (const [what, method, path, body, status] of [
			["no name", "POST", "", {}, 422],
			["too many seats", "POST", "", { name: "x", max_participants: 51 }, 422],
			[
				"seats that are no number",
				"POST",
				"",
				{ name: "x", max_participants: "2" },
				422,
			],
			["a name too long", "POST", "", { name: "x".repeat(200) }, 422],
			["no such room", "POST", "/nowhere/join", undefined, 404],
		]) {
			it(`${what}: ${status}`, async () => {
				const got = await ann.call(method, path, body);
				assert.equal(got.status, status);
				assert.equal(typeof got.body.detail, "string");
			});
		}

		const auth = async (path, body, headers = {}) => {
			const response = await fetch(`${server.http}/api/auth/${path}`, {
				method: body ? "POST" : "GET",
				headers: {
					"Content-Type": "application/json",
					Connection: "close",
					...headers,
				},
				body: body && JSON.stringify(body),
			});
			return { status: response.status, body: await response.json() };
		};

		for (const [path, body, name] of [
			["login", { email: "cy@example.org", password: "x" }, "cy"],
			["login", { username: "cy", password: "x" }, "cy"],
			[
				"register",
				{ email: "cy@example.org", password: "x", name: "Cy Young" },
				"Cy Young",
			],
		]) {
			it(`${path} with ${Object.keys(body)}: a token that is believed in open mode`, async () => {
				const { status, body: reply } = await auth(path, body);
				assert.equal(status, 200);
				assert.deepEqual(Object.keys(reply), ["access_token", "token_type"]);
				assert.equal(reply.token_type, "bearer");
				const me = await auth("user", undefined, {
					Authorization: `Bearer ${reply.access_token}`,
				});
				assert.equal(me.status, 200);
				assert.deepEqual(
					[me.body.name, me.body.email, me.body.is_active],
					[name, body.email ?? "cy", true],
				);
				assert.deepEqual(
					(await auth(path, body)).body,
					reply,
					"the same one each time",
				);
			});
		}

		for (const [path, body, headers, status] of [
			["login", { password: "x" }, {}, 422],
			["login", { email: "x".repeat(500) }, {}, 422],
			["user", undefined, {}, 401],
		]) {
			it(`${path} ${JSON.stringify(body)?.slice(0, 30)}: ${status}`, async () => {
				const reply = await auth(path, body, headers);
				assert.equal(reply.status, status);
				assert.equal(typeof reply.body.detail, "string");
			});
		}

		it("without a token: 401", async () => {
			const response = await fetch(`${server.http}/api/coworking/rooms`);
			assert.equal(response.status, 401);
			assert.deepEqual(await response.json(), { detail: "Not authenticated" });
		});

		it("a page of another port may ask, with PUT and DELETE too", async () => {
			for (const [path, method] of [
				["x", "DELETE"],
				["x/mic-toggle", "PUT"],
			]) {
				const response = await fetch(
					`${server.http}/api/coworking/rooms/${path}`,
					{
						method: "OPTIONS",
						headers: {
							Origin: "http://localhost:5173",
							"Access-Control-Request-Method": method,
							"Access-Control-Request-Headers": "authorization,content-type",
						},
					},
				);
				const allowed = (what) =>
					response.headers.get(`access-control-allow-${what}`);
				assert.equal(allowed("origin"), "http://localhost:5173");
				assert.ok(allowed("methods").includes(method));
				assert.ok(allowed("headers").includes("authorization"));
			}
		});
	});
}

it("what is said by REST survives the server's death", async (t) => {
	const dataDir = freshDir();
	const first = await startServer({ dataDir });
	const ann = new Person(first, "u-ann", "Ann");
	const { id } = await ann.ok("POST", "", { name: "Focus" }, 201);
	await ann.ok("POST", `/${id}/join`);
	await ann.ok("POST", `/${id}/messages`, { message_text: "kept" });
	await first.kill();
	const second = await serverFor(t, { dataDir });
	const native = await connect(t, second);
	await native.join(id);
	const { messages } = await native.do({ type: "history", after: 0 });
	assert.deepEqual(
		messages.map(({ text }) => text),
		["Ann joined the room", "kept"],
	);
});

it("rooms and who is in them survive the server's death, and its end", async (t) => {
	const dataDir = freshDir();
	const options = { dataDir, workers: 2 };
	const first = await startServer(options);
	const people = (server) => [
		new Person(server, "u-ann", "Ann"),
		new Person(server, 7, "Bob"),
		new Person(server, "u-cem", "Cem"),
	];
	let [ann, bob, cem] = people(first);
	const about = { description: "quiet", max_participants: 3, color: "#fff" };
	const { id } = await ann.ok("POST", "", { name: "Focus", ...about }, 201);
	const other = await bob.ok("POST", "", { name: "Other" }, 201);
	for (const person of [ann, bob, cem]) await person.ok("POST", `/${id}/join`);
	await bob.ok("PUT", `/${id}/mic-toggle`, { is_muted: true });
	await cem.ok("POST", `/${id}/leave`);
	// What came before a message that is kept is kept as well.
	await ann.ok("POST", `/${id}/messages`, { message_text: "kept" });
	const before = [await bob.ok("GET", ""), await bob.ok("GET", `/${id}`)];
	assert.equal(before[1].participants.length, 2);
	await first.kill();

	const second = await startServer(options);
	[ann, bob, cem] = people(second);
	const after = [await bob.ok("GET", ""), await bob.ok("GET", `/${id}`)];
	assert.deepEqual(after, before);
	// Its page goes on as if nothing had been.
	await bob.ok("PUT", `/${id}/speaking`, { is_speaking: false });
	await cem.refused("POST", `/${id}/messages`, { message_text: "?" }, 403, "Not in this room");
	await bob.ok("DELETE", `/${other.id}`);
	await bob.ok("POST", `/${id}/leave`);
	await second.stop();

	const third = await serverFor(t, options);
	[ann, bob] = people(third);
	const [room, ...more] = await bob.ok("GET", "");
	assert.deepEqual([room.id, room.participant_count, more], [id, 1, []]);
	await ann.ok("DELETE", `/${id}`);
	assert.deepEqual(await bob.ok("GET", ""), []);
});

it("without a store the last messages are shown all the same", async (t) => {
	const server = await serverFor(t, { args: ["--store.url=none"] });
	const ann = new Person(server, "u-ann", "Ann");
	const { id } = await ann.ok("POST", "", { name: "Focus" }, 201);
	await ann.ok("POST", `/${id}/join`);
	await ann.ok("POST", `/${id}/messages`, { message_text: "here" });
	const { messages } = await ann.ok("GET", `/${id}`);
	assert.deepEqual(
		messages.map(({ text }) => text),
		["Ann joined the room", "here"],
	);
});

it("where tokens are asked for nobody is logged in here", async (t) => {
	const server = await serverFor(t, {
		args: ["--auth.key=k:a-secret-of-thirty-two-bytes-at-least"],
	});
	const response = await fetch(`${server.http}/api/auth/login`, {
		method: "POST",
		body: JSON.stringify({ email: "cy@example.org", password: "x" }),
	});
	assert.equal(response.status, 403);
	assert.deepEqual(await response.json(), {
		detail: "Tokens come from the application",
	});
});
