// Sessions outlive the server: after a restart, or a kill -9, who comes back has the seat, the role and
// what was said.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, fence, freshRoom, roomOf } from "./lib/client.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { KEY_ARGS, now, tokenFor } from "./lib/token.mjs";
import { poll } from "./lib/wait.mjs";

const GRACE = "5m";

/** Rows that nobody waits for are kept in order with a message: after it they are kept. */
async function kept(client, room) {
	const { n } = await client.do({ type: "chat", room, text: "All before this is kept." });
	await client.next("chat", { n });
	return n;
}

/** A new connection that goes on with the session; `n`: the last message it knows. */
async function back(t, server, ticket, chat) {
	const client = await connect(t, server);
	client.id = (await client.resume({ ...ticket, ...(chat ? { chat } : {}) })).rooms[0]?.you;
	return client;
}

for (const workers of [1, 2]) {
	for (const end of ["kill", "stop"]) {
		describe(`sessions over a ${end}, ${workers} workers`, () => {
			const options = (dataDir) => ({ dataDir, workers, grace: GRACE });

			it("keep seats, roles and names; the others see nobody leave", async (t) => {
				const dataDir = freshDir();
				const first = await startServer(options(dataDir));
				const [ann, bob] = await roomOf(t, first, ["Ann", "Bob"]);
				const room = ann.joinData.room;
				await ann.do({ type: "role", member: bob.id, role: "moderator" });
				await ann.do({ type: "update", name: "Anna" });
				const n = await kept(ann, room);
				await bob.next("chat", { n });
				const tickets = [ann.ticket(), bob.ticket()];
				await first[end]();

				const second = await serverFor(t, options(dataDir));
				const again = await back(t, second, tickets[0], { [room]: n });
				const [entry] = again.resumed.rooms;
				assert.equal(entry.room, room);
				assert.equal(entry.you, ann.id);
				assert.equal(entry.complete, false, "signals may have been lost");
				assert.equal(entry.restarted, true);
				assert.deepEqual(await again.next("replayed"), {
					type: "replayed",
					room,
					n,
					complete: true,
				});
				const { you, members } = await again.do({ type: "sync" });
				assert.equal(you.name, "Anna");
				assert.equal(you.role, "owner");
				assert.equal(members.length, 1);
				assert.equal(members[0].id, bob.id);
				assert.equal(members[0].role, "moderator");
				assert.equal(members[0].state.away, true);
				const bobby = await back(t, second, tickets[1], { [room]: n });
				await again.next("updated", { member: bob.id, changes: { away: false } });
				await bobby.next("replayed");
				const pair = [again, bobby];
				pair.room = room;
				await fence(pair);
				assert.deepEqual(again.inbox, []);
			});

			it("get what was said that they have not seen, direct messages too, once", async (t) => {
				const dataDir = freshDir();
				const first = await startServer(options(dataDir));
				const [ann, bob] = await roomOf(t, first, ["Ann", "Bob"]);
				const room = ann.joinData.room;
				const said = [];
				const say = async (message) => said.push((await ann.do({ type: "chat", ...message })).n);
				for (let i = 0; i < 300; i++) await say({ text: `line ${i}` });
				await say({ text: "for you", to: bob.id });
				await say({ text: "last" });
				const ticket = bob.ticket();
				await first[end]();

				const second = await serverFor(t, options(dataDir));
				const again = await back(t, second, ticket, { [room]: said[9] });
				await again.next("replayed", { complete: true, n: said.at(-1) });
				const seen = again.inbox.splice(0).filter(({ type }) => type === "chat");
				assert.deepEqual(
					seen.map(({ n }) => n),
					said.slice(10),
				);
				await again.do({ type: "chat", text: "and on" });
				assert.ok((await again.next("chat")).n > said.at(-1));
			});
		});
	}
}

describe("sessions over a restart", () => {
	it("are refused with another secret, or the one of before", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, grace: GRACE });
		const ann = await connect(t, first);
		await ann.join(freshRoom());
		await kept(ann);
		const ticket = ann.ticket();
		await first.kill();

		const second = await serverFor(t, { dataDir, grace: GRACE });
		const other = await connect(t, second);
		const guess = "a".repeat(26);
		await other.refused({ type: "resume", ...ticket, secret: guess }, "cannot_resume");
		const again = await back(t, second, ticket);
		await again.next("replayed");
		await other.refused({ type: "resume", ...ticket }, "cannot_resume");
		await again.do({ type: "sync" });
	});

	it("say that the chat may lack something when the client does not tell what it has", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, grace: GRACE });
		const ann = await connect(t, first);
		await ann.join(freshRoom());
		await kept(ann);
		await first.kill();

		const second = await serverFor(t, { dataDir, grace: GRACE });
		const again = await back(t, second, ann.ticket());
		await again.next("replayed", { complete: false });
		assert.equal((await again.do({ type: "history" })).messages.length, 1);
	});

	it("of who does not come back leave after the grace", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, grace: GRACE });
		const [ann, bob] = await roomOf(t, first, ["Ann", "Bob"]);
		const room = ann.joinData.room;
		await kept(ann);
		await first.kill();

		const second = await serverFor(t, { dataDir, grace: "4s" });
		const again = await back(t, second, ann.ticket());
		const left = await again.next("left");
		assert.equal(left.member, bob.id);
		assert.equal(left.reason, "disconnect");
		await kept(again, room);
		const { visits } = await again.do({ type: "whowas" });
		assert.equal(visits.find(({ name }) => name === "Bob").reason, "disconnect");
	});

	it("that have left before are not brought back", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, grace: GRACE });
		const [ann, bob] = await roomOf(t, first, ["Ann", "Bob"]);
		await bob.do({ type: "leave" });
		await kept(ann);
		const ticket = bob.ticket();
		await first.kill();

		const second = await serverFor(t, { dataDir, grace: GRACE });
		const other = await connect(t, second);
		await other.refused({ type: "resume", ...ticket }, "cannot_resume");
		const again = await back(t, second, ann.ticket());
		assert.deepEqual((await again.do({ type: "sync" })).members, []);
	});

	it("of several rooms come back to all of them", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, workers: 2, grace: GRACE });
		const ann = await connect(t, first);
		const rooms = Array.from({ length: 6 }, () => freshRoom());
		const chat = {};
		for (const room of rooms) {
			await ann.join(room);
			chat[room] = await kept(ann, room);
			await ann.do({ type: "chat", room, text: `missed in ${room}` });
		}
		await first.kill();

		const second = await serverFor(t, { dataDir, workers: 2, grace: GRACE });
		const again = await back(t, second, ann.ticket(), chat);
		assert.deepEqual(again.resumed.rooms.map(({ room }) => room).sort(), [...rooms].sort());
		for (const room of rooms) {
			assert.equal((await again.next("chat", { room })).text, `missed in ${room}`);
			await again.next("replayed", { room, complete: true });
			await again.do({ type: "chat", room, text: "here" });
		}
	});
});

for (const end of ["kill", "stop"]) {
	describe(`tokens that were taken back, over a ${end}`, () => {
		const bearer = (token) => ({ Authorization: `Bearer ${token}` });
		const options = (dataDir) => ({ dataDir, workers: 2, grace: GRACE, args: KEY_ARGS });

		/** Whether its owner is let in, and why not. */
		async function knock(server, token) {
			const { status, json } = await call(server, "GET", "/api/v1/rooms", undefined, bearer(token));
			assert.equal(status, json.error ? 401 : 200);
			return json.error?.detail ?? "welcome";
		}

		const token = (identity, claims) =>
			tokenFor(identity, undefined, { video: { roomList: true }, ...claims });

		it("are good no more; nobody who was in by one comes back", async (t) => {
			const dataDir = freshDir();
			const first = await startServer(options(dataDir));
			const revoke = async (body) => {
				const { status, json } = await call(first, "POST", "/api/v1/revocations", body);
				assert.equal(status, 204, JSON.stringify(json));
			};
			const room = freshRoom();
			const [eve, bob, cem] = [
				token("eve", { jti: "eve-1" }),
				token("bob", { iat: now() - 5 }),
				token("cem", { jti: "cem-1" }),
			];
			const sitting = await connect(t, first, { room, headers: bearer(eve) });
			await sitting.join(room, { name: "Eve" });
			const ticket = sitting.ticket();
			await kept(sitting, room);
			await revoke({ token: "eve-1" });
			await revoke({ identity: "bob" });
			await revoke({ token: "cem-1", seconds: 1 });
			const short = Date.now() + 1000;
			for (const good of [eve, bob, cem]) {
				assert.equal(await knock(first, good), "revoked");
			}
			await first[end]();
			await poll(
				() => Date.now() > short,
				() => "the end of a second",
			);

			const second = await serverFor(t, options(dataDir));
			assert.equal(await knock(second, eve), "revoked");
			assert.equal(await knock(second, bob), "revoked");
			assert.equal(await knock(second, cem), "welcome", "its time is over");
			assert.equal(await knock(second, token("bob", { iat: now() + 1 })), "welcome");
			const again = await connect(t, second, { headers: bearer(token("ann")) });
			await again.refused({ type: "resume", ...ticket }, "cannot_resume");
			await again.join(room, { name: "Ann" });
			assert.deepEqual((await again.do({ type: "sync" })).members, []);
		});
	});
}
