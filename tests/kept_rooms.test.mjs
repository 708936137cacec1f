// What a room has decided about who may come in outlives it, and the server: bans; its lock and its lobby as long as
// somebody has a seat in it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";

const path = (room, more = "") => `/api/v1/rooms/${room}/bans${more}`;

async function bansOf(server, room) {
	const { status, json } = await call(server, "GET", path(room));
	assert.equal(status, 200);
	return json.bans;
}

/** A newcomer's join: the code of its refusal, or "welcome"; it does not stay. */
async function knock(t, server, room, user) {
	const client = await connect(t, server);
	const { ok, error } = await client.ask({ type: "join", room, name: "N", user });
	if (ok) await client.do({ type: "leave", room });
	return ok ? "welcome" : error.code;
}

for (const workers of [1, 2]) {
	for (const end of ["kill", "stop"]) {
		const options = (dataDir, more) => ({ dataDir, workers, grace: "5m", ...more });

		describe(`over a ${end}, with ${workers} worker(s), a room`, () => {
			it("keeps out who is banned until somebody lets him in", async (t) => {
				const dataDir = freshDir();
				const first = await startServer(options(dataDir));
				// On all workers.
				const rooms = Array.from({ length: 4 }, () => freshRoom());
				const ann = await connect(t, first);
				const from = Date.now();
				for (const room of rooms) {
					await ann.join(room, { name: "Ann" });
					const eve = await connect(t, first);
					const { you } = await eve.do({ type: "join", room, name: "Eve", user: "eve" });
					await ann.do({ type: "ban", room, member: you.id });
					await ann.do({ type: "ban", room, user: "zoe" });
				}
				for (const room of rooms) await ann.do({ type: "leave", room });
				for (const room of rooms) {
					assert.equal(await knock(t, first, room, "eve"), "banned", "with nobody there");
				}
				const body = { address: "192.0.2.9" };
				assert.equal((await call(first, "POST", path(rooms[0]), body)).status, 204);
				await first[end]();

				const second = await startServer(options(dataDir));
				await metricIs(second, "bans", 9);
				for (const room of rooms) {
					assert.equal(await knock(t, second, room, "bob"), "welcome");
					assert.equal(await knock(t, second, room, "eve"), "banned");
				}
				const bans = await bansOf(second, rooms[0]);
				const who = bans.map(({ user, address, name }) => [user ?? address, name]);
				assert.deepEqual(who, [
					["eve", "Eve"],
					["zoe", undefined],
					["192.0.2.9", undefined],
				]);
				const month = 30 * 86_400_000;
				for (const { until } of bans) {
					assert.ok(until >= from + month && until <= Date.now() + month);
				}
				const lift = () => call(second, "DELETE", path(rooms[0], "?user=eve"));
				assert.equal((await lift()).status, 204);
				assert.equal((await lift()).status, 404);
				await second[end]();

				const third = await serverFor(t, options(dataDir));
				assert.equal(await knock(t, third, rooms[0], "eve"), "welcome");
				assert.equal(await knock(t, third, rooms[0], "zoe"), "banned");
				assert.equal(await knock(t, third, rooms[1], "eve"), "banned");
			});

			it("is set as it was for those who come back, until the last one leaves", async (t) => {
				const dataDir = freshDir();
				const first = await startServer(options(dataDir));
				const room = freshRoom();
				const ann = await connect(t, first);
				const made = { capacity: 3, ring: true, lobby: true };
				await ann.join(room, { name: "Ann", options: made });
				await ann.do({ type: "lock" });
				const ticket = ann.ticket();
				await first[end]();

				const second = await startServer(options(dataDir));
				assert.equal(await knock(t, second, room, "bob"), "locked");
				const again = await connect(t, second);
				await again.resume(ticket);
				const { locked, lobby, capacity, ring } = await again.do({ type: "sync", room });
				assert.deepEqual({ locked, lobby, capacity, ring }, { locked: true, ...made });
				await again.do({ type: "lock", room, on: false });
				const moved = again.ticket();
				await second[end]();

				const third = await startServer(options(dataDir));
				const last = await connect(t, third);
				await last.resume(moved);
				const bob = await connect(t, third);
				const reply = bob.ask({ type: "join", room, name: "Bob" });
				await bob.next("waiting");
				await last.do({ type: "leave", room });
				assert.equal((await reply).error.code, "denied");
				await bob.do({ type: "join", room, name: "Bob" });
				// Rows that nobody waits for are kept in order with it.
				await bob.do({ type: "chat", text: "All before this is kept." });
				await third[end]();

				const fourth = await serverFor(t, options(dataDir));
				const data = await (await connect(t, fourth)).join(room, { name: "Cem" });
				assert.equal(data.members.length, 1, "Bob may come back");
				assert.deepEqual([data.lobby, data.ring, data.capacity], [undefined, false, 1000]);
			});

			it("has those muted who were, until they may speak again", async (t) => {
				const dataDir = freshDir();
				const first = await startServer(options(dataDir));
				const [ann, bob, cem] = await roomOf(t, first, ["Ann", "Bob", "Cem"]);
				const room = ann.joinData.room;
				await ann.do({ type: "mute" });
				await ann.do({ type: "mute", member: cem.id, on: false });
				const tickets = [ann, bob, cem].map((member) => member.ticket());
				await first[end]();

				const second = await serverFor(t, options(dataDir));
				const [again, bobby, cemal] = await Promise.all(
					tickets.map(async (ticket) => {
						const client = await connect(t, second);
						await client.resume(ticket);
						return client;
					}),
				);
				const speak = { type: "update", room, mic: true };
				await bobby.refused(speak, "denied");
				await cemal.do(speak);
				await again.do({ type: "mute", room, member: bob.id, on: false });
				await bobby.do(speak);
			});

			it("is open when nobody can come back to it", async (t) => {
				const dataDir = freshDir();
				const first = await startServer(options(dataDir));
				const room = freshRoom();
				const ann = await connect(t, first);
				await ann.join(room, { name: "Ann" });
				await ann.do({ type: "lock" });
				const ticket = ann.ticket();
				await first[end]();

				const second = await startServer(options(dataDir, { grace: 0 }));
				assert.equal(await knock(t, second, room, "bob"), "welcome");
				// Killed, it could die before the store knows that her seat is gone.
				await second.stop();
				const third = await serverFor(t, options(dataDir));
				await (await connect(t, third)).refused({ type: "resume", ...ticket }, "cannot_resume");
				assert.equal(await knock(t, third, room, "bob"), "welcome");
			});
		});
	}
}
