// Shapes of call apps that are met in public, each with a table: people by the ids of their accounts, without rooms;
// rooms that are acknowledged with who is there. Stock clients, on one worker and on two.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { call } from "./lib/api.mjs";
import { freshRoom } from "./lib/client.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { heard, startWithDialect, stock, VERSIONS } from "./lib/socketio.mjs";
import { KEY_ARGS, tokenFor } from "./lib/token.mjs";
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
function person(t, server, options) {
	const listen = (socket) => {
		socket.on("online", (ids) => {
			socket.online = ids;
		});
		socket.on("shown", (fields) => {
			socket.shown = fields;
		});
	};
	return stock(t, server, { ...options, listen });
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
				await poll(
					() => socket.shown,
					() => "what it has shown",
				);
				socket.close();
				return socket.shown;
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

const OFFER = { type: "offer", sdp: "v=0" };
const ANSWER = { type: "answer", sdp: "v=0" };
const SPOT = { candidate: "candidate:1", sdpMid: "0" };

/** What each shipped table's pages say to each other until their calls stand. */
const SHIPPED = {
	async codelab({ come, room }) {
		const ann = await come();
		const created = Promise.all([heard(ann, "created"), heard(ann, "room_created")]);
		ann.emit("create or join", room);
		assert.deepEqual(await created, [[room, ann.id], [room]]);
		const ben = await come();
		const ready = Promise.all([heard(ann, "join"), heard(ann, "ready")]);
		const joined = Promise.all([
			heard(ben, "joined"),
			heard(ben, "room_joined"),
			heard(ben, "ready"),
		]);
		ben.emit("join", room);
		assert.deepEqual(await joined, [[room, ben.id], [room], [room]]);
		assert.deepEqual(await ready, [[room], [room]]);
		const message = heard(ben, "message");
		ann.emit("message", OFFER);
		assert.deepEqual(await message, [OFFER]);
		const answer = heard(ann, "webrtc_answer");
		ben.emit("webrtc_answer", { type: "webrtc_answer", sdp: ANSWER, roomId: room });
		assert.deepEqual(await answer, [ANSWER]);
		const eve = await come();
		const full = Promise.all([heard(eve, "full"), heard(eve, "full_room")]);
		eve.emit("create or join", room);
		assert.deepEqual(await full, [[room], [room]]);
		const bye = heard(ann, "bye");
		ben.close();
		await bye;
	},
	async lobby({ come }) {
		const meet = async () => {
			const told = {};
			const socket = await come((s) => {
				s.on("me", (id) => {
					told.me = id;
				});
				s.on("callEnded", (id) => {
					told.ended = id;
				});
			});
			await poll(
				() => told.me === socket.id,
				() => `${socket.id}, and not ${told.me}`,
			);
			return Object.assign(socket, { told });
		};
		const [ann, ben] = [await meet(), await meet()];
		const rings = heard(ben, "callUser");
		ann.emit("callUser", { userToCall: ben.id, signalData: OFFER, from: "forged", name: "Ann" });
		assert.deepEqual(await rings, [{ signal: OFFER, from: ann.id, name: "Ann" }]);
		const accepted = heard(ann, "callAccepted");
		ben.emit("answerCall", { signal: ANSWER, to: ann.id });
		assert.deepEqual(await accepted, [ANSWER]);
		const { id } = ben;
		ben.close();
		await poll(
			() => ann.told.ended === id,
			() => `the end of ${id}, and not of ${ann.told.ended}`,
		);
	},
	async mesh({ come, room }) {
		const there = [];
		for (let i = 0; i < 4; i++) {
			const socket = await come();
			const others = heard(socket, "all users");
			socket.emit("join room", room);
			const [ids] = await others;
			assert.deepEqual([...ids].sort(), there.map(({ id }) => id).sort());
			for (const other of there) {
				const joined = heard(other, "user joined");
				socket.emit("sending signal", {
					userToSignal: other.id,
					callerID: "forged",
					signal: OFFER,
				});
				assert.deepEqual(await joined, [{ signal: OFFER, callerID: socket.id }]);
				const returned = heard(socket, "receiving returned signal");
				other.emit("returning signal", { signal: ANSWER, callerID: socket.id });
				assert.deepEqual(await returned, [{ signal: ANSWER, id: other.id }]);
			}
			there.push(socket);
		}
		const fifth = await come();
		const full = heard(fifth, "room full");
		fifth.emit("join room", room);
		await full;
	},
	async pair({ come, room, membersIn }) {
		const ann = await come();
		ann.emit("join room", room);
		await membersIn(room, 1);
		const ben = await come();
		const joined = heard(ann, "user joined");
		const other = heard(ben, "other user");
		ben.emit("join room", room);
		assert.deepEqual([await joined, await other], [[ben.id], [ann.id]]);
		const offer = heard(ann, "offer");
		ben.emit("offer", { target: ann.id, caller: "forged", sdp: OFFER });
		assert.deepEqual(await offer, [{ target: ann.id, sdp: OFFER, caller: ben.id }]);
		const answer = heard(ben, "answer");
		ann.emit("answer", { target: ben.id, caller: ann.id, sdp: ANSWER });
		assert.deepEqual(await answer, [{ target: ben.id, sdp: ANSWER, caller: ann.id }]);
		const spot = heard(ben, "ice-candidate");
		ann.emit("ice-candidate", { target: ben.id, candidate: SPOT });
		assert.deepEqual(await spot, [SPOT]);
	},
	async roster({ come }) {
		const meet = async () => {
			const told = {};
			const socket = await come((s) => {
				s.on("yourID", (id) => {
					told.id = id;
				});
				s.on("allUsers", (users) => {
					told.users = users;
				});
			});
			return Object.assign(socket, { told });
		};
		const [ann, ben, eve] = [await meet(), await meet(), await meet()];
		const allSee = async (...there) => {
			const users = Object.fromEntries(there.map(({ id }) => [id, id]));
			for (const { id, told } of there) {
				await poll(
					() => told.id === id && isDeepStrictEqual(told.users, users),
					() => `all of ${Object.keys(users)} at ${id}, and not ${JSON.stringify(told)}`,
				);
			}
		};
		await allSee(ann, ben, eve);
		const rings = heard(ben, "hey");
		ann.emit("callUser", { userToCall: ben.id, signalData: OFFER, from: eve.id, name: "Ann" });
		assert.deepEqual(await rings, [{ name: "Ann", signal: OFFER, from: ann.id }]);
		const accepted = heard(ann, "callAccepted");
		ben.emit("acceptCall", { signal: ANSWER, to: ann.id });
		assert.deepEqual(await accepted, [ANSWER]);
		eve.close();
		await allSee(ann, ben);
	},
};

for (const [name, talk] of Object.entries(SHIPPED)) {
	it(`pages of ${name} reach each other at the main namespace, for the asking`, async (t) => {
		// Without the offsets of recovery, which are last arguments.
		const args = [`--dialect.route=/=${name}`, "--socketio.recovery=false"];
		const server = await serverFor(t, { workers: 2, args });
		for (const version of VERSIONS) {
			const sockets = [];
			const come = async (listen) => {
				sockets.push(await stock(t, server, { version, listen }));
				return sockets.at(-1);
			};
			const membersIn = (room, count) =>
				poll(
					async () => {
						const { json } = await call(server, "GET", `/api/v1/rooms/${room}/members`);
						return json.members?.length === count;
					},
					() => `${count} in ${room}`,
				);
			await talk({ come, membersIn, room: freshRoom(name) });
			for (const socket of sockets) {
				socket.close();
			}
		}
	});
}

it("who is called by the id of an account is whom the token names, said or not", async (t) => {
	const server = await startWithDialect("duo", PEOPLE, { workers: 2, args: KEY_ARGS });
	t.after(() => server.stop());
	for (const version of VERSIONS) {
		const come = (user, userId) =>
			person(t, server, { version, query: { token: tokenFor(user, "people"), userId } });
		const [ann, ben] = [await come("ann", ""), await come("ben", "ben")];
		const eve = await come("eve", "ben");
		await Promise.all([seesOnline(ann, ["ann", "ben"]), seesOnline(ben, ["ann", "ben"])]);
		const rings = heard(ben, "incoming-call");
		eve.emit("call-user", { to: "ben", offer: {} });
		ann.emit("call-user", { to: "ben", offer: {} });
		assert.equal((await rings)[0].from, "ann");
		assert.equal(eve.online, undefined);
		for (const socket of [ann, ben, eve]) {
			socket.close();
		}
	}
});

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
	await first.stop();
	await serverFor(t, { ...options, port: first.port });
	await Promise.all(back);
	assert.deepEqual([ann.recovered, ben.recovered], [true, true]);
	assert.equal(await new Promise((resolve) => ben.emit("who-am-i", resolve)), "ben");
	const rings = heard(ann, "incoming-call");
	ben.emit("call-user", { to: "ann", offer: {} });
	assert.equal((await rings)[0].from, "ben");
});
