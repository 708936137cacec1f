// A slow reader meets net.write-queue: it is closed with 1013, and the others never wait for it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { OP, RawWebSocket } from "./lib/rawws.mjs";
import { serverFor } from "./lib/server.mjs";

const DATA = "x".repeat(100_000);

/** A member that joins and then reads nothing more. */
async function sleeper(t, server, room, options = {}) {
	const ws = await RawWebSocket.connect(server, "/v1/connect", {
		protocol: "parley.v1",
		...options,
	});
	t.after(() => ws.close());
	await ws.expect(OP.text);
	ws.json({ type: "join", id: 1, room, name: "Sleeper" });
	const reply = JSON.parse((await ws.expect(OP.text)).payload);
	assert.ok(reply.ok);
	ws.raw.socket.pause();
	ws.id = reply.data.you.id;
	return ws;
}

for (const [what, workers, options] of [
	["", 1, {}],
	[" over TLS", 1, { tls: true }],
	[" on another worker", 2, {}],
]) {
	describe(`a slow reader${what}`, () => {
		it("is closed with 1013 at net.write-queue while the others go on", async (t) => {
			const server = await serverFor(t, {
				workers,
				args: ["--net.write-queue=256k", "--limit.messages=0"],
			});
			const room = freshRoom("slow");
			const ann = await connect(t, server);
			const bob = await connect(t, server);
			await ann.join(room);
			await bob.join(room);
			await ann.next("joined");
			const slow = [
				await sleeper(t, server, room, options),
				await sleeper(t, server, room, options),
			];
			for (const member of [ann, bob]) {
				await member.next("joined");
				await member.next("joined");
			}
			const dropped = async () => (await metrics(server)).get("write_queue_drops_total");
			while ((await dropped()) < slow.length) {
				for (let i = 0; i < 20; i++) {
					await ann.do({ type: "signal", data: DATA });
					await bob.next("signal", { from: ann.id });
				}
			}
			for (const ws of slow) {
				assert.equal(ws.raw.ended, false, "it has not read so far");
				ws.raw.socket.resume();
				assert.equal((await ws.closed()).code, 1013);
				await ann.next("left", { member: ws.id });
				await bob.next("left", { member: ws.id });
			}
			await metricIs(server, "write_queue_bytes", 0);
			await metricIs(server, "websockets", 2);
		});
	});
}

/** Ann, and a sleeper in her room: {server, ann, ws, fill}; fill(data) has data() said until a megabyte waits. */
async function queueFor(t) {
	const server = await serverFor(t, { args: ["--net.write-queue=16M", "--limit.messages=0"] });
	const room = freshRoom("queue");
	const ann = await connect(t, server);
	await ann.join(room);
	const ws = await sleeper(t, server, room);
	await ann.next("joined");
	const waits = async () => (await metrics(server)).get("write_queue_bytes") > 1_000_000;
	const fill = async (data) => {
		while (!(await waits())) {
			await ann.do({ type: "signal", data: data() });
		}
	};
	return { server, ann, ws, fill };
}

describe("a write queue", () => {
	it("is forgotten with its connection when that breaks", async (t) => {
		const { server, ann, ws, fill } = await queueFor(t);
		await fill(() => DATA);
		ws.close();
		await ann.next("left", { member: ws.id, reason: "disconnect" });
		await metricIs(server, "write_queue_bytes", 0);
		await metricIs(server, "write_queue_drops_total", 0);
	});

	it("is drained in order by a reader that wakes up in time", async (t) => {
		const { server, ann, ws, fill } = await queueFor(t);
		let sent = 0;
		await fill(() => `${sent++} ${DATA}`);
		ws.raw.socket.resume();
		for (let i = 0; i < sent; i++) {
			const { data } = JSON.parse((await ws.expect(OP.text)).payload);
			assert.ok(data.startsWith(`${i} `));
		}
		await metricIs(server, "write_queue_bytes", 0);
	});
});
