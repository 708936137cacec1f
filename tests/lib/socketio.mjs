// Socket.IO: servers with a table of the test's own, stock clients of three generations, and packets by hand.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { socketIo } from "./deps.mjs";
import { Socket } from "./engineio.mjs";
import { freshDir, startServer } from "./server.mjs";
import { DEADLINE, within } from "./wait.mjs";

/** What the public conformance suite of the protocol asks of the server under test. */
export const CONFORMANCE = `
dialect  duo
speaks   socketio
route    socketio /
route    socketio /custom

on connect
    send auth $1
on message
    send message-back $args
on message-with-ack
    ack $args
`;

/** A server with that dialect in its data directory; the caller stops it. */
export async function startWithDialect(name, text, options = {}) {
	const dataDir = freshDir();
	mkdirSync(join(dataDir, "dialects"));
	writeFileSync(join(dataDir, "dialects", `${name}.dialect`), text);
	const server = await startServer({ ...options, dataDir });
	const stop = server.stop.bind(server);
	server.stop = async () => {
		await stop();
		rmSync(dataDir, { recursive: true, force: true });
	};
	return server;
}

export const VERSIONS = Object.keys(socketIo).map(Number);
export const TRANSPORTS = [["websocket"], ["polling"], ["polling", "websocket"]];

/** The next event of that name: its arguments. */
export function heard(socket, name, ms = DEADLINE) {
	const event = new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
	return within(event, `${name} at ${socket.id}`, ms);
}

/**
 * A stock client, connected; closed with the test. Rejects with what it is told when it is refused.
 * `listen(socket)`: before it connects, for what it is greeted with.
 */
export async function stock(
	t,
	server,
	{ version = 4, namespace = "/", listen = () => {}, ...options } = {},
) {
	const socket = socketIo[version](`${server.http}${namespace}`, {
		forceNew: true,
		reconnection: false,
		...options,
	});
	t.after(() => socket.close());
	listen(socket);
	const connected = new Promise((resolve, reject) => {
		socket.once("connect", resolve);
		socket.once("connect_error", reject);
	});
	await within(connected, `a socket of version ${version}`);
	return socket;
}

/** A client by hand over a WebSocket, connected to the main namespace. */
export async function byHand(server, { packet = "40", skip = 0, ...options } = {}) {
	const socket = await Socket.open(server, { path: "/socket.io/", ...options });
	socket.send(packet);
	socket.connected = await socket.nextMessage();
	for (let i = 0; i < skip; i++) {
		await socket.nextMessage();
	}
	return socket;
}
