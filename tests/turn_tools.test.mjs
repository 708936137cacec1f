// Another implementation's clients against ours: coturn's turnutils_stunclient and turnutils_uclient (Debian's
// package coturn), over UDP, TCP, TLS and DTLS.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { iceCredential } from "./lib/ice.mjs";
import { metrics } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";
import { echoPeer } from "./lib/turn.mjs";

const execute = promisify(execFile);
const COUNT = 5;

async function tool(name, ...args) {
	const { stdout } = await execute(name, args, {
		timeout: 180_000,
		maxBuffer: 1 << 24,
	});
	return stdout;
}

/** Clients that send messages through their relays, each other with -y: {sent, received, lost, out: what the tool says}. */
async function relayed(server, user, password, ...options) {
	const out = await tool(
		"turnutils_uclient",
		...["-p", String(server.port), "-u", user, "-w", password],
		...["-n", String(COUNT), "-m", "1", ...options, "127.0.0.1"],
	);
	const totals = out.match(
		/tot_send_msgs=(\d+), tot_recv_msgs=(\d+)\s[\s\S]*Total lost packets (\d+)/,
	);
	assert.ok(totals, out);
	const [sent, received, lost] = totals.slice(1).map(Number);
	return { sent, received, lost, out };
}

// Most of what they do is waiting: they begin some time within five seconds.
describe("coturn's clients", { concurrency: 6 }, () => {
	let server;
	before(async () => {
		server = await startServer({
			workers: 2,
			args: ["--turn.user", "bench:bench", "--turn.allow-peer", "127.0.0.0/8"],
		});
	});
	after(() => server.stop());

	it("learn their address", async () => {
		const out = await tool("turnutils_stunclient", "-p", String(server.port), "127.0.0.1");
		assert.match(out, /UDP reflexive addr: 127\.0\.0\.1:\d+/);
	});

	const ways = {
		UDP: [],
		"UDP, by indications": ["-s"],
		"UDP, without fragments": ["-g"],
		TCP: ["-t"],
		"TCP, by indications": ["-t", "-s"],
		DTLS: ["-S"],
		"TCP to the peer (RFC 6062)": ["-t", "-T"],
	};
	for (const [name, options] of Object.entries(ways)) {
		it(`relay by ${name}`, async () => {
			const done = await relayed(server, "bench", "bench", "-y", ...options);
			assert.ok(done.sent >= COUNT, done.out);
			assert.deepEqual([done.received, done.lost], [done.sent, 0], done.out);
		});
	}

	// Of the three TLS versions that this client tries in turn we take one; it counts what it would have sent over
	// the other two as lost, with whatever server.
	it("relay by TLS", async () => {
		const { received } = await relayed(server, "bench", "bench", "-y", "-t", "-S");
		assert.ok(received >= COUNT);
	});

	// With -M they go on from another socket after their Allocate, sometimes with the old one closed before. They
	// talk to a peer that does not move: who has sent nothing from the new address is still sought at the old one.
	for (const [name, options] of Object.entries({ UDP: [], TCP: ["-t"] })) {
		it(`relay by ${name} on the move (RFC 8016)`, async (t) => {
			const peer = await echoPeer(t);
			const way = ["-M", "-c", "-e", peer.address, "-r", String(peer.port), ...options];
			for (let i = 0; i < 3; i++) {
				const { sent, received } = await relayed(server, "bench", "bench", ...way);
				assert.equal(sent, COUNT);
				assert.equal(received, sent);
			}
			assert.ok((await metrics(server)).get("turn_moves_total") >= 3);
		});
	}

	it("relay with a credential that expires", async () => {
		const { username, credential } = await iceCredential(server);
		const { sent, received } = await relayed(server, username, credential, "-y");
		assert.ok(sent >= COUNT);
		assert.equal(received, sent);
	});
});
