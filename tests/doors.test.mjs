// The table of doors: what every dialect and every endpoint answers to who shows which token.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { socketIo, WebSocket } from "./lib/deps.mjs";
import { get, request } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";
import { claimsFor, jwt, KEY, KEY_ARGS, now, SECRET } from "./lib/token.mjs";
import { voice } from "./lib/voice.mjs";
import { within } from "./lib/wait.mjs";

const room = freshRoom();
const admin = { roomAdmin: true, roomList: true, roomCreate: true };
const claims = claimsFor("ann", room, { video: admin });

// The columns. The last three are good tokens: for a room that is not asked for, one that allows nothing, and
// one that allows everything.
const TOKENS = {
	none: undefined,
	"a bad signature": jwt(claims, { key: `${SECRET}x` }),
	expired: jwt({ ...claims, exp: now() - 60 }),
	"another room": jwt(claimsFor("ann", "another", { video: admin })),
	"no grant": jwt(claimsFor("ann", room, { video: { roomJoin: false, canPublishData: false } })),
	good: jwt(claims),
};
const NAMES = Object.keys(TOKENS);

let server;
before(async () => {
	server = await startServer({ workers: 2, args: KEY_ARGS });
});
after(() => server.stop());

const query = (path, token) => (token ? `${path}?token=${encodeURIComponent(token)}` : path);
const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

/** What comes of a WebSocket: `fate(message)` of the first message that has one, or the close code. */
async function open(t, path, { protocol = [], headers, hello, fate }) {
	const socket = new WebSocket(server.ws + path, protocol, { headers, perMessageDeflate: false });
	t.after(() => socket.terminate());
	const end = new Promise((resolve, reject) => {
		socket.on("error", reject);
		socket.on("open", () => hello && socket.send(JSON.stringify(hello)));
		socket.on("close", (code) => resolve(code));
		socket.on("message", (bytes) => {
			const message = JSON.parse(bytes);
			if (message.type === "hello") {
				socket.send(JSON.stringify({ type: "join", id: 1, room, name: "Ann" }));
			}
			const known = fate(message);
			if (known !== undefined) {
				resolve(known);
			}
		});
	});
	return within(end, `what ${path} answers`);
}

const native = {
	protocol: "parley.v1",
	fate: ({ type, ok, error }) => (type === "reply" ? (ok ? "in" : error.code) : undefined),
};
const coach = {
	hello: { type: "join", roomId: room, userId: "ann", userName: "Ann" },
	fate: ({ type, code }) => {
		if (type === "error") {
			return code === "unauthorized" ? undefined : code;
		}
		return type === "room-joined" || type === "user-joined" || type === "joined" ? "in" : undefined;
	},
};

/** Who is in the room's other seat, a native client, sees it come. */
async function seen(t, act) {
	const headers = bearer(jwt(claimsFor("host", room)));
	const host = await connect(t, server, { room, headers });
	await host.join(room, { name: "Host" });
	const came = host.next("joined").then(
		() => "in",
		() => "nobody",
	);
	const fate = await Promise.race([act(), came]);
	return fate;
}

/** A dialect that says nothing to who is alone: it is in when another one sees it. */
const silent = (path, way) => (t, token) =>
	seen(t, () =>
		open(t, way === "header" ? path : query(path, token), {
			headers: way === "header" ? bearer(token) : undefined,
			fate: () => undefined,
		}),
	);

/** Socket.IO of a generation; `show` puts the token where it goes. This dialect tells nobody that he may not join:
 * a counter does. */
const duo = (version, transports, show) => async (t, token) => {
	const before = (await metrics(server)).get("commands_refused_total");
	const options = { forceNew: true, reconnection: false, transports };
	const socket = socketIo[version](server.http, { ...options, ...(token ? show(token) : {}) });
	t.after(() => socket.close());
	let known = false;
	const fate = new Promise((resolve, reject) => {
		for (const refused of ["connect_error", "error"]) {
			socket.on(refused, (error) => resolve(error.message ?? error));
		}
		socket.on("room:joined", () => resolve("in"));
		socket.on("connect", () => {
			socket.emit("room:join", { room, userName: "Ann" });
			metricIs(server, "commands_refused_total", (n) => known || n > before)
				.then(() => resolve("denied"))
				.catch(reject);
		});
	});
	return within(fate, "what Socket.IO answers").finally(() => {
		known = true;
	});
};

const NO = [4401, 4401, 4401];
const GONE = [4001, 4001, 4001];
const SIO = ["no token", "bad signature", "expired"];

// What is told to none, a bad signature, an expired one, another room, no grant, a good one.
const SOCKETS = {
	"native, query": [
		(t, token) => open(t, query("/v1/connect", token), native),
		[...NO, "denied", "denied", "in"],
	],
	"native, header": [
		(t, token) => open(t, "/v1/connect", { ...native, headers: bearer(token) }),
		[...NO, "denied", "denied", "in"],
	],
	"coach, query": [
		(t, token) => seen(t, () => open(t, query(`/ws-simple/${room}`, token), coach)),
		[...NO, "denied", "denied", "in"],
	],
	"coach, header": [
		(t, token) =>
			seen(t, () => open(t, `/ws-simple/${room}`, { ...coach, headers: bearer(token) })),
		[...NO, "denied", "denied", "in"],
	],
	"coworking, /ws/room": [silent(`/ws/room/${room}`), [...GONE, 4003, 4003, "in"]],
	"coworking, /ws/rooms": [silent(`/ws/rooms/${room}`), [...GONE, 4003, 4003, "in"]],
	"coworking, /api/ws/rooms": [silent(`/api/ws/rooms/${room}`), [...GONE, 4003, 4003, "in"]],
	"coworking, header": [silent(`/ws/rooms/${room}`, "header"), [...GONE, 4003, 4003, "in"]],
	...Object.fromEntries(
		[
			["4, payload", 4, (token) => ({ auth: { token } })],
			["3, payload", 3, (token) => ({ auth: { token } })],
			["4, query", 4, (token) => ({ query: { token } })],
			["2, query", 2, (token) => ({ query: { token } })],
			["4, header", 4, (token) => ({ extraHeaders: bearer(token) })],
		].flatMap(([way, version, show]) =>
			["websocket", "polling"].map((transport) => [
				`Socket.IO ${way}, ${transport}`,
				[duo(version, [transport], show), [...SIO, "denied", "denied", "in"]],
			]),
		),
	),
	relay: [silent(`/ws/relay/${room}`), [...NO, 4003, 4003, "in"]],
};

for (const [name, [knock, wanted]] of Object.entries(SOCKETS)) {
	describe(`the door of ${name}`, () => {
		for (const [i, token] of NAMES.entries()) {
			it(`${token}: ${wanted[i]}`, async (t) => {
				assert.equal(await knock(t, TOKENS[token]), wanted[i]);
			});
		}
	});
}

const OPEN = (status) => [status, status, status, status, status, status];
const NO_TOKEN = [401, 401, 401];
const COWORKING = "/api/coworking/rooms";
const FILE = "a".repeat(26);

// Statuses, in the same order; a body where there is one.
const HTTP = {
	"GET /": OPEN(200),
	"GET /check": OPEN(200),
	"GET /r/fox": OPEN(200),
	"GET /livez": OPEN(200),
	"GET /readyz": OPEN(200),
	"GET /health": OPEN(200),
	"GET /metrics": OPEN(200),
	"GET /openapi.json": OPEN(200),
	"GET /asyncapi.json": OPEN(200),
	// Whoever knows the id of a file may have it; this one is nobody's.
	[`GET /files/${FILE}`]: OPEN(404),
	[`GET /files/${FILE}/plan.pdf`]: OPEN(404),
	"GET /ice-servers": [...NO_TOKEN, 200, 403, 200],
	"GET /api/turn-credentials": [...NO_TOKEN, 200, 403, 200],
	"GET /api/turn-refusals": [...NO_TOKEN, 200, 403, 200],
	[`GET ${COWORKING}`]: [...NO_TOKEN, 200, 403, 200],
	[`POST ${COWORKING} {"name":"Focus"}`]: [...NO_TOKEN, 201, 403, 201],
	[`GET ${COWORKING}/${room}`]: [...NO_TOKEN, 403, 403, 404],
	[`DELETE ${COWORKING}/${room}`]: [...NO_TOKEN, 403, 403, 404],
	[`POST ${COWORKING}/${room}/join`]: [...NO_TOKEN, 403, 403, 404],
	[`POST ${COWORKING}/${room}/leave`]: [...NO_TOKEN, 403, 403, 404],
	[`POST ${COWORKING}/${room}/messages {"content":"x"}`]: [...NO_TOKEN, 403, 403, 404],
	[`PUT ${COWORKING}/${room}/mic-toggle {}`]: [...NO_TOKEN, 403, 403, 404],
	[`PUT ${COWORKING}/${room}/speaking {}`]: [...NO_TOKEN, 403, 403, 404],
	[`POST ${COWORKING}/${room}/emoji {"emoji":"x"}`]: [...NO_TOKEN, 403, 403, 404],
	"GET /api/auth/user": [...NO_TOKEN, 200, 403, 200],
	// There are no passwords: where tokens are asked for, nobody gets one here.
	'POST /api/auth/login {"email":"ann@example.org","password":"x"}': OPEN(403),
	'POST /api/auth/register {"email":"ann@example.org","password":"x"}': OPEN(403),
	[`POST /api/v1/rooms/${room}/files x`]: [...NO_TOKEN, 403, 403, 201],
};

function send(method, path, body, headers) {
	const length = { "Content-Length": Buffer.byteLength(body ?? "") };
	const type = body ? { "Content-Type": "application/json" } : {};
	return request(server, path, { method, headers: { ...length, ...type, ...headers }, body });
}

describe("the doors of HTTP", () => {
	for (const [what, wanted] of Object.entries(HTTP)) {
		it(`${what}: ${wanted.join(", ")}`, async () => {
			const [, method, path, body] = what.match(/^(\S+) (\S+) ?(.*)$/);
			for (const [i, name] of NAMES.entries()) {
				const answer = await send(method, path, body || undefined, bearer(TOKENS[name]));
				assert.equal(answer.status, wanted[i], `${name}: ${answer.text.slice(0, 200)}`);
			}
		});
		it(`${what}: no other page changes anything`, async () => {
			const path = what.split(" ")[1];
			const headers = { ...bearer(TOKENS.good), Origin: "https://evil.example" };
			assert.equal((await send("POST", path, undefined, headers)).status, 403);
		});
	}
});

describe("the voice through the server of a token", () => {
	const VOICES = {
		"that allows all": [{}, true],
		"for listeners": [{ canPublish: false }, false],
		"for cameras alone": [{ canPublishSources: ["camera"] }, false],
	};
	for (const [name, [video, allowed]] of Object.entries(VOICES)) {
		it(`${name} is ${allowed ? "" : "not "}heard`, async (t) => {
			const called = freshRoom();
			const enter = async (identity, grants, state) => {
				const headers = bearer(jwt(claimsFor(identity, called, { video: grants })));
				const client = await connect(t, server, { room: called, headers });
				await client.join(called, { state });
				return client;
			};
			const ann = await enter("ann", video, { mic: true });
			const bob = await enter("bob", {}, {});
			await bob.do({ type: "relay", member: ann.id, codec: "opus" });
			await ann.next("relay", { from: bob.id });
			const before = (await metrics(server)).get("voice_refused_total");
			ann.raw(voice([bob.id], {}));
			if (allowed) {
				await bob.nextVoice();
			}
			await ann.settled();
			const refused = (await metrics(server)).get("voice_refused_total") - before;
			assert.equal(refused, allowed ? 0 : 1);
		});
	}
});

describe("the doors of the server API", () => {
	it("are the same for all of its operations", async () => {
		const { paths } = JSON.parse((await get(server, "/openapi.json")).text);
		let count = 0;
		for (const [path, item] of Object.entries(paths)) {
			for (const [method, { operationId, security }] of Object.entries(item)) {
				if (security?.length === 0) {
					continue;
				}
				count += 1;
				const url = path.replace("{room}", room).replace("{member}", "m_aaaaaaaa");
				const ofRoom = path.includes("{room}");
				const byKey = ["makeToken", "revoke"].includes(operationId);
				const ask = async (headers) =>
					(await send(method.toUpperCase(), url, undefined, headers)).status;
				for (const name of ["none", "a bad signature", "expired"]) {
					assert.equal(await ask(bearer(TOKENS[name])), 401, `${operationId}, ${name}`);
				}
				const another = await ask(bearer(TOKENS["another room"]));
				assert.equal(another, ofRoom || byKey ? 403 : 200, `${operationId}, another room`);
				assert.equal(await ask(bearer(TOKENS["no grant"])), 403, `${operationId}, no grant`);
				for (const headers of [bearer(`${KEY}:${SECRET}`), !byKey && bearer(TOKENS.good)]) {
					if (headers) {
						const status = await ask(headers);
						assert.ok(![401, 403].includes(status), `${operationId}: ${status}`);
					}
				}
				assert.equal(await ask(bearer(`${KEY}:${SECRET}x`)), 401, operationId);
			}
		}
		assert.ok(count >= 20, "the document has operations");
	});
});
