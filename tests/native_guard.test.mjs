// Who may come into a room: lock, lobby, bans, mute, close; by members who look after it and by the
// server API.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { talkTo } from "./lib/dialects.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";

for (const workers of [1, 2]) {
	describe(`a room that is looked after, with ${workers} worker(s)`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers });
		});
		after(() => server.stop());

		/** A request of a newcomer to join, which is not waited for. */
		async function knock(t, room, name, extra = {}) {
			const client = await connect(t, server);
			client.reply = client.ask({ type: "join", room, name, ...extra.join });
			client.reply.catch(() => {}); // those who still wait when the test ends
			return client;
		}

		it("lets nobody in while it is locked", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const room = ann.joinData.room;
			await bob.refused({ type: "lock" }, "denied");
			await ann.do({ type: "lock" });
			for (const member of [ann, bob]) {
				await member.next("settings", { from: ann.id, locked: true, lobby: false });
			}
			const eve = await connect(t, server);
			await eve.refused({ type: "join", room, name: "Eve" }, "locked");
			assert.equal((await ann.do({ type: "sync" })).locked, true);
			await ann.do({ type: "lock", on: false });
			assert.equal((await eve.join(room, { name: "Eve" })).locked, undefined);
		});

		it("admits, denies, and forgets who goes", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			const data = await ann.join(room, { options: { lobby: true } });
			assert.equal(data.lobby, true);
			const bob = await knock(t, room, "Bob", { join: { user: "bob", metadata: { a: 1 } } });
			await bob.next("waiting", { room });
			const knocked = await ann.next("knock");
			assert.deepEqual(knocked.member, {
				id: knocked.member.id,
				name: "Bob",
				user: "bob",
				metadata: { a: 1 },
			});
			await ann.do({ type: "admit", member: knocked.member.id });
			const reply = await bob.reply;
			assert.equal(reply.ok, true);
			assert.equal(reply.data.you.id, knocked.member.id);
			await ann.next("unknock", { member: knocked.member.id });
			await ann.next("joined", { member: reply.data.you });

			const eve = await knock(t, room, "Eve");
			const eveKnocked = await ann.next("knock");
			await ann.do({ type: "deny", member: eveKnocked.member.id });
			assert.equal((await eve.reply).error.code, "denied");
			await ann.next("unknock");
			await ann.refused({ type: "admit", member: eveKnocked.member.id }, "no_such_member");
			await bob.refused({ type: "admit", member: eveKnocked.member.id }, "denied");

			const gone = await knock(t, room, "Gone");
			const goneKnocked = await ann.next("knock");
			gone.vanish();
			await ann.next("unknock", { member: goneKnocked.member.id });
			await metricIs(server, "waiting", 0);
			await bob.nothing("a word of the lobby");
		});

		it("tells a new moderator who waits", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const room = ann.joinData.room;
			await ann.do({ type: "lobby" });
			await bob.next("settings", { lobby: true });
			const eve = await knock(t, room, "Eve");
			const { member } = await ann.next("knock");
			await ann.do({ type: "role", member: bob.id, role: "moderator" });
			await bob.next("knock", { member });
			await bob.do({ type: "admit", member: member.id });
			assert.equal((await eve.reply).ok, true);
		});

		it("lets everybody in who waits when the lobby is taken away", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room, { options: { lobby: true } });
			const others = [await knock(t, room, "Bob"), await knock(t, room, "Eve")];
			await ann.next("knock");
			await ann.next("knock");
			await ann.do({ type: "lobby", on: false });
			for (const other of others) {
				assert.equal((await other.reply).ok, true);
			}
		});

		it("refuses who waits when it ends", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room, { options: { lobby: true } });
			const bob = await knock(t, room, "Bob");
			await bob.next("waiting");
			await ann.do({ type: "leave" });
			assert.equal((await bob.reply).error.code, "denied");
			await bob.join(room);
		});

		it("admits up to its capacity", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room, { options: { lobby: true, capacity: 1 } });
			const bob = await knock(t, room, "Bob");
			const { member } = await ann.next("knock");
			await ann.do({ type: "admit", member: member.id });
			assert.equal((await bob.reply).error.code, "room_full");
		});

		it("has a lobby of a hundred", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room, { options: { lobby: true } });
			const waiting = [];
			for (let i = 0; i < 100; i++) {
				waiting.push(await knock(t, room, `W${i}`));
				await ann.next("knock");
			}
			const late = await knock(t, room, "Late");
			assert.equal((await late.reply).error.code, "limit");
		});

		it("tells owners and moderators who is kept out, the newest first", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room);
			const listed = async () => {
				const { bans, more } = await ann.do({ type: "bans" });
				assert.equal(more, false);
				const month = 30 * 86_400_000;
				for (const { until } of bans) assert.ok(Math.abs(until - Date.now() - month) < month / 2);
				return bans.map(({ until, ...who }) => who);
			};
			assert.deepEqual(await listed(), []);
			const eve = await connect(t, server);
			const { you } = await eve.do({ type: "join", room, name: "Eve <3", user: "eve" });
			await eve.refused({ type: "bans" }, "denied");
			await ann.do({ type: "role", member: you.id, role: "moderator" });
			await eve.do({ type: "bans" });
			await ann.do({ type: "ban", user: "zoe" });
			await ann.do({ type: "ban", address: "192.0.2.9" });
			await ann.do({ type: "ban", member: you.id });
			const all = [{ user: "eve", name: "Eve <3" }, { address: "192.0.2.9" }, { user: "zoe" }];
			assert.deepEqual(await listed(), all);
			const { json } = await call(server, "GET", `/api/v1/rooms/${room}/bans`);
			assert.deepEqual(
				json.bans.map(({ until, ...who }) => who),
				all.reverse(),
			);
			await ann.do({ type: "unban", user: "eve" });
			assert.equal((await listed()).length, 2);
		});

		it("tells the newest two hundred, and that there are more", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room);
			for (let i = 0; i < 201; i++) await ann.do({ type: "ban", user: `u${i}` });
			const { bans, more } = await ann.do({ type: "bans" });
			assert.deepEqual(
				[bans.length, bans[0].user, bans[199].user, more],
				[200, "u200", "u1", true],
			);
		});

		it("keeps out who is banned, by user or by address", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room);
			const eve = await connect(t, server);
			const join = { type: "join", room, name: "Eve", user: "eve" };
			const { you } = await eve.do(join);
			await eve.refused({ type: "ban", member: ann.id }, "denied");
			await ann.do({ type: "ban", member: you.id, reason: "spam" });
			const left = await eve.next("left", { member: you.id });
			assert.deepEqual([left.reason, left.detail], ["kick", "spam"]);
			await eve.refused(join, "banned");
			await ann.do({ type: "unban", user: "eve" });
			await ann.refused({ type: "unban", user: "eve" }, "no_such_member");
			await eve.do(join);
			// Who has no user is known by the address: that of all here.
			const bob = await connect(t, server);
			const bobs = await bob.join(room, { name: "Bob" });
			await ann.do({ type: "ban", member: bobs.you.id });
			await bob.refused({ type: "join", room, name: "Other", user: "x" }, "banned");
			await ann.do({ type: "unban", address: "127.0.0.1" });
			await bob.join(room);
			await ann.do({ type: "ban", user: "zoe" });
			const zoe = await connect(t, server);
			await zoe.refused({ type: "join", room, name: "Zoe", user: "zoe" }, "banned");
			// A ban is not escaped by everybody's going.
			for (const member of [ann, eve, bob]) {
				await member.do({ type: "leave" });
			}
			await zoe.refused({ type: "join", room, name: "Zoe", user: "zoe" }, "banned");
			const bans = `/api/v1/rooms/${room}/bans`;
			assert.equal((await call(server, "DELETE", `${bans}?user=zoe`)).status, 204);
			await zoe.do({ type: "join", room, name: "Zoe", user: "zoe" });
		});

		it("mutes, and it stays so", async (t) => {
			const [ann, bob, eve] = await roomOf(t, server, ["Ann", "Bob", "Eve"]);
			await bob.do({ type: "update", mic: true });
			await ann.next("updated");
			await bob.refused({ type: "mute", member: ann.id }, "denied");
			await ann.do({ type: "mute", member: bob.id });
			for (const member of [ann, bob]) {
				const changes = { mic: false, muted: true };
				await member.next("updated", { member: bob.id, changes });
			}
			await bob.refused({ type: "update", mic: true }, "denied");
			await bob.do({ type: "update", mic: false, hand: true });
			const state = (await ann.do({ type: "sync" })).members[0].state;
			assert.deepEqual([state.mic, state.muted], [false, true]);
			await ann.do({ type: "mute", member: bob.id, on: false });
			await bob.next("updated", { changes: { muted: false } });
			await bob.do({ type: "update", mic: true });
			await ann.do({ type: "mute" });
			await eve.next("updated", { member: eve.id, changes: { muted: true } });
			await eve.refused({ type: "update", mic: true }, "denied");
			await ann.do({ type: "update", mic: true });
		});

		it("is closed by its owner alone", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			await ann.do({ type: "role", member: bob.id, role: "moderator" });
			await bob.refused({ type: "close" }, "denied");
			await ann.do({ type: "close", reason: "over" });
			for (const member of [ann, bob]) {
				const left = await member.next("left", { member: member.id });
				assert.deepEqual([left.reason, left.detail], ["closed", "over"]);
			}
			await bob.join(ann.joinData.room);
		});

		it("sends pages of other dialects away for good", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room);
			const coach = await talkTo(t, server, `/ws-simple/${room}`);
			coach.send({ type: "join", roomId: room, userId: "eve", userName: "Eve" });
			const { member } = await ann.next("joined");
			await ann.do({ type: "ban", member: member.id });
			assert.equal((await coach.ended()).code, 4003);
			const again = await talkTo(t, server, `/ws-simple/${room}`);
			again.send({ type: "join", roomId: room, userId: "eve", userName: "Eve" });
			assert.equal((await again.next("error")).code, "banned");
			const cowork = await talkTo(t, server, `/ws/room/${room}`);
			const newcomer = await ann.next("joined");
			await ann.do({ type: "kick", member: newcomer.member.id });
			assert.equal((await cowork.ended()).code, 4003);
		});

		it("is looked after by the server API as well", async (t) => {
			const room = freshRoom();
			const ann = await connect(t, server);
			await ann.join(room, { user: "ann" });
			const api = async (method, path, body) => {
				const answer = await call(server, method, `/api/v1/rooms/${room}${path}`, body);
				assert.ok(answer.status < 300, JSON.stringify(answer.json));
				return answer.json;
			};
			await api("PATCH", "", { lobby: true });
			await ann.next("settings", { lobby: true, locked: false });
			assert.equal((await api("GET", "")).lobby, true);
			const bob = await knock(t, room, "Bob", { join: { user: "bob" } });
			const { member } = await ann.next("knock");
			const list = (await api("GET", "/waiting")).waiting;
			assert.deepEqual(list, [{ id: member.id, name: "Bob", user: "bob" }]);
			await api("POST", `/waiting/${member.id}`);
			assert.equal((await bob.reply).ok, true);
			const eve = await knock(t, room, "Eve");
			const eveKnocked = await ann.next("knock");
			await api("DELETE", `/waiting/${eveKnocked.member.id}`);
			assert.equal((await eve.reply).error.code, "denied");
			await api("PATCH", "", { lobby: false, locked: true });
			await ann.next("settings", { lobby: false, locked: true });
			await eve.refused({ type: "join", room, name: "Eve" }, "locked");
			await api("PATCH", "", { locked: false });
			await api("PATCH", "/members/ann", { muted: true });
			await ann.next("updated", { member: ann.id, changes: { muted: true } });
			await api("POST", "/bans", { member: "bob", reason: "off" });
			await bob.next("left", { reason: "kick", detail: "off" });
			await bob.refused({ type: "join", room, name: "Bob", user: "bob" }, "banned");
			await api("DELETE", "/bans?user=bob");
			await api("POST", "/bans", { user: "zoe" });
			const zoe = await connect(t, server);
			await zoe.refused({ type: "join", room, name: "Zoe", user: "zoe" }, "banned");
		});
	});
}

describe("a room without a store", () => {
	const args = ["--store.url", "none", "--room.max-bans", "2"];

	it("keeps its bans while the server runs, and the youngest of too many", async (t) => {
		const dataDir = freshDir();
		const first = await startServer({ dataDir, args });
		const join = (user) => ({ type: "join", room: "r", name: "N", user });
		const ann = await connect(t, first);
		await ann.join("r");
		for (const user of ["eve", "zoe", "bob"]) await ann.do({ type: "ban", user });
		await ann.do({ type: "lock" });
		await ann.do({ type: "leave" });
		const other = await connect(t, first);
		await other.refused(join("zoe"), "banned");
		await other.do(join("eve"));
		await metricIs(first, "bans", 2);
		await metricIs(first, "bans_dropped_total", 1);
		await first.stop();
		const second = await serverFor(t, { dataDir, args });
		await (await connect(t, second)).do(join("zoe"));
	});
});
