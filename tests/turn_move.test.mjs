// RFC 8016: a client takes its relay along to another address, transport and worker.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { ARGS, ATTR, echoPeer, METHOD, relayFor, turnFor, USER } from "./lib/turn.mjs";

// Without the server's own relays, which would count.
const ALONE = [...ARGS, "--turn.self-check=false"];
const TICKET = [[ATTR.mobilityTicket, Buffer.alloc(0)]];

/** Another socket of the same client, which has taken the relay over. */
async function movedTo(t, server, transport, from) {
	const client = await turnFor(t, server, {
		transport,
		username: from.username,
		credential: from.credential,
	});
	const answer = await client.takeOver(from);
	assert.equal(answer.code, 0, answer.reason);
	return client;
}

describe("a client that moves", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ALONE });
	});
	after(() => server.stop());

	it("takes its relay along, whatever the transport and the worker", async (t) => {
		const peer = await echoPeer(t);
		let ann = await relayFor(t, server, USER, TICKET);
		const { relay } = ann;
		assert.equal((await ann.bind(0x4001, peer)).code, 0);
		// The kernel picks the worker: on, until each transport has met the other one.
		let moves = 0;
		for (const transport of ["udp", "tcp", "tls", "dtls"]) {
			do {
				const next = await movedTo(t, server, transport, ann);
				const text = `${transport} ${++moves}`;
				next.sendChannel(0x4001, text);
				assert.equal((await next.gets(text)).channel, 0x4001);
				assert.equal((await next.permit(peer)).code, 0);
				ann = next;
			} while ((await metrics(server)).get("turn_guests") === 0);
			do {
				ann = await movedTo(t, server, transport, ann);
				ann.sendChannel(0x4001, `back ${++moves}`);
				await ann.gets(`back ${moves}`);
			} while ((await metrics(server)).get("turn_guests") !== 0);
		}
		assert.deepEqual(ann.relay, relay);
		assert.equal((await metrics(server)).get("turn_allocations"), 1);
		assert.equal((await metrics(server)).get("turn_moves_total"), moves);
		assert.equal((await ann.refresh(0)).code, 0);
		await metricIs(server, "turn_allocations", 0);
	});

	it("is reached at the old address until it sends from the new one", async (t) => {
		const peer = await echoPeer(t);
		const old = await relayFor(t, server, USER, TICKET);
		assert.equal((await old.permit(peer)).code, 0);
		const ann = await movedTo(t, server, "udp", old);
		old.send(peer, "by the old way");
		await old.gets("by the old way");
		ann.send(peer, "by the new way");
		await ann.gets("by the new way");
		assert.equal((await old.refresh(600)).code, 437);
		assert.ok(await ann.lives());
		assert.equal((await ann.refresh(0)).code, 0);
	});

	it("finds the relay again when its connection broke, at whichever worker that was", async (t) => {
		const peer = await echoPeer(t);
		let ann = await relayFor(t, server, { transport: "tcp", ...USER }, TICKET);
		assert.equal((await ann.permit(peer)).code, 0);
		for (let i = 0; i < 9; i++) {
			ann.close();
			await metricIs(server, "turn_guests", 0);
			ann = await movedTo(t, server, ["tls", "tcp", "dtls"][i % 3], ann);
			ann.send(peer, `again ${i}`);
			await ann.gets(`again ${i}`);
		}
		assert.equal((await metrics(server)).get("turn_allocations"), 1);
		assert.equal((await ann.refresh(0)).code, 0);
	});

	it("is refused with a ticket that is spent, or no ticket", async (t) => {
		const old = await relayFor(t, server, USER, TICKET);
		const spent = old.ticket;
		const ann = await movedTo(t, server, "udp", old);
		const late = await turnFor(t, server, { transport: "tcp", ...USER });
		const show = async (ticket) =>
			(await late.request(METHOD.refresh, [[ATTR.mobilityTicket, ticket]])).code;
		assert.equal(await show(spent), 437);
		assert.equal(await show(Buffer.alloc(29, 1)), 400);
		assert.equal(await show(Buffer.alloc(0)), 400);
		assert.equal(await show(ann.ticket), 0);
		assert.equal((await late.refresh(0)).code, 0);
		// Turned away, it is nobody's guest: an allocation of its own is here.
		await metricIs(server, "turn_guests", 0);
		assert.equal((await late.allocate()).code, 0);
		await late.refresh(0);
	});

	it("loses the relay when it is kicked, also as a guest", async (t) => {
		const [host, bob] = [await connect(t, server), await connect(t, server)];
		const room = freshRoom();
		await host.join(room);
		await bob.join(room);
		const { username, credential } = bob.hello.iceServers.find((s) => s.credential);
		for (let i = 0; i < 4; i++) {
			const old = await relayFor(t, server, { username, credential }, TICKET);
			await movedTo(t, server, "udp", old);
		}
		await host.do({ type: "kick", member: bob.id });
		await metricIs(server, "turn_allocations", 0);
		await metricIs(server, "turn_guests", 0);
	});
});

describe("turn.mobility=false", () => {
	it("is told by 405", async (t) => {
		const server = await serverFor(t, { args: [...ALONE, "--turn.mobility=false"] });
		const ann = await turnFor(t, server, USER);
		assert.equal((await ann.allocate(TICKET)).code, 405);
		assert.equal((await ann.allocate()).code, 0);
		const answer = await ann.request(METHOD.refresh, [[ATTR.mobilityTicket, Buffer.alloc(29)]]);
		assert.equal(answer.code, 405);
		assert.ok(await ann.lives());
	});
});
