// Who is connected over Socket.IO when the server is started anew, or dies, gets what was said meanwhile, once, and is
// who he was: stock clients that know nothing of it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { call } from "./lib/api.mjs";
import { connect, freshRoom } from "./lib/client.mjs";
import { Line } from "./lib/line.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { byHand, heard, stock } from "./lib/socketio.mjs";
import { poll } from "./lib/wait.mjs";

const QUICK = {
	reconnection: true,
	reconnectionDelay: 20,
	reconnectionDelayMax: 50,
};

/** A stock page in a room; it notes all that it is told. */
async function page(t, server, room, userName, options = {}) {
	const socket = await stock(t, server, { ...QUICK, ...options });
	const log = [];
	socket.onAny((name, ...args) => log.push([name, ...args]));
	const joined = heard(socket, "room:joined");
	socket.emit("room:join", { room, userName });
	await joined;
	return Object.assign(socket, {
		log,
		texts: () =>
			log
				.filter(([name]) => name === "chat:message")
				.map(([, { text }]) => text),
		say: (message) => socket.emit("chat:message", { room, message, userName }),
		saw: (name) => log.filter(([event]) => event === name).length,
	});
}

const heardOf = (socket, other) =>
	poll(
		() =>
			socket.log.some(
				([name, { id }]) => name === "user:joined" && id === other.id,
			),
		() => `that ${other.id} has come, at ${socket.id}`,
	);

const hears = (socket, text) =>
	poll(
		() => socket.texts().includes(text),
		() => `${text} at ${socket.id}, who has ${socket.texts()}`,
	);

const ENDS = ["kill", "stop"];
const WAYS = [["websocket"], ["polling"], ["polling", "websocket"]];

/** A server that can be started anew on its port. */
async function setup(t, end, workers) {
	// A dead line would keep a stop waiting.
	const args = ["--server.drain=300ms", "--limit.messages=0"];
	const options = { dataDir: freshDir(), workers, args };
	const first = await startServer(options);
	t.after(() => first.remove());
	const room = freshRoom("restart");
	const again = async () => {
		await first[end]();
		return serverFor(t, { ...options, port: first.port });
	};
	return { first, room, again };
}

for (const end of ENDS) {
	for (const transports of WAYS) {
		describe(`a ${end} while they are connected, ${transports.join(" and ")}`, () => {
			for (const [before, workers] of [
				["one message", 1],
				["no message", 2],
			]) {
				// Ann's line is dead before, and nobody knows: what is said gets lost on it.
				it(`3 of 3 missed messages after ${before}, ${workers} workers`, async (t) => {
					const { first, room, again } = await setup(t, end, workers);
					const line = await Line.open(t, first);
					const ann = await page(t, line, room, "Ann", { transports });
					const ben = await page(t, first, room, "Ben", {
						transports: ["websocket"],
					});
					await heardOf(ann, ben);
					const known = before === "one message" ? ["before"] : [];
					if (known.length) {
						ben.say("before");
						await Promise.all([hears(ann, "before"), hears(ben, "before")]);
					}
					const ids = [ann.id, ben.id];
					line.die();
					ben.say("one");
					await hears(ben, "one");
					const back = heard(ben, "connect");
					const second = await again();
					await back;
					assert.equal(ben.recovered, true);
					ben.say("two");
					await hears(ben, "two");
					const api = async (method, what, body) => {
						const answer = await call(second, method, `/api/v1/rooms/${room}/${what}`, body);
						assert.ok(answer.status < 300, JSON.stringify(answer.json));
						return answer.json;
					};
					const { members } = await api("GET", "members");
					assert.deepEqual(
						members
							.map(({ user, state }) => [user, state.away ?? false])
							.sort(),
						[
							[ids[0], true],
							[ids[1], false],
						].sort(),
					);
					await api("POST", "messages", { text: "three" });
					line.cut();
					line.mend();
					await hears(ann, "three");
					assert.equal(ann.recovered, true);
					ann.say("four");
					await Promise.all([hears(ann, "four"), hears(ben, "four")]);
					assert.deepEqual(ben.texts(), [
						...known,
						"one",
						"two",
						"three",
						"four",
					]);
					assert.deepEqual(ann.texts(), [
						...known,
						"one",
						"two",
						"three",
						"four",
					]);
					assert.deepEqual([ann.id, ben.id], ids);
					// Nobody has left or come: a call that needs no server goes on.
					assert.deepEqual(
						[ann.saw("user:left"), ben.saw("user:left")],
						[0, 0],
					);
					assert.deepEqual(
						[ann.saw("user:joined"), ben.saw("user:joined")],
						[1, 0],
					);
				});
			}
		});
	}

	describe(`a ${end} while the line is down`, () => {
		it("3 of 3, and the others see it come again", async (t) => {
			const { first, room, again } = await setup(t, end, 1);
			const line = await Line.open(t, first);
			const ann = await page(t, line, room, "Ann");
			const ben = await page(t, first, room, "Ben", {
				transports: ["websocket"],
			});
			await heardOf(ann, ben);
			line.cut();
			await heard(ben, "user:left");
			ben.say("one");
			await hears(ben, "one");
			const back = heard(ben, "connect");
			await again();
			await back;
			ben.say("two");
			ben.say("three");
			await hears(ben, "three");
			const joined = heard(ben, "user:joined");
			line.mend();
			await hears(ann, "three");
			assert.equal(ann.recovered, true);
			assert.deepEqual(ann.texts(), ["one", "two", "three"]);
			assert.equal((await joined)[0].id, ann.id);
		});
	});
}

describe("over a restart", () => {
	/** Ann's page, and what she needs to come back by hand. */
	async function ticketOf(t, server, room, options) {
		const ann = await page(t, server, room, "Ann", options);
		return { ann, pid: ann._pid, offset: () => ann._lastOffset };
	}
	const claim = (pid, offset) => `40${JSON.stringify({ pid, offset })}`;
	const sidOf = (socket) => JSON.parse(socket.connected.slice(2)).sid;

	it("a gap too large is told: not recovered, and who joins anew gets the last messages", async (t) => {
		const { first, room, again } = await setup(t, "kill", 1);
		const line = await Line.open(t, first);
		const { ann } = await ticketOf(t, line, room, {
			transports: ["websocket"],
		});
		const native = await connect(t, first);
		await native.join(room);
		await native.do({ type: "chat", text: "seen" });
		await hears(ann, "seen");
		line.die();
		const said = Array.from({ length: 2001 }, (_, i) => `line ${i}`);
		for (let at = 0; at < said.length; at += 200) {
			const some = said.slice(at, at + 200);
			await Promise.all(some.map((text) => native.do({ type: "chat", text })));
		}
		await again();
		ann.log.length = 0;
		const { id } = ann;
		ann.once("connect", () => {
			if (!ann.recovered) ann.emit("room:join", { room, userName: "Ann" });
		});
		line.cut();
		line.mend();
		await hears(ann, said.at(-1));
		assert.equal(ann.recovered, false);
		assert.notEqual(ann.id, id);
		assert.deepEqual(ann.texts(), said.slice(-50));
	});

	it("twice, without an event between", async (t) => {
		const options = { dataDir: freshDir() };
		let server = await startServer(options);
		const room = freshRoom("twice");
		const native = await connect(t, server);
		const line = await Line.open(t, server);
		await native.join(room);
		const { ann } = await ticketOf(t, line, room, {
			transports: ["websocket"],
		});
		await native.do({ type: "chat", text: "seen" });
		await hears(ann, "seen");
		line.die();
		await native.do({ type: "chat", text: "missed" });
		for (let i = 0; i < 2; i++) {
			await server.kill();
			server = await startServer({ ...options, port: server.port });
		}
		t.after(() => server.stop());
		line.cut();
		line.mend();
		await hears(ann, "missed");
		assert.equal(ann.recovered, true);
		assert.deepEqual(ann.texts(), ["seen", "missed"]);
	});

	it("another's secret is refused, a used offset is not told twice", async (t) => {
		const { first, room, again } = await setup(t, "kill", 1);
		const { ann, pid, offset } = await ticketOf(t, first, room, {
			transports: ["websocket"],
		});
		ann.say("one");
		await hears(ann, "one");
		const { id } = ann;
		const late = offset();
		ann.io.reconnection(false);
		const server = await again();
		const forged = await byHand(server, {
			packet: claim(`${pid.slice(0, -4)}aaaa`, late),
		});
		assert.notEqual(sidOf(forged), id);
		for (let i = 0; i < 2; i++) {
			const socket = await byHand(server, { packet: claim(pid, late) });
			assert.equal(sidOf(socket), id);
			socket.send(
				`42${JSON.stringify(["room:join", { room, userName: "Ann" }])}`,
			);
			for (const wanted of ["room:join", "room:joined"]) {
				const packet = await socket.nextMessage();
				assert.equal(JSON.parse(packet.slice(2))[0], wanted, packet);
			}
			socket.close();
		}
		forged.close();
	});

	it("who comes anew into the full room has the place of who is away", async (t) => {
		const { first, room, again } = await setup(t, "kill", 1);
		const ann = await page(t, first, room, "Ann", {
			transports: ["websocket"],
		});
		const ben = await page(t, first, room, "Ben", {
			transports: ["websocket"],
		});
		await heardOf(ann, ben);
		ben.say("kept");
		await hears(ann, "kept");
		ann.io.reconnection(false);
		const back = heard(ben, "connect");
		const server = await again();
		await back;
		const left = heard(ben, "user:left");
		const reloaded = await page(t, server, room, "Ann", {
			transports: ["websocket"],
		});
		assert.equal(reloaded.saw("room:full"), 0);
		assert.equal((await left)[0].userName, "Ann");
		await heardOf(ben, reloaded);
		await metricIs(server, "members", (n) => n === 2);
	});

	it("nobody comes back where recovery is off now", async (t) => {
		const options = { dataDir: freshDir() };
		const first = await startServer(options);
		const room = freshRoom("off");
		const { ann, pid, offset } = await ticketOf(t, first, room, {});
		ann.say("kept");
		await hears(ann, "kept");
		ann.close();
		await first.kill();
		const args = ["--socketio.recovery=false"];
		const server = await serverFor(t, { ...options, args });
		const socket = await byHand(server, { packet: claim(pid, offset()) });
		assert.deepEqual(Object.keys(JSON.parse(socket.connected.slice(2))), [
			"sid",
		]);
		socket.close();
	});
});

it("who is away is no member of the metric", async (t) => {
	const server = await serverFor(t);
	const room = freshRoom("metric");
	const line = await Line.open(t, server);
	await page(t, line, room, "Ann");
	await page(t, server, room, "Ben");
	await metricIs(server, "members", (n) => n === 2);
	line.cut();
	await metricIs(server, "members", (n) => n === 1);
	line.mend();
	await metricIs(server, "members", (n) => n === 2);
});
