// Who may come in: what makes a token good, and what it allows once inside. The table of all doors: doors.test.mjs.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { WebSocket } from "./lib/deps.mjs";
import { talkTo } from "./lib/dialects.mjs";
import { timesInMemory } from "./lib/memory.mjs";
import { metrics } from "./lib/metrics.mjs";
import { freshDir, runParley, serverFor, startServer } from "./lib/server.mjs";
import { claimsFor, jwt, KEY, KEY_ARGS, now, SECRET } from "./lib/token.mjs";
import { within } from "./lib/wait.mjs";

/** What a client hears at a door until it is closed, or until it has heard something and gone on. */
async function knock(server, path, { headers, protocol = [] } = {}) {
	const socket = new WebSocket(server.ws + path, protocol, { headers, perMessageDeflate: false });
	const heard = [];
	const end = new Promise((resolve, reject) => {
		socket.on("error", reject);
		socket.on("message", (bytes) => {
			heard.push(JSON.parse(bytes));
			if (heard[0].type === "hello") {
				resolve({ heard });
			}
		});
		socket.on("close", (code, reason) => resolve({ heard, code, reason: reason.toString() }));
	});
	try {
		return await within(end, `what ${path} answers`);
	} finally {
		socket.terminate();
	}
}

const NATIVE = { protocol: "parley.v1" };
const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const withToken = (token) => `/v1/connect?token=${encodeURIComponent(token)}`;
const { privateKey: rsa, publicKey: rsaPublic } = generateKeyPairSync("rsa", {
	modulusLength: 2048,
});
const { privateKey: ec, publicKey: ecPublic } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = (key, kid) => ({ ...key.export({ format: "jwk" }), kid, use: "sig" });
const JWKS = { keys: [jwk(rsaPublic, "rsa-1"), jwk(ecPublic, "../../etc/passwd")] };

const ANN = claimsFor("ann", "fox");
const BY_RSA = { key: rsa, header: { alg: "RS256", kid: "rsa-1" } };
const BY_EC = { key: ec, header: { alg: "ES256", kid: "../../etc/passwd" } };
const unsigned = (header, claims) =>
	[header, claims].map((x) => Buffer.from(JSON.stringify(x)).toString("base64url")).join(".");

// What comes of a token: null: come in; else the reason that is told.
const TOKENS = {
	"of an API key": [jwt(ANN), null],
	"of a key of the set, RS256": [jwt({ ...ANN, iss: "idp" }, BY_RSA), null],
	"of a key of the set, ES256": [jwt({ ...ANN, iss: "idp" }, BY_EC), null],
	"of a key of the set without kid": [
		jwt({ ...ANN, iss: "idp" }, { key: ec, header: { alg: "ES256" } }),
		null,
	],
	"just expired, within the skew": [jwt({ ...ANN, exp: now() - 20 }), null],
	"with unknown claims": [
		jwt({ ...ANN, sip: { call: true }, video: { ...ANN.video, x: 1 } }),
		null,
	],
	"that is missing": ["", "no token"],
	"that is none": ["joe", "no valid token"],
	"with a wrong secret": [jwt(ANN, { key: `${SECRET}x` }), "bad signature"],
	"of an unknown API key": [jwt({ ...ANN, iss: "other" }), "unknown key"],
	"without issuer": [jwt({ ...ANN, iss: undefined }), "unknown key"],
	"that has expired": [jwt({ ...ANN, exp: now() - 600 }), "expired"],
	"that is not valid yet": [jwt({ ...ANN, nbf: now() + 600 }), "not valid yet"],
	"without an end": [jwt({ ...ANN, exp: undefined }), "bad claims"],
	"whose end is text": [jwt({ ...ANN, exp: "tomorrow" }), "bad claims"],
	"alg none": [`${unsigned({ alg: "none" }, ANN)}.`, "no valid token"],
	"alg none with a signature": [`${unsigned({ alg: "none" }, ANN)}.AAAA`, "no valid token"],
	"HS256 by the public key": [
		jwt(ANN, { key: rsaPublic.export({ type: "spki", format: "pem" }) }),
		"bad signature",
	],
	"HS256 by the public key, named by kid": [
		jwt({ ...ANN, iss: "rsa-1" }, { key: JSON.stringify(JWKS.keys[0]), header: { kid: "rsa-1" } }),
		"unknown key",
	],
	"RS256 header on an HS256 signature": [
		jwt(ANN).replace(/^[^.]+/, unsigned({ alg: "RS256", kid: "rsa-1" }, 0).split(".")[0]),
		"bad signature",
	],
	"ES256 naming the RSA key": [
		jwt(ANN, { key: ec, header: { alg: "ES256", kid: "rsa-1" } }),
		"unknown key",
	],
	"of a kid that is a path": [
		jwt(ANN, { key: rsa, header: { alg: "RS256", kid: "/dev/null" } }),
		"unknown key",
	],
	"that brings its own key": [
		jwt(ANN, { key: ec, header: { alg: "ES256", kid: "x", jwk: jwk(ecPublic, "x") } }),
		"unknown key",
	],
	"with crit": [jwt(ANN, { header: { crit: ["exp"] } }), "no valid token"],
	"cut short": [jwt(ANN).slice(0, -3), "bad signature"],
	padded: [`${jwt(ANN)}=`, "no valid token"],
};

describe("a server with keys", () => {
	let server;
	const log = () => server.stderr;
	before(async () => {
		const dir = freshDir();
		const jwks = join(dir, "jwks.json");
		writeFileSync(jwks, JSON.stringify(JWKS));
		server = await startServer({
			workers: 2,
			args: [
				...KEY_ARGS,
				`--auth.jwks=${jwks}`,
				"--auth.open-paths=/ws-simple/",
				"--auth.skew=5m",
				"--log-level=debug",
			],
		});
	});
	after(async () => {
		assert.ok(!log().includes(SECRET), "the secret is not in the log");
		assert.ok(!/eyJ[A-Za-z0-9_-]{20}/.test(log()), "no token is in the log");
		await server.stop();
	});

	for (const [name, [token, reason]] of Object.entries(TOKENS)) {
		it(`a token ${name}: ${reason ?? "come in"}`, async () => {
			const { heard, code, reason: said } = await knock(server, withToken(token), NATIVE);
			if (reason === null) {
				assert.equal(heard[0]?.type, "hello", said);
				assert.equal(heard[0].open, undefined);
				return;
			}
			assert.equal(code, 4401);
			assert.equal(said, reason);
			assert.equal(heard[0].type, "error");
			assert.equal(heard[0].error.code, "unauthorized");
			assert.equal(heard[0].error.detail, reason);
		});
	}

	it("takes the token from the header, and two names in the query", async () => {
		const token = jwt(ANN);
		const ways = [
			["/v1/connect", bearer(token)],
			["/v1/connect", { authorization: `bearer  ${token}` }],
			[`/v1/connect?room=fox&token=${token}`],
			[`/v1/connect?access_token=${token}`],
		];
		for (const [path, headers] of ways) {
			const { heard, reason } = await knock(server, path, { ...NATIVE, headers });
			assert.equal(heard[0]?.type, "hello", reason);
		}
	});

	it("tells each dialect at its door in its own way", async () => {
		const expired = jwt({ ...ANN, exp: now() - 600 });
		for (const path of ["/ws/room/fox", "/ws/rooms/fox", "/api/ws/rooms/fox"]) {
			for (const query of ["", `?token=${expired}`]) {
				const { heard, code } = await knock(server, path + query);
				assert.deepEqual([heard, code], [[], 4001]);
			}
		}
		// Open by auth.open-paths, but what is shown must be good.
		const { heard, code } = await knock(server, `/ws-simple/fox?token=${expired}`);
		assert.equal(heard[0].code, "unauthorized");
		assert.equal(code, 4401);
	});

	it("a page of another origin is refused at every socket, whatever it shows", async () => {
		const headers = { ...bearer(jwt(ANN)), Origin: "http://localhost:3000" };
		for (const path of ["/v1/connect", "/ws-simple/fox", "/ws/room/fox", "/ws/rooms/fox"]) {
			const socket = new WebSocket(server.ws + path, [], { headers });
			const refused = new Promise((resolve) => {
				socket.on("error", () => {});
				socket.on("unexpected-response", (_, { statusCode }) => resolve(statusCode));
				socket.on("open", () => resolve(101));
			});
			assert.equal(await within(refused, path), 403, path);
			socket.terminate();
		}
	});

	it("counts who is refused", async () => {
		const before = (await metrics(server)).get("unauthorized_total");
		await knock(server, "/v1/connect", NATIVE);
		assert.equal((await metrics(server)).get("unauthorized_total"), before + 1);
	});

	const enter = (t, claims) => connect(t, server, { headers: bearer(jwt({ ...ANN, ...claims })) });

	it("the token says who one is", async (t) => {
		const room = freshRoom();
		const claims = claimsFor("ann", room, { name: "Ann A.", metadata: '{"team":"red"}' });
		const ann = await enter(t, claims);
		const { you } = await ann.join(room, { name: "whoever", metadata: { team: "blue" } });
		assert.equal(you.user, "ann");
		assert.equal(you.name, "Ann A.");
		assert.deepEqual(you.metadata, { team: "red" });
		assert.equal(you.role, "speaker", "who makes a room is not its owner by that");
	});

	it("another room or another user than the token's is refused", async (t) => {
		const room = freshRoom();
		const ann = await enter(t, claimsFor("ann", room));
		await ann.refused({ type: "join", room: freshRoom(), name: "Ann" }, "denied");
		await ann.refused({ type: "join", room, name: "Ann", user: "bob" }, "denied");
		await ann.join(room, { user: "ann" });
		const anywhere = await enter(t, claimsFor("bob"));
		await anywhere.join(freshRoom());
		await anywhere.join(freshRoom());
	});

	// [video grants and claims] -> role, and what is refused
	const GRANTS = {
		"nothing special": [{}, "speaker", []],
		roomAdmin: [{ video: { roomAdmin: true } }, "moderator", []],
		"role owner": [{ role: "owner" }, "owner", []],
		"role listener": [{ role: "listener" }, "listener", ["mic", "camera", "screen", "signal"]],
		"canPublish false": [
			{ video: { canPublish: false } },
			"listener",
			["mic", "camera", "screen", "signal"],
		],
		canPublishSources: [
			{ video: { canPublishSources: ["microphone"] } },
			"speaker",
			["camera", "screen"],
		],
		"canPublishData false": [{ video: { canPublishData: false } }, "speaker", ["chat", "signal"]],
		"canUpdateOwnMetadata false": [
			{ video: { canUpdateOwnMetadata: false } },
			"speaker",
			["name", "metadata"],
		],
	};
	const DOING = {
		mic: { type: "update", mic: true },
		camera: { type: "update", camera: true },
		screen: { type: "update", screen: true },
		hand: { type: "update", hand: true },
		name: { type: "update", name: "Other" },
		metadata: { type: "update", metadata: { a: 1 } },
		chat: { type: "chat", text: "hello" },
		signal: { type: "signal", data: {} },
	};
	for (const [name, [claims, role, denied]] of Object.entries(GRANTS)) {
		it(`${name}: ${role}, without ${denied.join(", ") || "limits"}`, async (t) => {
			const room = freshRoom();
			const ann = await enter(t, claimsFor("ann", room, claims));
			const { you } = await ann.join(room, { state: { camera: true } });
			assert.equal(you.role, role);
			assert.equal(you.state.camera, !denied.includes("camera"));
			for (const [what, message] of Object.entries(DOING)) {
				const reply = await ann.ask(message);
				assert.equal(reply.ok, !denied.includes(what), what);
				assert.equal(reply.error?.code, reply.ok ? undefined : "denied");
			}
		});
	}

	it("without roomJoin nobody joins", async (t) => {
		const room = freshRoom();
		const ann = await enter(t, claimsFor("ann", room, { video: { roomJoin: false } }));
		await ann.refused({ type: "join", room, name: "Ann" }, "denied");
		const bob = await enter(t, { ...claimsFor("bob", room), video: undefined });
		await bob.refused({ type: "join", room, name: "Bob" }, "denied");
	});

	it("who is hidden sees all and is not seen", async (t) => {
		const room = freshRoom();
		const ann = await enter(t, claimsFor("ann", room));
		await ann.join(room);
		const spy = await enter(t, claimsFor("spy", room, { video: { hidden: true } }));
		assert.equal((await spy.join(room)).members.length, 1);
		await spy.refused({ type: "chat", text: "boo" }, "denied");
		await spy.refused({ type: "signal", to: ann.id, data: {} }, "denied");
		await spy.do({ type: "update", hand: true });
		const bob = await enter(t, claimsFor("bob", room));
		assert.equal((await bob.join(room)).members.length, 1);
		await ann.next("joined");
		await spy.next("joined");
		spy.vanish();
		await ann.nothing("word of who is hidden");
	});

	it("a guest of an open path is nobody whom a token has proved to be", async (t) => {
		const room = freshRoom();
		const ann = await enter(t, claimsFor("ann", room));
		await ann.join(room);
		const eve = await talkTo(t, server, `/ws-simple/${room}`);
		eve.send({ type: "join", roomId: room, userId: "ann", userName: "Ann" });
		assert.equal((await eve.next("error")).code, "denied");
		const bob = await talkTo(t, server, `/ws-simple/${room}`);
		bob.send({ type: "join", roomId: room, userId: "bob", userName: "Bob" });
		await bob.next("user-joined", { userName: "Ann" });
		assert.equal((await ann.next("joined")).member.role, "speaker");
	});

	it("a room without an owner keeps none", async (t) => {
		const room = freshRoom();
		const owner = await enter(t, claimsFor("ann", room, { role: "owner" }));
		const bob = await enter(t, claimsFor("bob", room));
		await owner.join(room);
		await bob.join(room);
		await owner.next("joined");
		await owner.do({ type: "leave" });
		await bob.next("left");
		await bob.nothing("a role");
	});
});

describe("a server without keys", () => {
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	it("says loudly that anybody may come in, in the log and to the page", async (t) => {
		await server.logged(/warn +auth +open-mode /);
		const ann = await connect(t, server);
		assert.equal(ann.hello.open, true);
	});

	it("lets a token pass unread", async () => {
		const { heard } = await knock(server, withToken("anything"), NATIVE);
		assert.equal(heard[0].type, "hello");
	});

	it("gives the first member the room", async (t) => {
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		assert.equal(ann.joinData.you.role, "owner");
		assert.equal(bob.joinData.you.role, "speaker");
	});
});

describe("settings of keys", () => {
	const BAD = {
		"a key without secret": ["--auth.key=ann"],
		"a short secret": ["--auth.key=ann:short"],
		"a name twice": [`--auth.key=ann:${SECRET}`, `--auth.key=ann:${SECRET}`],
		"a missing set": ["--auth.jwks=/nonexistent"],
		"a set that is none": ["--auth.jwks=/etc/passwd"],
	};
	for (const [name, args] of Object.entries(BAD)) {
		it(`${name} ends the start, and the secret is not shown`, async () => {
			const { code, stderr } = await runParley([
				"--listen=127.0.0.1:0",
				`--data-dir=${freshDir()}`,
				...args,
			]);
			assert.equal(code, 1, stderr);
			assert.match(stderr, /auth\.(key|jwks)/);
			assert.ok(!stderr.includes("short\n") && !stderr.includes(SECRET), stderr);
		});
	}

	it("parley config hides secrets; they may come from a file", async (t) => {
		const path = join(freshDir(), "key");
		writeFileSync(path, `${KEY}:${SECRET}\n`);
		const { stdout } = await runParley(["config", `--auth.key-file=${path}`]);
		assert.match(stdout, /^auth\.key = \*\*\*/m);
		const server = await serverFor(t, { args: [`--auth.key-file=${path}`] });
		const ann = await connect(t, server, { headers: bearer(jwt(ANN)) });
		await ann.join("fox");
	});
});

describe("a file with keys", () => {
	const [OLD, NEW] = ["old", "new"].map((name) => ({ name, secret: `${name}-${SECRET}` }));
	const lines = (...keys) => keys.map(({ name, secret }) => `${name}:${secret}\n`).join("");
	const tokenBy = ({ name, secret }) => jwt({ ...ANN, iss: name }, { key: secret });
	const opens = async (server, key) => {
		const { code, reason } = await knock(server, withToken(tokenBy(key)), NATIVE);
		return code === undefined ? "in" : reason;
	};

	it("is read anew at SIGHUP: other keys count then, and nobody is disturbed", async (t) => {
		const path = join(freshDir(), "keys");
		writeFileSync(path, lines(OLD));
		const server = await serverFor(t, { workers: 2, args: [`--auth.key-file=${path}`] });
		const ann = await connect(t, server, { headers: bearer(tokenBy(OLD)) });
		await ann.join("fox");
		assert.equal(await opens(server, NEW), "unknown key");
		writeFileSync(path, lines(OLD, NEW));
		server.reload();
		await server.logged(/info +auth +keys +keys=2/);
		assert.deepEqual([await opens(server, OLD), await opens(server, NEW)], ["in", "in"]);
		writeFileSync(path, lines(NEW));
		server.reload();
		await server.logged(/info +auth +keys +keys=1/);
		assert.deepEqual([await opens(server, OLD), await opens(server, NEW)], ["unknown key", "in"]);
		const shown = ({ name, secret }) => bearer(`${name}:${secret}`);
		const list = (key) => call(server, "GET", "/api/v1/rooms", undefined, shown(key));
		assert.equal((await list(OLD)).status, 401);
		assert.equal((await list(NEW)).json.rooms[0].members, 1);
		await ann.do({ type: "chat", text: "still here" });
	});

	it("leaves nothing in memory of a key that it has no more", async (t) => {
		const path = join(freshDir(), "keys");
		writeFileSync(path, lines(OLD));
		const server = await serverFor(t, { workers: 2, args: [`--auth.key-file=${path}`] });
		const { pid } = server.process;
		assert.equal(await opens(server, OLD), "in");
		assert.ok(timesInMemory(pid, OLD.secret) > 0);
		writeFileSync(path, lines(NEW));
		server.reload();
		await server.logged(/info +auth +keys +keys=1/);
		assert.deepEqual([await opens(server, OLD), await opens(server, NEW)], ["unknown key", "in"]);
		assert.equal(timesInMemory(pid, OLD.secret), 0);
		assert.ok(timesInMemory(pid, NEW.secret) > 0);
	});

	it("that is wrong changes nothing, and the log says why, without a secret", async (t) => {
		const path = join(freshDir(), "keys");
		writeFileSync(path, lines(OLD));
		const server = await serverFor(t, { args: [`--auth.key-file=${path}`] });
		const BAD = {
			"a secret of at least": lines(NEW) + "short:abc\n",
			"is there twice": lines(NEW, NEW),
			"keys is empty": "\n\n",
			"cannot read": undefined,
		};
		for (const [why, text] of Object.entries(BAD)) {
			rmSync(path);
			if (text !== undefined) writeFileSync(path, text);
			server.reload();
			await server.logged(new RegExp(`error +auth +keys-kept +why=".*${why}`));
			assert.deepEqual([await opens(server, OLD), await opens(server, NEW)], ["in", "unknown key"]);
			if (text === undefined) writeFileSync(path, lines(OLD));
		}
		assert.ok(!server.stderr.includes(SECRET), server.stderr);
	});

	it("does not close a server that was started without keys, and says so", async (t) => {
		const dir = freshDir();
		const [config, path] = [join(dir, "parley.ini"), join(dir, "keys")];
		writeFileSync(config, "");
		const server = await serverFor(t, { args: ["--config", config] });
		writeFileSync(path, lines(NEW));
		writeFileSync(config, `[auth]\nkey-file = ${path}\n`);
		server.reload();
		await server.logged(/error +auth +keys-kept +why=".*start it anew/);
		const ann = await connect(t, server);
		await ann.join("fox");
	});

	it("that is empty ends the start", async () => {
		const path = join(freshDir(), "keys");
		writeFileSync(path, "");
		const { code, stderr } = await runParley([`--auth.key-file=${path}`]);
		assert.equal(code, 2);
		assert.match(stderr, /auth\.key: .*keys is empty/);
	});
});

describe("parley token create", () => {
	const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

	it("prints a token that opens the door", async (t) => {
		const { code, stdout, stderr } = await runParley([
			...["token", "create", "--room", "fox", "--identity=ann", "--name", "Ann"],
			...["--role=moderator", "--ttl=1h", '--metadata={"a":1}', "--publish=false"],
			...KEY_ARGS,
		]);
		assert.equal(code, 0, stderr);
		const token = stdout.trim();
		const [header, claims, signature] = token.split(".");
		assert.equal(
			signature,
			createHmac("sha256", SECRET).update(`${header}.${claims}`).digest("base64url"),
		);
		const { jti, iat, exp, ...rest } = claimsOf(token);
		assert.match(jti, /^[a-z2-7]{16}$/);
		assert.ok(Math.abs(iat - now()) < 60);
		assert.ok(Math.abs(exp - iat - 3600) <= 1);
		assert.deepEqual(rest, {
			iss: KEY,
			sub: "ann",
			name: "Ann",
			metadata: '{"a":1}',
			role: "moderator",
			video: { room: "fox", roomJoin: true, canPublish: false },
		});
		const server = await serverFor(t, { args: KEY_ARGS });
		const ann = await connect(t, server, { headers: bearer(token) });
		const { you } = await ann.join("fox");
		assert.equal(you.role, "moderator");
		assert.deepEqual(you.metadata, { a: 1 });
	});

	it("says what is wrong", async () => {
		const wrong = [
			[["token"], /token create/],
			[["token", "create", "--identity=a"], /no auth\.key/],
			[["token", "create", "--key=other", ...KEY_ARGS], /of that name/],
			[["token", "create", "--role=king", ...KEY_ARGS], /role/],
			[["token", "create", "--metadata=7", ...KEY_ARGS], /metadata/],
			[["token", "create", "--rom=x", ...KEY_ARGS], /rom/],
		];
		for (const [args, pattern] of wrong) {
			const { code, stdout, stderr } = await runParley(args);
			assert.equal(code, 2);
			assert.equal(stdout, "");
			assert.match(stderr, pattern);
			assert.ok(!stderr.includes(SECRET));
		}
	});
});
