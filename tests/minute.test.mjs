// What holds by the minute, in real time. Each test here waits for one: scripts/run-tests lets them run beside the others.
import assert from "node:assert/strict";
import { it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { iceCredential } from "./lib/ice.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { serverFor } from "./lib/server.mjs";
import { echoPeer, relayFor } from "./lib/turn.mjs";
import { pause } from "./lib/wait.mjs";

const MINUTE = 60_000;

it("a credential of 60 s: without a session its relay ends within 65 s, a call that began with it goes on", async (t) => {
	const server = await serverFor(t, {
		workers: 2,
		args: [
			...["--turn.credential-lifetime", "60s", "--turn.allow-peer", "127.0.0.0/8"],
			"--turn.self-check=false", // its relays would be counted
		],
	});
	const ann = await connect(t, server);
	await ann.join(freshRoom());
	const begin = Date.now();
	const { username, credential } = ann.hello.iceServers.find((s) => s.credential);
	const call = await relayFor(t, server, { username, credential });
	const alone = await relayFor(t, server, await iceCredential(server));
	const peer = await echoPeer(t);
	assert.equal((await call.permit(peer)).code, 0);
	assert.equal((await alone.permit(peer)).code, 0);
	await metricIs(server, "turn_allocations", 2);

	// Both ask for ten minutes, as clients do all the time; whose credential ends gets what is left of it.
	await pause(MINUTE / 2);
	assert.equal((await call.refresh(600)).value("lifetime").readUInt32BE(), 600);
	const left = (await alone.refresh(600)).value("lifetime").readUInt32BE();
	assert.ok(left > 0 && left <= 31, `${left} s left of a credential of a minute after half of it`);
	alone.send(peer, "at half-time");
	await alone.gets("at half-time");

	await pause(begin + MINUTE - 2000 - Date.now());
	await metricIs(server, "turn_allocations", 1);
	const after = Date.now() - begin;
	// It expires at a whole second.
	assert.ok(after >= MINUTE - 1000 && after <= 65_000, `it ended after ${after} ms`);
	alone.send(peer, "late");
	const again = await alone.allocate();
	assert.equal(again.code, 401);
	assert.equal(again.reason, "Credential Expired");

	call.send(peer, "after its credential");
	await call.gets("after its credential");
	assert.equal((await call.permit(peer)).code, 0);
	assert.ok(await call.lives());
	assert.deepEqual(alone.received.map(({ text }) => text), ["at half-time"]);
	await ann.close();
	await metricIs(server, "turn_allocations", 0);
});
