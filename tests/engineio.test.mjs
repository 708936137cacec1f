// Engine.IO, versions 4 and 3: what its public conformance suite asks for, and what goes wrong. The
// endpoint under test sends every message back (--debug.echo).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Polling, SEPARATOR, Socket } from "./lib/engineio.mjs";
import { get, request } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { startServer } from "./lib/server.mjs";
import { poll } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

const PING_INTERVAL = 300;
const PING_TIMEOUT = 3000; // the suite's 200 is for an idle machine
const ARGS = [
	"--debug.echo=true",
	`--socketio.ping-interval=${PING_INTERVAL}ms`,
	`--socketio.ping-timeout=${PING_TIMEOUT}ms`,
];
const QUIET = ["--debug.echo=true"]; /* no pings while a test looks at other things */

const HANDSHAKE = {
	pingInterval: PING_INTERVAL,
	pingTimeout: PING_TIMEOUT,
	maxPayload: 1000000,
};

const errorOf = (answer) => [answer.status, JSON.parse(answer.text)];
const UNKNOWN_TRANSPORT = [400, { code: 0, message: "Transport unknown" }];
const UNKNOWN_SID = [400, { code: 1, message: "Session ID unknown" }];
const BAD_METHOD = [400, { code: 2, message: "Bad handshake method" }];
const BAD_REQUEST = [400, { code: 3, message: "Bad request" }];
const FORBIDDEN = [403, { code: 4, message: "Forbidden" }];
const BAD_VERSION = [400, { code: 5, message: "Unsupported protocol version" }];

async function gone(session) {
	assert.deepEqual(errorOf(await session.get()), UNKNOWN_SID);
}

/** Polls on a connection of its own, and is sure that the poll waits: a second one would be wrong. */
async function ask(server, raw, session) {
	const before = (await metrics(server)).get("socketio_polls");
	raw.write(`GET ${session.address} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
	await metricIs(server, "socketio_polls", (n) => n > before);
}

/** A WebSocket beside a session that polls, probed. */
async function probe(server, session) {
	const socket = await Socket.open(server, { sid: session.sid });
	socket.send("2probe");
	assert.equal(await socket.next(), "3probe");
	return socket;
}

describe("Engine.IO", () => {
	let server;
	let quiet;
	before(async () => {
		server = await startServer({ args: ARGS });
		quiet = await startServer({ args: QUIET, workers: 2 });
	});
	after(async () => {
		await server.stop();
		await quiet.stop();
	});

	describe("handshake", () => {
		it("opens a session over long polling", async () => {
			const { handshake, sid } = await Polling.open(server);
			assert.match(sid, /^[a-y][a-z2-7]{21}$/);
			assert.deepEqual(handshake, { sid, upgrades: ["websocket"], ...HANDSHAKE });
		});

		it("opens a session over a WebSocket", async () => {
			const socket = await Socket.open(server);
			const { sid } = socket.handshake;
			assert.deepEqual(socket.handshake, { sid, upgrades: [], ...HANDSHAKE });
			socket.close();
		});

		const refused = [
			["without a version", "GET", "transport=polling", BAD_VERSION],
			["of an unknown version", "GET", "EIO=abc&transport=polling", BAD_VERSION],
			["without a transport", "GET", "EIO=4", UNKNOWN_TRANSPORT],
			["of an unknown transport", "GET", "EIO=4&transport=abc", UNKNOWN_TRANSPORT],
			["by POST", "POST", "EIO=4&transport=polling", BAD_METHOD],
			["by PUT", "PUT", "EIO=4&transport=polling", BAD_METHOD],
			["over a WebSocket that is none", "GET", "EIO=4&transport=websocket", BAD_REQUEST],
			["with an unknown id", "GET", "EIO=4&transport=polling&sid=abc", UNKNOWN_SID],
			[
				"with an id of another worker",
				"GET",
				"EIO=4&transport=polling&sid=abaaaaaaaaaaaaaaaaaaaa",
				UNKNOWN_SID,
			],
			[
				"with an id of a worker that there is not",
				"GET",
				"EIO=4&transport=polling&sid=zzaaaaaaaaaaaaaaaaaaaa",
				UNKNOWN_SID,
			],
		];
		for (const [name, method, query, error] of refused) {
			it(`is refused ${name}`, async () => {
				const answer = await request(quiet, `/engine.io/?${query}`, { method });
				assert.deepEqual(errorOf(answer), error);
				assert.match(answer.headers["content-type"], /^application\/json/);
			});
		}

		for (const query of ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4"]) {
			it(`of a WebSocket is refused with ${query}`, async () => {
				const headers = { Connection: "Upgrade", Upgrade: "websocket" };
				const answer = await get(server, `/engine.io/?${query}`, headers);
				assert.equal(answer.status, 400);
			});
		}
	});

	describe("messages", () => {
		const payloads = [
			["one text", "4hello"],
			["several texts", "4test1\x1e4test2\x1e4test3"],
			["text and binary", "4hello\x1ebAQIDBA=="],
			["characters of every width", "4h\u00e9\u20ac\u{1f3b8}"],
			["an empty message", "4"],
		];
		for (const [name, payload] of payloads) {
			it(`come back over long polling: ${name}`, async () => {
				const session = await Polling.open(quiet);
				await session.send(payload);
				const answer = await session.get();
				assert.equal(answer.text, payload);
				assert.match(answer.headers["content-type"], /^text\/plain; charset=UTF-8$/);
			});
		}

		it("come back over a WebSocket", async () => {
			const socket = await Socket.open(quiet);
			socket.send("4hello", Buffer.from([1, 2, 3, 4]), "4", Buffer.alloc(0), "bAQID");
			assert.equal(await socket.next(), "4hello");
			assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3, 4]));
			assert.equal(await socket.next(), "4");
			assert.deepEqual(await socket.next(), Buffer.alloc(0));
			assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
			socket.close();
		});

		it("wait for a poll, in order, and a poll waits for them", async () => {
			const session = await Polling.open(quiet);
			for (let i = 0; i < 20; i++) {
				await session.send(`4${i}`);
			}
			assert.deepEqual(
				await session.poll(),
				Array.from({ length: 20 }, (_, i) => `4${i}`),
			);
			const polled = session.poll();
			await session.send("4late");
			assert.deepEqual(await polled, ["4late"]);
		});

		for (const [name, body, headers] of [
			["no packet type", "abc"],
			["an empty payload", ""],
			["bad base64", "b***"],
			["bytes that are no UTF-8", Buffer.from([0x34, 0xff])],
			["a ping, which is the server's to send", "2"],
			["a second open", "0"],
			[
				"bytes, which version 4 does not post",
				"4a",
				{ "Content-Type": "application/octet-stream" },
			],
		]) {
			it(`a post with ${name} is a bad request`, async () => {
				const session = await Polling.open(quiet);
				const answer = await session.post(body, { headers });
				assert.deepEqual(errorOf(answer), BAD_REQUEST);
				await gone(session);
			});
		}

		it("a WebSocket message without a packet type ends the session", async () => {
			const socket = await Socket.open(quiet);
			socket.send("abc");
			assert.equal((await socket.closed()).code, 1002);
		});

		it("a body over max-payload is refused, and the session lives", async () => {
			const session = await Polling.open(quiet);
			const answer = await session.post(`4${"x".repeat(1000000)}`);
			assert.equal(answer.status, 413);
			const large = `4${"x".repeat(999999)}`;
			await session.send(large);
			assert.deepEqual(await session.poll(), [large]);
		});
	});

	describe("heartbeat", { concurrency: 4 }, () => {
		it("over long polling", async () => {
			const session = await Polling.open(server);
			for (let i = 0; i < 3; i++) {
				assert.deepEqual(await session.poll(), ["2"]);
				await session.send("3");
			}
		});

		it("over a WebSocket", async () => {
			const socket = await Socket.open(server);
			for (let i = 0; i < 3; i++) {
				assert.equal(await socket.next(), "2");
				socket.send("3");
			}
			socket.close();
		});

		it("whoever polls and does not answer is gone", async () => {
			const session = await Polling.open(server);
			assert.deepEqual(await session.poll(), ["2"]);
			assert.deepEqual(await session.poll(), ["1"]);
			await gone(session);
		});

		it("whoever has a WebSocket and does not answer is gone", async () => {
			const socket = await Socket.open(server);
			await socket.closed();
			assert.deepEqual(socket.inbox, ["2"]);
		});
	});

	describe("closing", () => {
		it("over long polling releases the poll", async () => {
			const session = await Polling.open(quiet);
			const raw = await RawSocket.connect(quiet);
			await ask(quiet, raw, session);
			await session.send("1");
			assert.equal((await raw.response()).body.toString(), "6");
			await gone(session);
		});

		it("over a WebSocket", async () => {
			const socket = await Socket.open(quiet);
			socket.send("1");
			await socket.closed();
		});

		it("a second poll ends the session", async () => {
			const session = await Polling.open(quiet);
			const answers = [session.get(), session.get()];
			const both = await Promise.all(answers);
			both.sort((a, b) => a.status - b.status);
			assert.equal(both[0].text, "1");
			assert.deepEqual(errorOf(both[1]), BAD_REQUEST);
			await gone(session);
		});

		it("a page that goes while it polls is gone at once", async () => {
			const session = await Polling.open(quiet);
			const raw = await RawSocket.connect(quiet);
			await ask(quiet, raw, session);
			raw.socket.end();
			await poll(
				async () => (await session.get()).status === 400,
				() => "the end of the session",
			);
			await gone(session);
		});
	});

	describe("upgrade", () => {
		it("releases polls, keeps the order and loses nothing", async () => {
			const session = await Polling.open(quiet);
			const raw = await RawSocket.connect(quiet);
			await ask(quiet, raw, session);
			const socket = await probe(quiet, session);
			assert.equal((await raw.response()).body.toString(), "6");
			assert.deepEqual(await session.poll(), ["6"]);
			await session.send("4one", "bAQID", "4two");
			socket.send("5");
			assert.equal(await socket.next(), "4one");
			assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
			assert.equal(await socket.next(), "4two");
			socket.send("4three");
			assert.equal(await socket.next(), "4three");
			assert.deepEqual(errorOf(await session.get()), BAD_REQUEST);
			socket.close();
		});

		it("happens once: another WebSocket is sent away", async () => {
			const session = await Polling.open(quiet);
			const socket = await probe(quiet, session);
			socket.send("5");
			const second = await Socket.open(quiet, { sid: session.sid });
			await second.closed();
			socket.send("4hello");
			assert.equal(await socket.next(), "4hello");
			socket.close();
		});

		it("left half done, the session goes on polling", async () => {
			const session = await Polling.open(quiet);
			const first = await probe(quiet, session);
			first.close();
			const polled = (async () => {
				let packets;
				do {
					packets = await session.poll();
				} while (packets[0] === "6"); // until the server has seen it go
				return packets;
			})();
			await session.send("4hello");
			assert.deepEqual(await polled, ["4hello"]);
			const second = await probe(quiet, session);
			second.send("5", "4again");
			assert.equal(await second.next(), "4again");
			second.close();
		});

		for (const [name, packets] of [
			["5 before the probe", ["5"]],
			["a ping that is no probe", ["2"]],
			["a message", ["4hello"]],
			["what is no packet", ["x"]],
		]) {
			it(`${name}: the candidate is closed, the session lives`, async () => {
				const session = await Polling.open(quiet);
				const socket = await Socket.open(quiet, { sid: session.sid });
				socket.send(...packets);
				await socket.closed();
				await session.send("4hello");
				assert.deepEqual(await session.poll(), ["4hello"]);
			});
		}
	});

	describe("version 3", () => {
		const v3 = { version: 3 };

		it("has no maxPayload, and counts UTF-16 units", async () => {
			const session = await Polling.open(quiet, v3);
			assert.deepEqual(Object.keys(session.handshake), [
				"sid",
				"upgrades",
				"pingInterval",
				"pingTimeout",
			]);
			const text = "2:4\u20ac3:4\u{1f3b8}";
			assert.equal((await session.post(text)).text, "ok");
			assert.equal((await session.get()).text, text);
		});

		it("sends bytes as bytes, or as base64 to who asks for it", async () => {
			const body = Buffer.from("\x00\x06\xff4hello\x01\x04\xff\x04\x01\x02\x03", "latin1");
			const headers = { "Content-Type": "application/octet-stream" };
			const bytes = await Polling.open(quiet, v3);
			assert.equal((await bytes.post(body, { headers })).text, "ok");
			const answer = await bytes.get();
			assert.equal(answer.headers["content-type"], "application/octet-stream");
			assert.deepEqual(answer.body, body);
			const base64 = await Polling.open(quiet, { ...v3, query: "&b64=1" });
			assert.equal((await base64.post("6:b4AQID")).text, "ok");
			assert.equal((await base64.get()).text, "6:b4AQID");
		});

		it("is pinged by the client", async () => {
			const session = await Polling.open(server, v3);
			assert.equal((await session.post("1:2")).text, "ok");
			assert.equal((await session.get()).text, "1:3");
			assert.equal((await session.get()).text, "1:1"); // in vain: it is given up
			await gone(session);
		});

		it("marks binary messages over a WebSocket", async () => {
			const session = await Polling.open(quiet, v3);
			const socket = await Socket.open(quiet, { ...v3, sid: session.sid });
			socket.send("2probe");
			assert.equal(await socket.next(), "3probe");
			socket.send("5", Buffer.from([4, 1, 2]), "2");
			assert.deepEqual(await socket.next(), Buffer.from([4, 1, 2]));
			assert.equal(await socket.next(), "3");
			socket.close();
		});

		it("can be left out", async (t) => {
			const strict = await startServer({ args: [...QUIET, "--socketio.allow-eio3=false"] });
			t.after(() => strict.stop());
			const answer = await get(strict, "/engine.io/?EIO=3&transport=polling");
			assert.deepEqual(errorOf(answer), BAD_VERSION);
		});
	});

	describe("from other origins", () => {
		const path = "/engine.io/?EIO=4&transport=polling";

		it("allowed ones are named, with credentials", async () => {
			const Origin = "http://localhost:3000";
			const answer = await get(server, path, { Origin });
			assert.equal(answer.headers["access-control-allow-origin"], Origin);
			assert.equal(answer.headers["access-control-allow-credentials"], "true");
			assert.equal(answer.headers.vary, "Origin");
		});

		it("others are forbidden", async () => {
			const Origin = "https://evil.example";
			assert.deepEqual(errorOf(await get(server, path, { Origin })), FORBIDDEN);
			assert.equal(
				(await request(server, path, { method: "POST", headers: { Origin } })).status,
				403,
			);
			const headers = { Origin, Connection: "Upgrade", Upgrade: "websocket" };
			const socket = await get(server, path.replace("polling", "websocket"), headers);
			assert.equal(socket.status, 403);
		});
	});

	it("200 clients that poll over connections of their own, two workers: none is refused", async () => {
		const clients = await Promise.all(Array.from({ length: 200 }, () => Polling.open(quiet)));
		await Promise.all(
			clients.map(async (client, i) => {
				const polled = client.poll();
				await client.send(`4number ${i}`);
				assert.deepEqual(await polled, [`4number ${i}`]);
				await client.send("1");
				await gone(client);
			}),
		);
	});

	it("who polls too slowly is sent away, others are not disturbed", async (t) => {
		const small = await startServer({ args: [...QUIET, "--net.write-queue=64k"] });
		t.after(() => small.stop());
		const session = await Polling.open(small);
		await undisturbed(small, "write_queue_drops_total", async () => {
			const large = `4${"x".repeat(40000)}`;
			await session.send(large);
			await session.post(large);
		});
		await gone(session);
	});

	it("sessions of the process are limited by net.max-connections", async (t) => {
		const small = await startServer({ args: [...QUIET, "--net.max-connections=20"] });
		t.after(() => small.stop());
		for (let i = 0; i < 20; i++) {
			await Polling.open(small);
		}
		const answer = await get(small, "/engine.io/?EIO=4&transport=polling");
		assert.equal(answer.status, 503);
		await metricIs(small, "socketio_clients", 20);
	});

	it("packets of one payload are heard up to the one that ends the session", async () => {
		const session = await Polling.open(quiet);
		const answer = await session.post(["4a", "1", "4b"].join(SEPARATOR));
		assert.equal(answer.text, "ok");
		await gone(session);
	});
});
