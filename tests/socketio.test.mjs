// Socket.IO: what its public conformance suite asks for (with a table of its own, tests/lib/socketio.mjs), stock
// clients of three generations, and what goes wrong.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { socketIo } from "./lib/deps.mjs";
import { Polling, SEPARATOR, Socket } from "./lib/engineio.mjs";
import { get } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import {
	byHand,
	CONFORMANCE,
	heard,
	startWithDialect,
	stock,
	TRANSPORTS,
	VERSIONS,
} from "./lib/socketio.mjs";
import { KEY_ARGS, tokenFor } from "./lib/token.mjs";
import { poll, within } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

const PATH = { path: "/socket.io/" };
const PLACEHOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
const BYTES = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];

describe("the protocol of Socket.IO", () => {
	let server;
	before(async () => {
		server = await startWithDialect("duo", CONFORMANCE, {
			args: ["--socketio.recovery=false"],
		});
	});
	after(() => server.stop());

	const connects = [
		["the main namespace", "40", "40", '42["auth",{}]'],
		["the main namespace with a payload", '40{"token":"123"}', "40", '42["auth",{"token":"123"}]'],
		["another namespace", "40/custom,", "40/custom,", '42/custom,["auth",{}]'],
		["another namespace without a comma", "40/custom", "40/custom,", '42/custom,["auth",{}]'],
		[
			"another namespace with a payload",
			'40/custom,{"token":"abc"}',
			"40/custom,",
			'42/custom,["auth",{"token":"abc"}]',
		],
	];
	for (const [name, packet, head, auth] of connects) {
		it(`connects to ${name}`, async () => {
			const socket = await byHand(server, { packet });
			assert.ok(socket.connected.startsWith(`${head}{`), socket.connected);
			const answer = JSON.parse(socket.connected.slice(head.length));
			assert.deepEqual(Object.keys(answer), ["sid"]);
			assert.notEqual(answer.sid, socket.handshake.sid);
			assert.equal(await socket.nextMessage(), auth);
			socket.close();
		});
	}

	it("refuses an unknown namespace, and the session lives", async () => {
		const socket = await byHand(server, { packet: "40/random" });
		assert.equal(socket.connected, '44/random,{"message":"Invalid namespace"}');
		socket.send("40");
		assert.match(await socket.nextMessage(), /^40\{/);
		socket.close();
	});

	it("a connect to where one is already changes nothing", async () => {
		const socket = await byHand(server, { skip: 1 });
		socket.send("40", '42["message",1]');
		assert.equal(await socket.nextMessage(), '42["message-back",1]');
		socket.close();
	});

	it("leaves a namespace and stays in the other", async () => {
		const socket = await byHand(server, { skip: 1 });
		socket.send("40/custom");
		assert.match(await socket.nextMessage(), /^40\/custom,/);
		assert.equal(await socket.nextMessage(), '42/custom,["auth",{}]');
		socket.send("41/custom", '42/custom,["message","not heard"]', '42["message","heard"]');
		assert.equal(await socket.nextMessage(), '42["message-back","heard"]');
		socket.close();
	});

	const messages = [
		["text", ['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]']],
		["no argument", ['42["message"]'], ['42["message-back"]']],
		[
			"attachments",
			[`452-["message",${PLACEHOLDERS}]`, ...BYTES],
			[`452-["message-back",${PLACEHOLDERS}]`, ...BYTES],
		],
		["an ack", ['42456["message-with-ack",1,{"3":[false]}]'], ['43456[1,{"3":[false]}]']],
		[
			"attachments and an ack",
			[`452-789["message-with-ack",${PLACEHOLDERS}]`, ...BYTES],
			[`462-789[${PLACEHOLDERS}]`, ...BYTES],
		],
	];
	for (const [name, packets, answers] of messages) {
		it(`answers an event with ${name}`, async () => {
			const socket = await byHand(server, { skip: 1 });
			socket.send(...packets);
			for (const answer of answers) {
				assert.deepEqual(await socket.nextMessage(), answer);
			}
			socket.close();
		});

		it(`the same over long polling: ${name}`, async () => {
			const session = await Polling.open(server, PATH);
			const coded = (packet) =>
				typeof packet === "string" ? packet : `b${packet.toString("base64")}`;
			await session.send("40", ...packets.map(coded));
			const found = [];
			while (found.length < answers.length + 2) {
				found.push(...(await session.poll()));
			}
			assert.deepEqual(found.slice(1), ['42["auth",{}]', ...answers.map(coded)]);
			await session.send("1");
		});
	}

	const wrong = [
		["an unknown packet type", "4abc"],
		["no array", "42{}"],
		["no name", "42[]"],
		["a name that is no text", "42[null]"],
		["a reserved name", '42["connect"]'],
		["a bad ack id", '42abc["message-with-ack",1]'],
		["broken JSON", '42["message",'],
		["attachments over the limit", '4517-["message"]'],
		["a placeholder without attachment", '451-["message",{"_placeholder":true,"num":1}]'],
		["text in place of an attachment", `452-["message",${PLACEHOLDERS}]`, '42["message"]'],
		["an attachment that nobody waits for", Buffer.from([1])],
		["arrays in arrays without end", `42["message",${"[".repeat(100)}${"]".repeat(100)}]`],
		["more values than are taken", `42["message"${",1".repeat(5000)}]`],
		["an array for a payload of connect", "40/custom,[]"],
	];
	for (const [name, ...packets] of wrong) {
		it(`closes the session upon ${name}, others are not disturbed`, async () => {
			const socket = await byHand(server, { skip: 1 });
			await undisturbed(server, "malformed_messages_total", async () => {
				socket.send(...packets);
				assert.equal((await socket.closed()).code, 1002);
			});
		});
	}

	it("closes who speaks before it has connected", async () => {
		const socket = await Socket.open(server, PATH);
		socket.send('42["message",1]');
		await socket.closed();
	});

	it("a message over max-payload is closed with 1009", async () => {
		const socket = await byHand(server, { skip: 1 });
		socket.send(`42["message","${"x".repeat(1000000)}"]`);
		assert.equal((await socket.closed()).code, 1009);
	});

	it("a client can be in eight namespaces", async () => {
		const socket = await byHand(server, { skip: 1 });
		for (let i = 0; i < 7; i++) {
			socket.send(`40/n${i}`);
			assert.match(await socket.nextMessage(), /Invalid namespace/);
		}
		socket.send('42["message",1]');
		assert.equal(await socket.nextMessage(), '42["message-back",1]');
		socket.close();
	});
});

describe("stock clients of Socket.IO", () => {
	let server;
	before(async () => {
		server = await startServer({ args: ["--debug.echo=true"], workers: 2 });
	});
	after(() => server.stop());

	for (const version of VERSIONS) {
		for (const transports of TRANSPORTS) {
			const name = `${version}.x over ${transports.join(" and ")}`;

			it(`${name}: meet, call, chat and part`, async (t) => {
				const room = freshRoom("duo");
				const ann = await stock(t, server, { version, transports });
				const ben = await stock(t, server, { version, transports });
				ann.emit("room:join", { room, userName: "Ann" });
				const [joined] = await heard(ann, "room:joined");
				const [{ id: own, userName }] = joined.users;
				assert.deepEqual([own, userName], [ann.id, "Ann"]);
				const told = heard(ann, "user:joined");
				ben.emit("room:join", { room, userName: "Ben" });
				assert.equal((await heard(ben, "room:joined"))[0].users.length, 2);
				assert.equal((await told)[0].id, ben.id);

				const ringing = heard(ben, "incoming:call");
				const offer = { type: "offer", sdp: "v=0\r\n" };
				ann.emit("user:call", { to: ben.id, offer, userName: "Ann" });
				const [ring] = await ringing;
				assert.deepEqual([ring.from, ring.offer], [ann.id, offer]);

				const messages = ["one", "two", "\u00e9\u20ac\u{1f3b8}"];
				const found = [];
				const all = new Promise((resolve) => {
					ben.on("chat:message", ({ text }) => {
						found.push(text);
						if (found.length === messages.length) {
							resolve();
						}
					});
				});
				for (const message of messages) {
					ann.emit("chat:message", { room, message, userName: "Ann" });
				}
				await all;
				assert.deepEqual(found, messages);

				const left = heard(ann, "user:left");
				const { id } = ben;
				ben.close();
				assert.equal((await left)[0].id, id);
			});

			it(`${name}: binary both ways, and acks`, async (t) => {
				const socket = await stock(t, server, { version, transports });
				const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);
				const back = heard(socket, "echo");
				socket.emit("echo", bytes, { deep: [bytes] });
				const [plain, { deep }] = await back;
				assert.deepEqual([Buffer.from(plain), Buffer.from(deep[0])], [bytes, bytes]);
				const answer = await new Promise((resolve) =>
					socket.emit("echo", 1, "2", bytes, (...args) => resolve(args)),
				);
				assert.deepEqual([...answer.slice(0, 2), Buffer.from(answer[2])], [1, "2", bytes]);
			});
		}
	}

	it("a refused namespace is an error, and the client lives", async (t) => {
		for (const version of VERSIONS) {
			const socket = await stock(t, server, { version });
			const other = socket.io.socket("/nowhere");
			const name = version === 2 ? "error" : "connect_error";
			const [error] = await heard(other, name);
			assert.equal(version === 2 ? error : error.message, "Invalid namespace");
			const back = heard(socket, "echo");
			socket.emit("echo", version);
			assert.equal((await back)[0], version);
			socket.close();
		}
	});

	it("an upgrade loses and reorders nothing", async (t) => {
		const socket = await stock(t, server, { transports: ["polling", "websocket"] });
		const found = [];
		const last = 300;
		const all = new Promise((resolve) => {
			socket.on("echo", (i) => {
				found.push(i);
				if (i === last) {
					resolve();
				}
			});
		});
		const isOver = () => socket.io.engine.transport.name === "websocket";
		for (let i = 1; i <= last; i++) {
			socket.emit("echo", i);
			if (i % 10 === 0 || isOver()) {
				await new Promise((resolve) => setImmediate(resolve));
			}
		}
		await within(all, "the last echo");
		await poll(isOver, () => "no upgrade");
		assert.deepEqual(
			found,
			Array.from({ length: last }, (_, k) => k + 1),
		);
	});

	it("the socket's id is not the session's, but for 2.x", async (t) => {
		for (const version of VERSIONS) {
			const socket = await stock(t, server, { version, transports: ["polling"] });
			assert.equal(socket.id === socket.io.engine.id, version === 2);
			assert.match(socket.id, /^[a-y]/);
		}
	});

	it("a drained server sends its clients away, and they come back", async (t) => {
		const own = await startServer();
		const clients = [];
		for (const transports of TRANSPORTS) {
			clients.push(await stock(t, own, { transports }));
		}
		const gone = clients.map((client) => heard(client, "disconnect"));
		await own.stop();
		for (const [reason] of await Promise.all(gone)) {
			assert.match(reason, /^transport (close|error)$/);
		}
	});
});

describe("Socket.IO where tokens are asked for", () => {
	let server;
	before(async () => {
		server = await startServer({ args: KEY_ARGS });
	});
	after(() => server.stop());

	const room = "fox";
	const token = tokenFor("ann", room);
	for (const transports of TRANSPORTS) {
		it(`comes in by its payload or its request, over ${transports.join(" and ")}`, async (t) => {
			const options = [
				{ version: 4, auth: { token } },
				{ version: 3, auth: { token } },
				{ version: 4, query: { token } },
				{ version: 2, query: { token } },
				{ version: 4, extraHeaders: { Authorization: `Bearer ${token}` } },
			];
			for (const option of options) {
				const socket = await stock(t, server, { transports, ...option });
				socket.emit("room:join", { room, userName: "Ann" });
				await heard(socket, "room:joined");
				socket.close();
			}
		});

		it(`is refused without, and with a bad one, over ${transports.join(" and ")}`, async (t) => {
			for (const auth of [{}, { token: "bad" }, { token: tokenFor("x", room, { exp: 1 }) }]) {
				const socket = socketIo[4](server.http, { transports, auth, forceNew: true });
				t.after(() => socket.close());
				const [error] = await heard(socket, "connect_error");
				assert.match(error.message, /token|expired/);
			}
		});
	}

	it("a token for one room opens no other", async (t) => {
		const socket = await stock(t, server, { auth: { token } });
		let joined = false;
		socket.on("room:joined", () => {
			joined = true;
		});
		await undisturbedRefusal(server, () => {
			socket.emit("room:join", { room: "other", userName: "Ann" });
		});
		assert.equal(joined, false);
	});
});

/** A command is refused, as a counter says. */
async function undisturbedRefusal(server, act) {
	const before = (await metrics(server)).get("commands_refused_total");
	act();
	await metricIs(server, "commands_refused_total", (n) => n > before);
}

describe("many clients that poll, two workers", () => {
	const COUNT = 200;

	it(`${COUNT} of ${COUNT} connect, join and exchange messages, a connection per request`, async (t) => {
		const server = await serverFor(t, { workers: 2 });
		const clients = await Promise.all(
			Array.from({ length: COUNT }, () => Polling.open(server, PATH)),
		);
		const room = freshRoom("pairs");
		const events = async (client, wanted) => {
			while (!client.heard?.some((packet) => packet.includes(wanted))) {
				client.heard = [...(client.heard ?? []), ...(await client.poll())];
			}
		};
		await Promise.all(
			clients.map(async (client, i) => {
				const join = { room: `${room}-${i >> 1}`, userName: `user ${i}` };
				await client.send("40");
				await events(client, "40{");
				await client.send(`42${JSON.stringify(["room:join", join])}`);
				await events(client, "room:joined");
			}),
		);
		await metricIs(server, "members", COUNT);
		await Promise.all(
			clients.map(async (client, i) => {
				const chat = { room: `${room}-${i >> 1}`, message: `from ${i}`, userName: "x" };
				await client.send(`42${JSON.stringify(["chat:message", chat])}`);
				await events(client, `from ${i}"`);
				await events(client, `from ${i ^ 1}"`);
			}),
		);
		await Promise.all(clients.map((client) => client.send("41", "1")));
		await metricIs(server, "socketio_clients", 0);
		await metricIs(server, "members", 0);
		await metricIs(server, "socketio_refused_total", 0);
	});
});

describe("bad manners over Socket.IO", () => {
	let server;
	before(async () => {
		server = await startServer({
			workers: 2,
			args: ["--net.write-queue=64k"],
		});
	});
	after(() => server.stop());

	it("a flood of sessions that never connect is gone after connect-timeout", async (t) => {
		const hasty = await serverFor(t, { workers: 2, args: ["--socketio.connect-timeout=1s"] });
		await undisturbed(hasty, "socketio_timeouts_total", async () => {
			const sessions = await Promise.all(
				Array.from({ length: 100 }, () => Polling.open(hasty, PATH)),
			);
			const sockets = await Promise.all(
				Array.from({ length: 50 }, () => Socket.open(hasty, PATH)),
			);
			await Promise.all(sockets.map((socket) => socket.closed()));
			await metricIs(hasty, "socketio_clients", (n) => n <= sessions.length);
		});
		await metricIs(hasty, "socketio_clients", 0);
	});

	it("who polls is told that its time to connect is over", async (t) => {
		const hasty = await serverFor(t, { args: ["--socketio.connect-timeout=3s"] });
		const polling = await Polling.open(hasty, PATH);
		assert.deepEqual(await polling.poll(), ["1"]);
	});

	it("an id that was used up is unknown", async () => {
		const session = await Polling.open(server, PATH);
		await session.send("40", "1");
		const answer = await session.get();
		assert.deepEqual(JSON.parse(answer.text), { code: 1, message: "Session ID unknown" });
		const late = await Socket.open(server, { ...PATH, sid: session.sid });
		assert.ok(late.gone);
	});

	it("who polls too slowly is sent away, others in the room are not held up", async (t) => {
		const room = freshRoom("slow");
		const slow = await Polling.open(server, PATH);
		await slow.send("40", `42${JSON.stringify(["room:join", { room, userName: "slow" }])}`);
		const quick = await stock(t, server, { transports: ["websocket"] });
		quick.emit("room:join", { room, userName: "quick" });
		await heard(quick, "room:joined");
		const gone = heard(quick, "user:left");
		await undisturbed(server, "write_queue_drops_total", async () => {
			for (let i = 0; i < 20; i++) {
				const back = heard(quick, "chat:message");
				quick.emit("chat:message", { room, message: "x".repeat(5000), userName: "quick" });
				await back;
			}
			await gone;
		});
		assert.equal((await slow.get()).status, 400);
	});

	it("events over the rate are refused, and at last the client is sent away", async (t) => {
		const strict = await serverFor(t, { args: ["--limit.messages=1", "--limit.burst=5"] });
		await undisturbed(strict, "rate_limited_total", async () => {
			const socket = await byHand(strict);
			for (let i = 0; i < 200; i++) {
				socket.send('42["nothing"]');
			}
			await socket.closed();
		});
	});

	it("a table's keepalive is said", async (t) => {
		const table = "dialect duo\nspeaks socketio\nroute socketio /\nevery 1s send tick\n";
		const ticking = await startWithDialect("duo", table);
		t.after(() => ticking.stop());
		const socket = await byHand(ticking);
		assert.match(await socket.nextMessage(), /^42\["tick"/);
		socket.close();
	});

	it("a greeting reaches a client that moves meanwhile by what it says in another namespace", async (t) => {
		const table = `
dialect  greets
speaks   socketio
route    socketio /
route    socketio /other
on connect
    send hello $1
on join
    join room=$1
`;
		const greeting = await startWithDialect("greets", table, { workers: 2 });
		t.after(() => greeting.stop());
		for (let i = 0; i < 8; i++) {
			const session = await Polling.open(greeting, PATH);
			await session.send('40{"n":1}', '40/other,{"n":2}', `42/other,["join","${freshRoom("g")}"]`);
			const found = [];
			while (!found.some((packet) => packet.startsWith('42["hello",{"n":1}'))) {
				found.push(...(await session.poll()));
			}
			assert.ok(found.some((packet) => packet.startsWith('42/other,["hello",{"n":2}')));
			await session.send("41", "1");
		}
	});

	it("who is in a room stays there when another namespace puts it into a second one", async (t) => {
		const table = `
dialect  two
speaks   socketio
route    socketio /
route    socketio /other
on connect
    join room=room
on say
    relay all
when welcome
    send hello $room
`;
		const two = await startWithDialect("two", table, { workers: 2 });
		t.after(() => two.stop());
		for (let i = 0; i < 8; i++) {
			const rooms = [freshRoom("g"), freshRoom("g")];
			const session = await Polling.open(two, PATH);
			const found = [];
			const until = async (wanted) => {
				while (!found.some((packet) => packet.startsWith(wanted))) {
					found.push(...(await session.poll()));
				}
			};
			await session.send(`40{"room":"${rooms[0]}"}`);
			await until(`42["hello","${rooms[0]}"`);
			await session.send(`40/other,{"room":"${rooms[1]}"}`);
			await until(`42/other,["hello","${rooms[1]}"`);
			await session.send('42["say",1]', '42/other,["say",2]');
			await until('42["say",1');
			await until('42/other,["say",2');
			await session.send("1");
		}
		await metricIs(two, "members", 0);
	});

	it("a page of a foreign origin is not served", async () => {
		const headers = { Origin: "https://evil.example" };
		const answer = await get(server, "/socket.io/?EIO=4&transport=polling", headers);
		assert.deepEqual(JSON.parse(answer.text), { code: 4, message: "Forbidden" });
	});

	it("a payload with an event that moves its client keeps the order", async () => {
		for (let i = 0; i < 8; i++) {
			const room = freshRoom("order");
			const session = await Polling.open(server, PATH);
			const chat = (message) =>
				`42${JSON.stringify(["chat:message", { room, message, userName: "x" }])}`;
			await session.send(
				"40",
				`42${JSON.stringify(["room:join", { room, userName: "x" }])}`,
				chat("one"),
				chat("two"),
			);
			const found = [];
			while (!found.join(SEPARATOR).includes("two")) {
				found.push(...(await session.poll()));
			}
			const text = found.join(SEPARATOR);
			assert.ok(text.indexOf('"one"') < text.indexOf('"two"'), text);
			await session.send("41", "1");
		}
	});
});
