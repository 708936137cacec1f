// duo (docs/dialects.md): two people over Socket.IO, by stock clients. Each test is a line of what its pages
// say and expect, or a trap that servers of this family have fallen into.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { socketIo } from "./lib/deps.mjs";
import { startServer } from "./lib/server.mjs";
import { within } from "./lib/wait.mjs";

const deep = (n) => (n === 0 ? 1 : [deep(n - 1)]);

const OFFER = { type: "offer", sdp: "v=0\r\n" };

/** A client that keeps [event, ...arguments]. */
class Client {
	heard = [];
	#wake = () => {};

	static async open(t, server, options = {}) {
		const client = new Client();
		client.socket = socketIo[4](server.http, {
			forceNew: true,
			reconnection: false,
			transports: ["websocket"],
			...options,
		});
		t.after(() => client.socket.close());
		client.socket.onAny((...message) => {
			client.heard.push(message);
			client.#wake();
		});
		await within(new Promise((resolve) => client.socket.on("connect", resolve)), "connect");
		return client;
	}

	get id() {
		return this.socket.id;
	}

	say(...message) {
		this.socket.emit(...message);
	}

	/** Takes the first such event out of what was heard, when it comes: its first argument. */
	async next(event, fits = () => true) {
		const at = () => this.heard.findIndex(([name, body]) => name === event && fits(body));
		const came = (async () => {
			while (at() < 0) {
				await new Promise((resolve) => {
					this.#wake = resolve;
				});
			}
		})();
		await within(came, `${event}; heard ${JSON.stringify(this.heard)}`);
		return this.heard.splice(at(), 1)[0][1];
	}

	async join(room, userName) {
		this.say("room:join", { room, userName });
		this.users = (await this.next("room:joined")).users;
	}
}

/** All have heard what the others said up to now; then nothing is left. */
async function quiet(...clients) {
	for (const [i, client] of clients.entries()) {
		client.say("chat:message", { message: `mark ${i}`, userName: "mark" });
		for (const other of clients) {
			await other.next("chat:message", ({ text }) => text === `mark ${i}`);
		}
	}
	for (const client of clients) {
		assert.deepEqual(client.heard, []);
	}
}

for (const [workers, transports] of [
	[1, ["websocket"]],
	[2, ["websocket"]],
	[2, ["polling"]],
]) {
	describe(`duo with ${workers} worker${workers > 1 ? "s" : ""} over ${transports}`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers, args: ["--limit.messages=0"] });
		});
		after(() => server.stop());
		const open = (t) => Client.open(t, server, { transports });

		async function pair(t) {
			const room = freshRoom("duo");
			const ann = await open(t);
			const ben = await open(t);
			await ann.join(room, "Ann");
			await ben.join(room, "Ben");
			await ann.next("user:joined");
			for (const client of [ann, ben]) {
				await client.next("room:join");
			}
			return { room, ann, ben };
		}

		it("who joins hears its own words, and of all; the others of who came", async (t) => {
			const room = freshRoom("duo");
			const ann = await open(t);
			const ben = await open(t);
			const said = { room, userName: "Ann", email: "ann@x", extra: { deep: [1] } };
			ann.say("room:join", said);
			assert.deepEqual(await ann.next("room:join"), said);
			const { room: _, ...shown } = said;
			assert.deepEqual(await ann.next("room:joined"), { users: [{ id: ann.id, ...shown }] });
			ben.say("room:join", { room, email: "ben@x" });
			assert.deepEqual(await ann.next("user:joined"), {
				id: ben.id,
				room,
				email: "ben@x",
				userName: "ben@x",
			});
			const { users } = await ben.next("room:joined");
			assert.deepEqual(
				users.map(({ id, userName }) => [id, userName]),
				[
					[ann.id, "Ann"],
					[ben.id, "ben@x"],
				],
			);
			await ben.next("room:join");
			await quiet(ann, ben);
		});

		it("a room may be a number, or have blanks around it", async (t) => {
			const room = Math.floor(Math.random() * 1e9) + 1;
			const ann = await open(t);
			const ben = await open(t);
			await ann.join(room, "Ann");
			await ben.join(` ${room} `, "Ben");
			assert.equal(ben.users.length, 2);
		});

		it("a third is refused, and what it says afterwards disturbs nobody", async (t) => {
			const { room, ann, ben } = await pair(t);
			const eve = await open(t);
			eve.say("room:join", { room, userName: "Eve" });
			const full = await eve.next("room:full");
			assert.equal(full.room, room);
			assert.equal(typeof full.message, "string");
			eve.say("leave:room", { room });
			eve.say("user:call", { to: ann.id, offer: OFFER });
			eve.say("chat:message", { room, message: "x", userName: "Ann" });
			eve.say("user:disconnecting", { id: ann.id, room });
			await quiet(ann, ben);
			eve.socket.close();
			await quiet(ann, ben);
			assert.deepEqual(eve.heard, []);
		});

		it("the offer rings under both spellings; what follows says who it is from", async (t) => {
			const { ann, ben } = await pair(t);
			ann.say("user:call", { to: ben.id, offer: OFFER, userName: "Ann", from: "forged" });
			const ring = { offer: OFFER, userName: "Ann", from: ann.id };
			assert.deepEqual(await ben.next("incoming:call"), ring);
			assert.deepEqual(await ben.next("incomming:call"), ring);
			ben.say("call:accepted", { to: ann.id, ans: OFFER });
			assert.deepEqual(await ann.next("call:accepted"), {
				ans: OFFER,
				from: ben.id,
				userName: "Ben",
			});
			for (const [said, told, body] of [
				["ice:candidate", "ice:candidate", { candidate: { candidate: "c" } }],
				["peer:ice-candidate", "peer:ice-candidate", { candidate: { candidate: "c" } }],
				["peer:nego:needed", "peer:nego:needed", { offer: OFFER }],
				["peer:nego:done", "peer:nego:final", { ans: OFFER }],
				["call:end", "call:ended", {}],
				["user:endcall", "user:endcall", {}],
				["call:reject", "call:rejected", {}],
				["call:rejected", "call:rejected", {}],
			]) {
				ann.say(said, { to: ben.id, ...body });
				assert.deepEqual(await ben.next(told), { ...body, from: ann.id });
			}
			await quiet(ann, ben);
		});

		it("candidates come in the order in which they were sent, before the answer too", async (t) => {
			const { ann, ben } = await pair(t);
			for (let n = 0; n < 60; n++) {
				ann.say("ice:candidate", { to: ben.id, candidate: { n } });
			}
			ann.say("call:accepted", { to: ben.id, ans: OFFER });
			await ben.next("call:accepted");
			assert.deepEqual(
				ben.heard.map(([, { candidate }]) => candidate.n),
				Array.from({ length: 60 }, (_, n) => n),
			);
		});

		it("chat goes to all, the sender too, under numbers that rise, from whom it says", async (t) => {
			const { room, ann, ben } = await pair(t);
			for (let i = 0; i < 40; i++) {
				ann.say("chat:message", { room, message: `m${i}`, userName: "Ann the first" });
			}
			const ids = [];
			for (let i = 0; i < 40; i++) {
				const mine = await ann.next("chat:message");
				assert.deepEqual(await ben.next("chat:message"), mine);
				assert.deepEqual([mine.text, mine.sender], [`m${i}`, "Ann the first"]);
				assert.equal(new Date(mine.timestamp).toISOString(), mine.timestamp);
				assert.ok(Number.isSafeInteger(mine.id));
				ids.push(mine.id);
			}
			assert.deepEqual(
				ids,
				[...new Set(ids)].sort((a, b) => a - b),
			);
		});

		it("who comes hears what was said before, with the old numbers", async (t) => {
			const room = freshRoom("duo");
			const ann = await open(t);
			await ann.join(room, "Ann");
			ann.say("chat:message", { room, message: "one", userName: "Ann" });
			ann.say("chat:message", { room, message: "two", userName: "Ann" });
			const first = await ann.next("chat:message");
			const second = await ann.next("chat:message");
			const ben = await open(t);
			await ben.join(room, "Ben");
			assert.deepEqual(await ben.next("chat:message"), first);
			assert.deepEqual(await ben.next("chat:message"), second);
		});

		it("nobody outside the room is reached: by id, by room, by nothing", async (t) => {
			const { ann, ben } = await pair(t);
			const there = await pair(t);
			for (const to of [there.ann.id, there.room, "", null, undefined, 7, [ben.id], {}]) {
				ann.say("user:call", { to, offer: OFFER });
				ann.say("call:end", { to });
			}
			ann.say("call:end");
			ann.say("call:end", "text");
			await quiet(there.ann, there.ben);
			await quiet(ann, ben);
		});

		it("joining again is answered again, and told to nobody", async (t) => {
			const { room, ann, ben } = await pair(t);
			ben.say("room:join", { room, userName: "Ben" });
			assert.equal((await ben.next("room:joined")).users.length, 2);
			await ben.next("room:join");
			await quiet(ann, ben);
		});

		it("joining another room leaves the first", async (t) => {
			const { ann, ben } = await pair(t);
			await ben.join(freshRoom("duo"), "Ben");
			assert.equal(ben.users.length, 1);
			assert.equal((await ann.next("user:left")).id, ben.id);
			ann.say("call:end", { to: ben.id });
			await ben.next("room:join");
			await quiet(ben);
			await quiet(ann);
		});

		for (const [how, leave] of [
			["says leave:room without a word", (client) => client.say("leave:room")],
			["says leave:room", (client, room) => client.say("leave:room", { room })],
			["says hangup", (client) => client.say("hangup", { to: "x" })],
			["disconnects", (client) => client.socket.disconnect()],
			["loses its connection", (client) => client.socket.io.engine.close()],
		]) {
			it(`the other hears user:left when one ${how}`, async (t) => {
				const { room, ann, ben } = await pair(t);
				const { id } = ben;
				leave(ben, room);
				const left = await ann.next("user:left");
				assert.deepEqual([left.id, left.userName], [id, "Ben"]);
				const cem = await open(t);
				await cem.join(room, "Cem");
				assert.deepEqual(
					cem.users.map(({ userName }) => userName),
					["Ann", "Cem"],
				);
			});
		}

		it("who is refused at another room stays in the first", async (t) => {
			const [first, second] = [freshRoom("first"), freshRoom("second")];
			const ann = await Client.open(t, server, { transports: [transports] });
			const ben = await Client.open(t, server);
			await ann.join(first, "Ann");
			await ben.join(first, "Ben");
			await ann.next("user:joined");
			for (const name of ["Cy", "Dan"]) {
				await (await Client.open(t, server)).join(second, name);
			}
			ann.say("room:join", { room: second, userName: "Ann" });
			assert.equal((await ann.next("room:full")).room, second);
			ben.say("chat:message", { message: "still here?", userName: "Ben" });
			assert.equal((await ann.next("chat:message")).text, "still here?");
			ann.say("chat:message", { message: "yes", userName: "Ann" });
			await ben.next("chat:message", ({ text }) => text === "yes");
			assert.ok(!ben.heard.some(([event]) => event === "user:left"));
		});

		it("what a native member refuses is a call rejected", async (t) => {
			const room = freshRoom("reject");
			const ann = await Client.open(t, server, { transports: [transports] });
			await ann.join(room, "Ann");
			const native = await connect(t, server);
			const { members } = await native.join(room, { name: "Nat" });
			const { id } = await ann.next("user:joined");
			await native.do({ type: "reject", to: members[0].id, reason: "busy" });
			assert.deepEqual(await ann.next("call:rejected"), { from: id, reason: "busy" });
			await native.do({ type: "accept", to: members[0].id });
		});

		it("leaving another room than the own is nothing", async (t) => {
			const { ann, ben } = await pair(t);
			ben.say("leave:room", { room: "elsewhere" });
			await quiet(ann, ben);
		});

		for (const [what, room] of [
			["none", undefined],
			["an empty one", "  "],
			["one too long", "x".repeat(129)],
			["a list", ["r"]],
		]) {
			it(`a join with a room that is ${what} leads nowhere, and the next one is good`, async (t) => {
				const ann = await open(t);
				ann.say("room:join", { room, userName: "Ann" });
				await ann.join(freshRoom("duo"), "Ann");
				assert.equal(ann.users.length, 1);
			});
		}

		it("deep, wide and strange arguments do no harm", async (t) => {
			const { ann, ben } = await pair(t);
			ann.say("user:call", { to: ben.id, offer: deep(40) });
			assert.deepEqual((await ben.next("incoming:call")).offer, deep(40));
			await ben.next("incomming:call");
			ann.say("room:join", { room: freshRoom("x"), junk: "x".repeat(5000) });
			ann.say("__proto__", { to: ben.id });
			ann.say("chat:message", { message: "x".repeat(9000), userName: "Ann" });
			ann.say("chat:message", { message: "", userName: "Ann" });
			await quiet(ann, ben);
		});

		for (const [what, offer] of [
			["deeper than JSON is read", deep(70)],
			["of more values than a message has", Array.from({ length: 9000 }, () => 1)],
		]) {
			it(`an offer ${what} reaches nobody, and only its sender may be sent away`, async (t) => {
				const { ann, ben } = await pair(t);
				ann.say("user:call", { to: ben.id, offer });
				const cem = await open(t);
				await cem.join(freshRoom("duo"), "Cem");
				ben.say("chat:message", { message: "still here", userName: "Ben" });
				await ben.next("chat:message");
				assert.deepEqual(
					ben.heard.filter(([event]) => event !== "user:left"),
					[],
				);
			});
		}
	});
}
