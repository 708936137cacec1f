// What a TURN server refuses over real sockets, by its code; and what it leaves when it stops.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { metrics } from "./lib/metrics.mjs";
import { freeUdpPorts, serverFor, startServer } from "./lib/server.mjs";
import { ATTR, echoPeer, METHOD, relayFor, turnFor, USER } from "./lib/turn.mjs";

const BEN = { username: "ben", credential: "hush" };
// Without the server's own relays, which would take ports and count.
const ARGS = ["--turn.user", "ann:secret", "--turn.user", "ben:hush", "--turn.self-check=false"];
const PUBLIC = { address: "192.0.2.7", port: 9 };

describe("a TURN client is refused", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ARGS });
	});
	after(() => server.stop());

	for (const transport of ["udp", "tcp", "tls"]) {
		it(`by the codes of RFC 8656, over ${transport}`, async (t) => {
			const ann = await turnFor(t, server, { transport, ...USER });
			assert.equal((await ann.refresh(600)).code, 437);
			assert.equal((await ann.permit(PUBLIC)).code, 437);
			assert.equal((await ann.bind(0x4000, PUBLIC)).code, 437);
			assert.equal((await ann.allocate([], 33)).code, 442);
			assert.equal(
				(await ann.allocate([[ATTR.requestedFamily, Buffer.from([3, 0, 0, 0])]])).code,
				440,
			);
			assert.equal((await ann.allocate([[0x7001, Buffer.alloc(4)]])).code, 420);
			assert.equal((await ann.allocate()).code, 0);
			assert.equal((await ann.allocate()).code, 437);
			for (const address of ["10.0.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1"]) {
				const code = address === "127.0.0.1" ? 0 : 403; // that is where our own relays are
				assert.equal((await ann.permit({ address, port: 9 })).code, code, address);
			}
			assert.equal((await ann.bind(0x3fff, PUBLIC)).code, 400);
			assert.equal((await ann.bind(0x4000, { ...PUBLIC, port: 0 })).code, 400);
			assert.equal((await ann.bind(0x4000, { address: "::1", port: 9 })).code, 443);
			Object.assign(ann, BEN);
			assert.equal((await ann.refresh(0)).code, 441);
			Object.assign(ann, USER);
			assert.equal((await ann.refresh(0)).code, 0);
		});
	}

	it("what it sends to our own address reaches relays and nothing else", async (t) => {
		const peer = await echoPeer(t);
		const ann = await relayFor(t, server, USER);
		const ben = await relayFor(t, server, BEN);
		for (const to of [peer, ben.relay]) {
			assert.equal((await ann.permit(to)).code, 0);
		}
		assert.equal((await ben.permit(ann.relay)).code, 0);
		const before = (await metrics(server)).get("turn_dropped_total");
		ann.send(peer, "to a socket of this machine");
		ann.send(ben.relay, "to a relay");
		await ben.gets("to a relay");
		assert.equal((await metrics(server)).get("turn_dropped_total"), before + 1);
		assert.deepEqual(ann.received, []);
	});

	it("by 300 where everybody is sent to another server, which is no failure of this one", async (t) => {
		const args = ["--turn.user", "ann:secret", "--turn.alternate-server", "127.0.0.1:3478"];
		const away = await serverFor(t, { args });
		for (const transport of ["udp", "tls"]) {
			const ann = await turnFor(t, away, { transport, ...USER });
			const answer = await ann.allocate();
			assert.equal(answer.code, 300);
			assert.equal(answer.value("alternateServer").toString("hex"), "00010d967f000001");
			assert.equal((await ann.exchange(METHOD.binding, [])).code, 0);
		}
		assert.equal(await (await fetch(`${away.http}/readyz`)).text(), "ready\n");
		assert.doesNotMatch(away.stderr, /check-failed/);
	});

	it("by 486 over a quota and by 508 without a port, and served when there is room", async (t) => {
		const first = await freeUdpPorts(3);
		const range = ["--turn.port-range", `${first}-${first + 2}`];
		const small = await serverFor(t, {
			workers: 2,
			args: [...ARGS, "--turn.user-quota", "2", ...range],
		});
		const clients = [];
		for (const user of [USER, USER, BEN]) {
			clients.push(await relayFor(t, small, user));
		}
		assert.equal((await (await turnFor(t, small, USER)).allocate()).code, 486);
		const late = await turnFor(t, small, BEN);
		assert.equal((await late.allocate()).code, 508);
		assert.equal((await metrics(small)).get("turn_quota_total"), 2);
		for (const client of clients) {
			assert.ok(await client.lives());
		}
		assert.equal((await clients[0].refresh(0)).code, 0);
		assert.equal((await late.allocate()).code, 0);
	});
});

describe("a server that stops", () => {
	for (const transport of ["tcp", "tls"]) {
		it(`hangs up on ${transport} clients: at once, or when their relay has ended`, async (t) => {
			const server = await serverFor(t, {
				workers: 2,
				args: [...ARGS, "--server.drain", "60s"],
			});
			const idle = [];
			const busy = [];
			for (let i = 0; i < 4; i++) {
				idle.push(await turnFor(t, server, { transport, ...USER }));
				assert.equal((await idle[i].exchange(METHOD.binding, [])).code, 0);
				busy.push(await relayFor(t, server, { transport, ...USER }));
			}
			server.signal("SIGTERM");
			await server.logged(/turn +drain allocations=\d/);
			for (const client of idle) {
				await client.until(
					() => client.closed,
					() => "the end of an idle connection",
				);
			}
			const late = await turnFor(t, server, USER);
			assert.equal((await late.allocate()).code, 508);
			for (const client of busy) {
				assert.ok(await client.lives());
			}
			for (const client of busy) {
				assert.equal((await client.refresh(0)).code, 0);
			}
			await server.stop();
		});
	}

	it("waits for relays no longer than server.drain, and says how many are left", async (t) => {
		const args = [...ARGS, "--server.drain", "300ms"];
		const server = await serverFor(t, { args });
		const ann = await relayFor(t, server, { transport: "tcp", ...USER });
		await server.stop(); // whose deadline is far before the relay's end
		assert.match(server.stderr, /turn +drain allocations=1/);
		assert.match(server.stderr, /main +stopped connections=1/);
		await ann.until(
			() => ann.closed,
			() => "the connection's end",
		);
	});
});
