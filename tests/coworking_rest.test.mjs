// The REST half of the co-working page (docs/dialects.md): rooms, who is in them, messages. With two
// workers a request may come in on the one that does not keep them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage } from "./lib/dialects.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";

const token = (claims) =>
	[{ alg: "HS256" }, claims]
		.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
		.concat("c2ln")
		.join(".");

class Person {
	constructor(server, id, name) {
		this.base = `${server.http}/api/coworking/rooms`;
		this.headers = { Authorization: `Bearer ${token({ sub: id, name })}`, Connection: "close" };
	}

	async call(method, path = "", body = undefined) {
		const response = await fetch(this.base + path, {
			method,
			headers: { ...this.headers, ...(body && { "Content-Type": "application/json" }) },
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

		const make = (options = {}) => ann.ok("POST", "", { name: "Focus", ...options }, 201);

		it("a room is made, listed, shown and deleted by who made it", async () => {
			const room = await make({ description: "quiet", max_participants: 3, color: "#fff" });
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
			assert.equal((await bob.ok("POST", `/${id}/join`)).room.participants.length, 2);
			await ann.ok("POST", `/${id}/leave`);
			await ann.refused("POST", `/${id}/leave`, undefined, 404, "Not in this room");
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
			await bob.refused("POST", `/${id}/messages`, { message_text: "x" }, 403, "Not in this room");
			await bob.ok("POST", `/${id}/join`);
			const said = await bob.ok("POST", `/${id}/messages`, {
				message_text: "hello",
				message_type: "text",
			});
			assert.match(said.time, /^\d\d:\d\d$/);
			assert.deepEqual([said.user, said.text, said.avatar], ["Bob", "hello", "B"]);
			assert.equal((await bob.ok("POST", `/${id}/emoji`, { emoji: "🎉" })).text, "🎉");
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
			await ann.refused("PUT", `/${id}/speaking`, speak, 400, "Cannot speak while muted");
			const [me] = (await ann.ok("GET", `/${id}`)).participants;
			assert.deepEqual([me.is_muted, me.is_speaking], [true, false]);
		});

		it("what is said reaches native members of the room", async (t) => {
			const { id } = await make();
			const page = await openPage(t, server, "native", { room: id, name: "Nat" });
			await metricIs(server, "members", 1);
			await ann.ok("POST", `/${id}/join`);
			await ann.ok("POST", `/${id}/messages`, { message_text: "over here" });
			const chat = await page.next("chat");
			assert.deepEqual([chat.name, JSON.parse(chat.text ?? "{}").text], ["Ann", "over here"]);
		});

		for (const [what, method, path, body, status] of [
			["no name", "POST", "", {}, 422],
			["too many seats", "POST", "", { name: "x", max_participants: 51 }, 422],
			["seats that are no number", "POST", "", { name: "x", max_participants: "2" }, 422],
			["a name too long", "POST", "", { name: "x".repeat(200) }, 422],
			["no such room", "POST", "/nowhere/join", undefined, 404],
		]) {
			it(`${what}: ${status}`, async () => {
				const got = await ann.call(method, path, body);
				assert.equal(got.status, status);
				assert.equal(typeof got.body.detail, "string");
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
				const response = await fetch(`${server.http}/api/coworking/rooms/${path}`, {
					method: "OPTIONS",
					headers: {
						Origin: "http://localhost:5173",
						"Access-Control-Request-Method": method,
						"Access-Control-Request-Headers": "authorization,content-type",
					},
				});
				const allowed = (what) => response.headers.get(`access-control-allow-${what}`);
				assert.equal(allowed("origin"), "http://localhost:5173");
				assert.ok(allowed("methods").includes(method));
				assert.ok(allowed("headers").includes("authorization"));
			}
		});
	});
}
