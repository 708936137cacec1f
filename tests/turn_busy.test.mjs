// A relay that sends to one address again and again has a second socket on its port, connected to that address: nobody is
// to notice, whatever becomes of that address.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { after, before, describe, it } from "node:test";
import { startServer } from "./lib/server.mjs";
import { ATTR, METHOD, relayFor, USER } from "./lib/turn.mjs";
import { DEADLINE } from "./lib/wait.mjs";

const CHANNEL = 0x4001;

/** Sends back what it gets, by a port of its own, or by one that somebody had before. */
async function openPeer(t, address, port = 0) {
	const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
	socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
	await new Promise((done) => socket.bind(port, address, done));
	let open = true;
	const close = () => new Promise((done) => (open ? socket.close(done) : done()));
	socket.on("close", () => (open = false));
	t.after(close);
	return { address, port: socket.address().port, socket, close };
}

/** The sockets on the port of a relay. */
async function socketsOf({ address, port }) {
	const table = await readFile(isIPv6(address) ? "/proc/net/udp6" : "/proc/net/udp", "utf8");
	const ending = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
	return table.split("\n").filter((line) => line.trim().split(/\s+/)[1]?.endsWith(ending)).length;
}

/** A client whose relay has been busy with a peer for long enough. */
async function busyWith(t, server, address) {
	const family = [ATTR.requestedFamily, Buffer.from([isIPv6(address) ? 2 : 1, 0, 0, 0])];
	const ann = await relayFor(t, server, USER, [family]);
	const peer = await openPeer(t, address);
	assert.equal((await ann.bind(CHANNEL, peer)).code, 0);
	const end = Date.now() + DEADLINE;
	for (let n = 0; (await socketsOf(ann.relay)) < 2; n++) {
		assert.ok(Date.now() < end, `a second socket, after ${n} messages`);
		for (let i = 0; i < 40; i++) {
			await answered(ann, `${n}.${i}`);
		}
	}
	return { ann, peer };
}

async function answered(ann, text) {
	ann.sendChannel(CHANNEL, text);
	assert.equal((await ann.gets(text)).channel, CHANNEL);
}

describe("a busy relay", () => {
	let server;
	before(async () => {
		const places = ["127.0.0.1", "::1"].flatMap((at) => ["--turn.relay-address", at]);
		const open = ["127.0.0.0/8", "::1/128"].flatMap((range) => ["--turn.allow-peer", range]);
		server = await startServer({
			args: ["--turn.user", "ann:secret", ...places, ...open],
		});
	});
	after(() => server.stop());

	// Nobody else has ports of 127.0.0.2, as good as surely.
	for (const address of ["127.0.0.2", "::1"]) {
		it(`goes on with a peer that has another port now, as behind a NAT: ${address}`, async (t) => {
			const { ann, peer } = await busyWith(t, server, address);
			const moved = await openPeer(t, address);
			moved.socket.send("I moved", ann.relay.port, ann.relay.address);
			const { from } = await ann.gets("I moved");
			assert.deepEqual(from, { address, port: moved.port });
			for (let i = 0; i < 40; i++) {
				ann.send(moved, `there ${i}`);
				await ann.gets(`there ${i}`);
				await answered(ann, `here ${i}`); // the old one is there still
			}
			assert.equal(await socketsOf(ann.relay), 2);
			peer.socket.send("both of us", ann.relay.port, ann.relay.address);
			assert.equal((await ann.gets("both of us")).channel, CHANNEL);
		});

		it(`goes on with a peer that goes and comes back: ${address}`, async (t) => {
			const { ann, peer } = await busyWith(t, server, address);
			await peer.close();
			ann.sendChannel(CHANNEL, "anybody there?");
			const told = await ann.until(
				() => ann.messages.find((m) => m.method === METHOD.data),
				() => "what ICMP says",
			);
			assert.deepEqual(told.address("xorPeer"), { address, port: peer.port });
			for (let i = 0; i < 40; i++) {
				ann.sendChannel(CHANNEL, `nobody ${i}`);
			}
			assert.ok(await ann.lives());
			await openPeer(t, address, peer.port);
			for (let i = 0; i < 40; i++) {
				await answered(ann, `again ${i}`);
			}
		});

		it(`leaves no socket behind: ${address}`, async (t) => {
			const { ann } = await busyWith(t, server, address);
			assert.equal((await ann.refresh(0)).code, 0);
			assert.equal(await socketsOf(ann.relay), 0);
		});
	}
});
