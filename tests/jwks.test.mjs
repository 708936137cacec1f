// Public keys that change: fetched from a real HTTP server, or in a file.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { WebSocket } from "./lib/deps.mjs";
import { get } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { freshDir, runParley, serverFor } from "./lib/server.mjs";
import { stock } from "./lib/socketio.mjs";
import { claimsFor, jwt } from "./lib/token.mjs";
import { poll, within } from "./lib/wait.mjs";

/** A key of an identity provider. */
class Key {
	constructor(kid) {
		const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
		this.kid = kid;
		this.privateKey = privateKey;
		this.jwk = { ...publicKey.export({ format: "jwk" }), kid, use: "sig" };
	}

	token() {
		const header = { alg: "ES256", kid: this.kid };
		return jwt(claimsFor("ann", "fox", { iss: "idp" }), { key: this.privateKey, header });
	}
}

const setOf = (...keys) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });

/** An identity provider that tells its keys; `answer` may be changed: (res, number of the request). */
class Provider {
	asked = [];

	static async start(t, ...keys) {
		const provider = new Provider();
		provider.text = setOf(...keys);
		provider.headers = {};
		provider.answer = (res) => res.writeHead(200, provider.headers).end(provider.text);
		const server = http.createServer((req, res) => {
			provider.asked.push({ req, at: Date.now() });
			provider.answer(res, provider.asked.length);
		});
		await new Promise((resolve) => {
			server.listen(0, "127.0.0.1", resolve);
		});
		t.after(() => {
			server.closeAllConnections();
			server.close();
		});
		provider.url = `http://127.0.0.1:${server.address().port}/keys`;
		return provider;
	}
}

/** 0: come in; else the close code, and the reason. */
async function knock(server, key) {
	const path = `${server.ws}/v1/connect?token=${key.token()}`;
	const socket = new WebSocket(path, "parley.v1", { perMessageDeflate: false });
	const end = new Promise((resolve, reject) => {
		socket.on("error", reject);
		socket.on("message", (bytes) => {
			if (JSON.parse(bytes).type === "hello") {
				resolve({ code: 0, reason: "" });
			}
		});
		socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
	});
	try {
		return await within(end, "an answer at the door");
	} finally {
		socket.terminate();
	}
}

const UNKNOWN = { code: 4401, reason: "unknown key" };
const LATER = { code: 1013, reason: "the keys are being fetched: try again" };
const IN = { code: 0, reason: "" };

/** As a client that tries again does. */
const opens = (server, key) =>
	poll(
		async () => (await knock(server, key)).code === 0,
		() => `${key.kid} to open the door`,
	);

const loads = (server, count) => metricIs(server, "jwks_loads_total", count);
const serverWith = (t, place, args = []) =>
	serverFor(t, { workers: 2, args: [`--auth.jwks=${place}`, ...args] });

/** The second fetch waited for its time of two seconds, not only for the gap; the first may have been noted late. */
function mustBeLater({ asked }) {
	assert.ok(asked[1].at - asked[0].at >= 500, `after ${asked[1].at - asked[0].at} ms`);
}

describe("public keys by URL", () => {
	it("are fetched at the start, and again for a key that is not known", async (t) => {
		const [one, two] = [new Key("one"), new Key("two")];
		const provider = await Provider.start(t, one);
		const server = await serverWith(t, provider.url, ["--auth.jwks-gap=300ms"]);
		await loads(server, 1);
		assert.deepEqual(await knock(server, one), IN);
		const { method, headers, url } = provider.asked[0].req;
		assert.deepEqual([method, url], ["GET", "/keys"]);
		assert.match(headers["user-agent"], /^parley/i);

		provider.text = setOf(two);
		await opens(server, two);
		// What is not there any more is good no more.
		const gone = await knock(server, one);
		assert.ok([LATER.reason, UNKNOWN.reason].includes(gone.reason), gone.reason);
		assert.equal((await metrics(server)).get("jwks_failures_total"), 0);
	});

	it("who comes while they are fetched shall try again, by every door", async (t) => {
		const one = new Key("one");
		const provider = await Provider.start(t, one);
		let let_go;
		provider.answer = (res) => {
			let_go = () => res.end(provider.text);
		};
		const server = await serverWith(t, provider.url);
		assert.deepEqual(await knock(server, one), LATER);
		const headers = { Authorization: `Bearer ${one.token()}` };
		const ice = await get(server, "/ice-servers", headers);
		assert.equal(ice.status, 503);
		const { status, json } = await call(server, "GET", "/api/v1/rooms", undefined, headers);
		assert.deepEqual([status, json.error.code], [503, "unavailable"]);
		assert.equal((await get(server, "/api/coworking/rooms", headers)).status, 503);
		// Nobody is let in meanwhile: there are no keys, but there will be.
		assert.equal((await get(server, "/ice-servers")).status, 401);
		await poll(
			() => let_go,
			() => "the fetch",
		);
		let_go();
		await loads(server, 1);
		assert.deepEqual(await knock(server, one), IN);
	});

	it("a Socket.IO client waits while they are fetched", async (t) => {
		const one = new Key("one");
		const provider = await Provider.start(t, one);
		const held = [];
		provider.answer = (res) => held.push(res);
		const patient = ["--auth.jwks-gap=10m", "--auth.jwks-timeout=1m"];
		const server = await serverWith(t, provider.url, patient);
		const clients = [["websocket"], ["polling"]].flatMap((transports) =>
			[2, 4].map((version) => {
				const token = one.token();
				const shown = version === 4 ? { auth: { token } } : { query: { token } };
				return stock(t, server, { version, transports, ...shown });
			}),
		);
		// All of them have asked when the server has them, and has heard something that came after.
		await metricIs(server, "socketio_clients", clients.length);
		const late = stock(t, server, { auth: { token: new Key("other").token() } });
		const refused = assert.rejects(late, { message: "unknown key" });
		await metricIs(server, "socketio_clients", clients.length + 1);
		await poll(
			() => held.length > 0,
			() => "the fetch",
		);
		held[0].end(provider.text);
		for (const client of await Promise.all(clients)) assert.ok(client.connected);
		// Whose key is not there even so has the reason.
		await refused;
		assert.equal((await metrics(server)).get("jwks_loads_total"), 1);
	});

	it("it waits for connect-timeout at most, and is told why", async (t) => {
		const provider = await Provider.start(t, new Key("one"));
		provider.answer = () => {};
		const args = ["--socketio.connect-timeout=4s", "--auth.jwks-timeout=1m"];
		const server = await serverWith(t, provider.url, args);
		const auth = { token: new Key("one").token() };
		const client = stock(t, server, { auth, transports: ["websocket"] });
		await assert.rejects(client, { message: LATER.reason });
	});

	it("are not fetched more often than the gap, whatever keys tokens name", async (t) => {
		const provider = await Provider.start(t, new Key("one"));
		const server = await serverWith(t, provider.url, ["--auth.jwks-gap=10m"]);
		await loads(server, 1);
		for (let i = 0; i < 20; i++) {
			assert.deepEqual(await knock(server, new Key(`made-up-${i}`)), UNKNOWN);
		}
		assert.equal(provider.asked.length, 1);
	});

	it("are fetched again when their time is over", async (t) => {
		const provider = await Provider.start(t, new Key("one"));
		const server = await serverWith(t, provider.url, [
			"--auth.jwks-interval=2s",
			"--auth.jwks-gap=100ms",
		]);
		await loads(server, (n) => n >= 2);
		mustBeLater(provider);
	});

	it("are fetched sooner when Cache-Control says so", async (t) => {
		const provider = await Provider.start(t, new Key("one"));
		provider.headers = { "cache-control": "public, max-age=2" };
		const server = await serverWith(t, provider.url, ["--auth.jwks-gap=100ms"]);
		await loads(server, (n) => n >= 2);
		mustBeLater(provider);
	});

	it("are fetched at SIGHUP, whatever the gap", async (t) => {
		const [one, two] = [new Key("one"), new Key("two")];
		const provider = await Provider.start(t, one);
		const server = await serverWith(t, provider.url, ["--auth.jwks-gap=10m"]);
		await loads(server, 1);
		provider.text = setOf(two);
		server.reload();
		await loads(server, 2);
		assert.deepEqual(await knock(server, two), IN);
		assert.equal(provider.asked.length, 2);
	});

	const BAD = {
		"an error": (res) => res.writeHead(500).end("oops"),
		"no JSON": (res) => res.end("<html>"),
		"no keys": (res) => res.end('{"keys":[]}'),
		"a redirect": (res) => res.writeHead(302, { Location: "/elsewhere" }).end(),
		"far too much": (res) => res.end(" ".repeat(300_000)),
		"an end in between": (res) => {
			res.writeHead(200, { "Content-Length": "1000" });
			res.write("{");
			res.destroy();
		},
		"nothing in time": () => {},
	};
	for (const [name, answer] of Object.entries(BAD)) {
		it(`the last good ones stay when there is ${name}, until there are better ones`, async (t) => {
			const [one, two] = [new Key("one"), new Key("two")];
			const provider = await Provider.start(t, one);
			const good = provider.answer;
			const server = await serverWith(t, provider.url, [
				"--auth.jwks-gap=100ms",
				"--auth.jwks-timeout=1s",
			]);
			await loads(server, 1);
			provider.answer = answer;
			await poll(
				async () => (await knock(server, two)).code === LATER.code,
				() => "a fetch",
			);
			await metricIs(server, "jwks_failures_total", (n) => n >= 1);
			await server.logged(/error +auth +jwks-kept /);
			assert.deepEqual(await knock(server, one), IN);
			provider.text = setOf(one, two);
			provider.answer = good;
			await loads(server, 2);
			assert.deepEqual(await knock(server, two), IN);
		});
	}

	it("a provider that is down at the start lets nobody in, and is asked again", async (t) => {
		const one = new Key("one");
		const provider = await Provider.start(t, one);
		const good = provider.answer;
		provider.answer = (res) => res.destroy();
		const server = await serverWith(t, provider.url, ["--auth.jwks-gap=100ms"]);
		await metricIs(server, "jwks_failures_total", (n) => n >= 2);
		const { code } = await knock(server, one);
		assert.ok(code === 4401 || code === 1013);
		assert.equal((await get(server, "/ice-servers")).status, 401);
		provider.answer = good;
		await loads(server, 1);
		assert.deepEqual(await knock(server, one), IN);
	});

	it("a server that stops does not wait for them", async (t) => {
		const provider = await Provider.start(t, new Key("one"));
		provider.answer = () => {};
		const server = await serverWith(t, provider.url, ["--auth.jwks-timeout=10m"]);
		await poll(
			() => provider.asked.length === 1,
			() => "the fetch",
		);
		await server.stop(); // which has a deadline
	});

	it("parley token create asks nobody", async (t) => {
		const provider = await Provider.start(t, new Key("one"));
		const { code, stdout } = await runParley([
			...["token", "create", "--identity=ann", "--auth.key=app:a-secret-of-some-length"],
			`--auth.jwks=${provider.url}`,
		]);
		assert.equal(code, 0);
		assert.match(stdout, /^eyJ/);
		assert.equal(provider.asked.length, 0);
	});
});

describe("public keys in a file", () => {
	it("are read again at SIGHUP, also when it looks unchanged", async (t) => {
		const path = join(freshDir(), "jwks.json");
		writeFileSync(path, setOf(new Key("one")));
		const server = await serverWith(t, path);
		await loads(server, 1);
		server.reload();
		await loads(server, 2);
	});

	it("are read again when it has changed", async (t) => {
		const [one, two] = [new Key("one"), new Key("two")];
		const path = join(freshDir(), "jwks.json");
		const write = (text) => {
			writeFileSync(`${path}.new`, text);
			renameSync(`${path}.new`, path);
		};
		write(setOf(one));
		const server = await serverWith(t, path);
		assert.deepEqual(await knock(server, one), IN);
		assert.deepEqual(await knock(server, two), UNKNOWN);
		await loads(server, 1);
		write("{");
		await metricIs(server, "jwks_failures_total", 1);
		assert.deepEqual(await knock(server, one), IN);
		write(setOf(two));
		await loads(server, 2);
		assert.deepEqual(await knock(server, two), IN);
		assert.deepEqual(await knock(server, one), UNKNOWN);
	});
});
