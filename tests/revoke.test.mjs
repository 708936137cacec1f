// Tokens that are taken back: who is in by one is out, at once, whatever he speaks and wherever he is.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, freshRoom } from "./lib/client.mjs";
import { Talker } from "./lib/dialects.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";
import { heard, stock } from "./lib/socketio.mjs";
import { KEY_ARGS, now, tokenFor } from "./lib/token.mjs";
import { within } from "./lib/wait.mjs";

let server;
before(async () => {
	server = await startServer({ workers: 2, grace: "20s", args: KEY_ARGS });
});
after(() => server.stop());

const bearer = (token) => ({ Authorization: `Bearer ${token}` });

async function revoke(body) {
	const { status, json } = await call(server, "POST", "/api/v1/revocations", body);
	assert.equal(status, 204, JSON.stringify(json));
}

/** A member of parley.v1. */
async function enter(t, room, token) {
	const client = await connect(t, server, { room, headers: bearer(token) });
	await client.join(room, { name: "x" });
	return client;
}

/** What a socket of JSON hears of its end: {code, reason}. */
async function talk(t, path, hello) {
	const talker = new Talker(server, path);
	t.after(() => talker.vanish());
	await within(talker.opened, path);
	if (hello) {
		talker.send(hello);
	}
	return async (code) => {
		const gone = await talker.ended();
		assert.equal(gone.code, code);
	};
}

const path = (name, token) => `${name}?token=${encodeURIComponent(token)}`;

// Comes into the room by the token; resolves with what waits until it is out, and looks how.
const WAYS = {
	native: async (t, room, token) => {
		const client = await enter(t, room, token);
		return async () => {
			const { error } = await client.next("error");
			assert.deepEqual([error.code, error.detail], ["unauthorized", "revoked"]);
			assert.deepEqual(await client.ended(), { code: 4401, reason: "revoked" });
		};
	},
	"native, whose connection is broken": async (t, room, token) => {
		const away = (await metrics(server)).get("sessions_away");
		const client = await enter(t, room, token);
		const ticket = client.ticket();
		client.vanish();
		await metricIs(server, "sessions_away", (n) => n > away);
		return async () => {
			const again = await connect(t, server, {
				room,
				headers: bearer(tokenFor("bob", room)),
			});
			await again.refused({ type: "resume", ...ticket }, "cannot_resume");
		};
	},
	coach: async (t, room, token, userId) => {
		const join = { type: "join", roomId: room, userId, userName: "Eve" };
		const ends = await talk(t, path(`/ws-simple/${room}`, token), join);
		return () => ends(4401);
	},
	coworking: async (t, room, token) => {
		const ends = await talk(t, path(`/ws/rooms/${room}`, token));
		return () => ends(4001);
	},
	"Socket.IO": (t, room, token) => duo(t, room, token, ["websocket"]),
	"Socket.IO, polling": (t, room, token) => duo(t, room, token, ["polling"]),
};

async function duo(t, room, token, transports) {
	const socket = await stock(t, server, { auth: { token }, transports });
	const joined = heard(socket, "room:joined");
	socket.emit("room:join", { room, userName: "Eve" });
	await joined;
	const gone = heard(socket, "disconnect");
	return async () => {
		const [why] = await gone;
		assert.match(why, /^(io server disconnect|transport close)$/);
	};
}

// By its own name, or by its owner's.
const BY = { token: (jti) => ({ token: jti }), identity: (_, identity) => ({ identity }) };

for (const [what, body] of Object.entries(BY)) {
	describe(`a revoked ${what} puts out`, () => {
		for (const [name, come] of Object.entries(WAYS)) {
			it(`${name}, and nobody else`, async (t) => {
				const room = freshRoom();
				const before = (await metrics(server)).get("sessions_revoked_total");
				const here = await enter(t, room, tokenFor("ann", room));
				const eve = freshRoom("eve");
				const claims = { jti: `${eve}-1`, iat: now() - 5 };
				const token = tokenFor(eve, room, claims);
				const leaves = await come(t, room, token, eve);
				const { member } = await here.next("joined");
				await revoke(body(claims.jti, eve));
				const left = await here.next("left", { member: member.id });
				assert.deepEqual([left.reason, left.detail], ["kick", "revoked"]);
				await leaves();
				await metricIs(server, "sessions_revoked_total", (n) => n === before + 1);
				await here.do({ type: "chat", text: "still here" });
			});
		}
	});
}

describe("a revoked token", () => {
	it("is out of every room of its session, on every worker, and comes into none", async (t) => {
		const rooms = Array.from({ length: 4 }, () => freshRoom());
		const token = tokenFor("eve-of-all", undefined, { jti: "eve-of-all" });
		const eve = await connect(t, server, { headers: bearer(token) });
		const others = [];
		for (const room of rooms) {
			others.push(await enter(t, room, tokenFor("ann", room)));
			await eve.join(room, { name: "Eve" });
		}
		await revoke({ token: "eve-of-all" });
		for (const other of others) {
			await other.next("left", { reason: "kick", detail: "revoked" });
		}
		assert.equal((await eve.ended()).code, 4401);
		for (let again = 0; again < 4; again++) {
			await assert.rejects(connect(t, server, { headers: bearer(token) }));
		}
	});
});
