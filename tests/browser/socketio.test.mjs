// Stock Socket.IO clients of three generations in a real browser, on a page of another (loopback) origin, with
// credentials: over long polling, WebSocket and both; text, binary and acks; and a line that comes back.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { keepHouse } from "../lib/browser.mjs";
import { TRANSPORTS, VERSIONS } from "../lib/socketio.mjs";

const MODULES = fileURLToPath(new URL("../../web/node_modules/", import.meta.url));
const SCRIPTS = {
	4: "socket.io-client/dist/socket.io.js",
	3: "socket.io-client-3/dist/socket.io.js",
	2: "socket.io-client-2/dist/socket.io.js",
};
const ORIGIN = "http://localhost:5173"; // a development server's

/** Everything once, in the page: what came back. */
async function tryAll({ url, transports }) {
	const socket = io(url, { transports, withCredentials: true, forceNew: true });
	const heard = (name) => new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
	const bytesOf = (value) => [...new Uint8Array(value)];
	await heard("connect");
	const found = {};
	const back = heard("echo");
	socket.emit("echo", "h\u00e9\u20ac\u{1f3b8}", new Uint8Array([0, 127, 128, 255]).buffer);
	const [text, bytes] = await back;
	found.event = [text, bytesOf(bytes)];
	found.ack = await new Promise((resolve) =>
		socket.emit("echo", { deep: [new Uint8Array([1, 2]).buffer] }, ({ deep }) =>
			resolve(bytesOf(deep[0])),
		),
	);
	if (transports.length > 1 && socket.io.engine.transport.name === "polling") {
		await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
	}
	found.transport = socket.io.engine.transport.name;
	const { id } = socket;
	const again = heard("connect");
	socket.emit("room:join", { room: `page ${id}`, userName: "page" });
	await heard("room:joined");
	socket.io.engine.close(); // as when the network goes
	await again;
	found.same = socket.id === id;
	socket.close();
	return found;
}

describe("stock Socket.IO clients in Chromium", () => {
	const house = keepHouse({ args: ["--debug.echo=true"], workers: 2 });

	for (const version of VERSIONS) {
		for (const transports of TRANSPORTS) {
			it(`${version}.x over ${transports.join(" and ")}`, async () => {
				const page = await house.browser.newPage();
				await page.route(`${ORIGIN}/**`, (route) =>
					route.fulfill({ contentType: "text/html", body: "<!doctype html>" }),
				);
				await page.goto(`${ORIGIN}/`);
				await page.addScriptTag({ path: MODULES + SCRIPTS[version] });
				const found = await page.evaluate(tryAll, { url: house.server.http, transports });
				assert.deepEqual(found, {
					event: ["h\u00e9\u20ac\u{1f3b8}", [0, 127, 128, 255]],
					ack: [1, 2],
					transport: transports.at(-1),
					same: version === 4, // recovery came with 4.6
				});
				await page.close();
			});
		}
	}
});
