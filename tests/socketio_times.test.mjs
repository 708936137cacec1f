// The times that the handshake tells: from the options, from the table of "/", in milliseconds.
import assert from "node:assert/strict";
import { it } from "node:test";
import { serverFor } from "./lib/server.mjs";

async function handshake(t, ...args) {
	const server = await serverFor(t, { args });
	const answer = await fetch(`${server.http}/socket.io/?EIO=4&transport=polling`);
	const { pingInterval, pingTimeout, maxPayload } = JSON.parse((await answer.text()).slice(1));
	return { pingInterval, pingTimeout, maxPayload };
}

it("the handshake tells the defaults, and the duo table's patience", async (t) => {
	const told = await handshake(t);
	assert.deepEqual(told, { pingInterval: 25000, pingTimeout: 60000, maxPayload: 1000000 });
});

it("plain numbers of Socket.IO's times are milliseconds, and win over the table", async (t) => {
	const options = ["--socketio.ping-interval=300", "--socketio.ping-timeout=200"];
	const told = await handshake(t, ...options, "--socketio.max-payload=5000");
	assert.deepEqual(told, { pingInterval: 300, pingTimeout: 200, maxPayload: 5000 });
});
