// Shapes of call apps that are met in public, each with a table: people by the ids of their accounts, without rooms;
// rooms that are acknowledged with who is there. Stock clients, on one worker and on two.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { heard, startWithDialect, stock, VERSIONS } from "./lib/socketio.mjs";
import { poll } from "./lib/wait.mjs";

const PEOPLE = `
dialect  duo
speaks   socketio
route    socketio /
route    socketio /people

on connect
    join room="people" user=userId name=name
    send shown $1

on call-user
    media offer offer
    relay to to as incoming-call {*-to, from: $id}

on who-am-i
    ack $id

when members
    send online $members

when error
    send user-offline $code if $event = call-user
`;

const ROOMS = `
dialect  duo
speaks   socketio
route    socketio /
capacity 3

on join
    join room=$1
    ack {error: $code} if not $ok
    ack {first: true} if not $others
    ack {there: $others, all: $members {id: $id}}
`;

/** A client that notes what it is shown, and the last list of who is there. */
async function person(t, server, options) {
	const socket = await stock(t, server, options);
	socket.on("online", (ids) => {
		socket.online = ids;
	});
	return socket;
}

const seesOnline = (socket, ids) =>
	poll(
		() => JSON.stringify([...(socket.online ?? [])].sort()) === JSON.stringify([...ids].sort()),
		() => `${ids} at ${socket.id}, who has ${socket.online}`,
	);

for (const workers of [1, 2]) {
	describe(`people by the ids of their accounts, ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		before(async () => {
			server = await startWithDialect("duo", PEOPLE, { workers });
		});
		after(() => server.stop());

		for (const version of VERSIONS) {
			it(`version ${version} says who it is in the address`, async (t) => {
				const there = await Promise.all(
					["u1", "u2", "u3"].map((userId) =>
						person(t, server, { version, query: { userId, name: "A & B" } }),
					),
				);
				for (const socket of there) {
					await seesOnline(socket, ["u1", "u2", "u3"]);
				}
				const [one, two, three] = there;
				const rings = heard(two, "incoming-call");
				one.emit("call-user", { to: "u2", offer: { type: "offer", sdp: "v=0" }, from: "u3" });
				assert.deepEqual((await rings)[0], { offer: { type: "offer", sdp: "v=0" }, from: "u1" });
				const offline = heard(one, "user-offline");
				one.emit("call-user", { to: "nobody", offer: {} });
				assert.equal((await offline)[0], "no_such_member");
				three.close();
				await Promise.all([seesOnline(one, ["u1", "u2"]), seesOnline(two, ["u1", "u2"])]);
				one.close();
				two.close();
			});
		}

		it("what a client shows counts before its address, and a token is not shown", async (t) => {
			const meet = async (options) => {
				const socket = await person(t, server, options);
				const [shown] = await heard(socket, "shown");
				socket.close();
				return shown;
			};
			const query = { userId: "u1", lang: "ö", token: "secret" };
			assert.deepEqual(await meet({ query }), { userId: "u1", lang: "ö" });
			assert.deepEqual(await meet({ query, auth: { userId: "u2" } }), {
				userId: "u2",
				lang: "ö",
			});
			assert.deepEqual(await meet({ query: { userId: "x".repeat(2000) } }), {});
		});
	});

	describe(`rooms that are acknowledged, ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		before(async () => {
			server = await startWithDialect("duo", ROOMS, { workers });
		});
		after(() => server.stop());

		for (const version of VERSIONS) {
			it(`version ${version} is told who is there, or that it is full`, async (t) => {
				const room = freshRoom("ack");
				const sockets = [];
				const come = async () => {
					const socket = await stock(t, server, { version });
					sockets.push(socket);
					return new Promise((resolve) => socket.emit("join", room, resolve));
				};
				assert.deepEqual(await come(), { first: true });
				assert.deepEqual(await come(), {
					there: [sockets[0].id],
					all: sockets.map(({ id }) => ({ id })),
				});
				await come();
				assert.deepEqual(await come(), { error: "room_full" });
			});
		}
	});
}

it("who is called by the id of an account is so after a restart", async (t) => {
	const options = { dataDir: freshDir(), args: ["--server.drain=300ms"] };
	mkdirSync(join(options.dataDir, "dialects"));
	writeFileSync(join(options.dataDir, "dialects", "duo.dialect"), PEOPLE);
	const first = await startServer(options);
	t.after(() => first.remove());
	const comes = {
		reconnection: true,
		reconnectionDelay: 20,
		reconnectionDelayMax: 50,
		transports: ["websocket"],
	};
	const ann = await person(t, first, { ...comes, query: { userId: "ann" } });
	const ben = await person(t, first, { ...comes, query: { userId: "ben" } });
	await seesOnline(ann, ["ann", "ben"]);
	const back = [heard(ann, "connect"), heard(ben, "connect")];
	await first.kill();
	await serverFor(t, { ...options, port: first.port });
	await Promise.all(back);
	assert.deepEqual([ann.recovered, ben.recovered], [true, true]);
	assert.equal(await new Promise((resolve) => ben.emit("who-am-i", resolve)), "ben");
	const rings = heard(ann, "incoming-call");
	ben.emit("call-user", { to: "ann", offer: {} });
	assert.equal((await rings)[0].from, "ben");
});
