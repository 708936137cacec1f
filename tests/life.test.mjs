// Starting, sharing a machine, and stopping.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import net from "node:net";
import { describe, it } from "node:test";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { get } from "./lib/http.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { RawWebSocket } from "./lib/rawws.mjs";
import { freshDir, runParley, serverFor, startServer } from "./lib/server.mjs";
import { within } from "./lib/wait.mjs";

function dirFor(t) {
	const dir = freshDir();
	t.after(() => rmSync(dir, { recursive: true, force: true }));
	return dir;
}

describe("a start", () => {
	it("says in one line of JSON where the page is", async (t) => {
		const server = await serverFor(t);
		const { urls } = server.readyLine;
		assert.deepEqual(urls, [`http://127.0.0.1:${server.port}`]);
		assert.equal((await get(server, "/")).status, 200);
	});

	it("prints a link to a fresh room for people", async (t) => {
		const server = await serverFor(t);
		const link = await server.printed(/http:\/\/127\.0\.0\.1:\d+(\/r\/[a-z]+-[a-z]+)/);
		assert.equal((await get(server, link[1])).status, 200);
	});

	it("listens where --listen says, also on IPv6", async (t) => {
		const server = await serverFor(t, { listen: "[::1]:0" });
		const answer = await get(server, "/livez", {}, { host: "::1" });
		assert.equal(answer.status, 200);
		await assert.rejects(get(server, "/livez"), /ECONNREFUSED/);
	});

	it("is refused on a data directory that another server uses, which goes on", async (t) => {
		const dataDir = dirFor(t);
		const first = await serverFor(t, { dataDir });
		const args = ["--listen", "127.0.0.1:0", "--data-dir", dataDir];
		const { code, stderr, stdout } = await runParley(args);
		assert.notEqual(code, 0);
		assert.equal(stdout, "");
		assert.ok(stderr.includes(dataDir), stderr);
		assert.match(stderr, /in use|another|already/i);
		assert.equal((await get(first, "/readyz")).status, 200);
	});

	it("is refused on a port that another server uses, which goes on", async (t) => {
		const first = await serverFor(t);
		const args = ["--listen", `127.0.0.1:${first.port}`, "--data-dir", dirFor(t)];
		const { code, stderr } = await runParley(args);
		assert.notEqual(code, 0);
		assert.ok(stderr.includes(String(first.port)), stderr);
		assert.match(stderr, /in use|already/i);
		for (let i = 0; i < 8; i++) {
			assert.equal((await get(first, "/readyz")).status, 200);
		}
	});

	it("is refused on a port that another program uses", async (t) => {
		const other = net.createServer().listen(0, "127.0.0.1");
		t.after(() => other.close());
		await new Promise((resolve) => other.once("listening", resolve));
		const { port } = other.address();
		const args = ["--listen", `127.0.0.1:${port}`, "--data-dir", dirFor(t)];
		const { code, stderr } = await runParley(args);
		assert.notEqual(code, 0);
		assert.ok(stderr.includes(String(port)), stderr);
	});

	it("is refused for a data directory that cannot be made", async () => {
		const args = ["--listen", "127.0.0.1:0", "--data-dir", "/proc/nowhere"];
		const { code, stderr } = await runParley(args);
		assert.notEqual(code, 0);
		assert.match(stderr, /\/proc\/nowhere/);
	});

	it("is refused for an address that is none, or not ours", async (t) => {
		for (const where of ["nonsense", "127.0.0.1:99999", "203.0.113.1:0"]) {
			const { code, stderr } = await runParley(["--listen", where, "--data-dir", dirFor(t)]);
			assert.notEqual(code, 0);
			assert.ok(stderr.includes(where.split(":")[0]), stderr);
		}
	});

	it("after a kill finds its data directory free", async (t) => {
		const dataDir = dirFor(t);
		const first = await startServer({ dataDir });
		await first.kill();
		await serverFor(t, { dataDir, port: first.port });
	});
});

describe("the log", () => {
	it("is one JSON object per line with --log.format=json", async (t) => {
		const server = await startServer({ args: ["--log.format=json", "--log-level=debug"] });
		await roomOf(t, server, ["Ann", "Bob"]);
		await server.stop();
		const lines = server.stderr.trimEnd().split("\n");
		assert.ok(lines.length >= 3, server.stderr);
		for (const line of lines) {
			const entry = JSON.parse(line);
			assert.ok(entry.level && entry.module && entry.event, line);
		}
	});

	it("holds nothing of what people say", async (t) => {
		const server = await startServer({ args: ["--log-level=debug"] });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		await ann.do({ type: "chat", text: "the-secret-word" });
		await ann.do({ type: "signal", data: "the-secret-word" });
		await bob.next("signal");
		ann.raw('{"type":"chat","text":"the-secret-word"');
		await ann.next("error");
		await server.stop();
		assert.ok(!server.stderr.includes("the-secret-word"));
	});
});

describe("an end", () => {
	for (const signal of ["SIGTERM", "SIGINT"]) {
		it(`by ${signal} tells clients with drain, closes them with 1001, and exits with 0`, async (t) => {
			const server = await startServer({ workers: 2 });
			const clients = [];
			for (let i = 0; i < 6; i++) {
				const client = await connect(t, server);
				await client.join(freshRoom());
				clients.push(client);
			}
			server.signal(signal);
			for (const client of clients) {
				const drain = await client.next("drain");
				assert.ok(drain.retryAfter >= 0);
				assert.equal((await client.ended()).code, 1001);
			}
			await server.stop();
		});
	}

	it("closes an echo with 1001 as well, and waits for it no longer than need be", async (t) => {
		const server = await startServer({ args: ["--debug.echo=true", "--server.drain=60s"] });
		const echo = await RawWebSocket.connect(server, "/v1/echo");
		t.after(() => echo.close());
		server.signal("SIGTERM");
		assert.equal((await echo.closed()).code, 1001);
		echo.close();
		await server.stop();
	});

	it("says 503 draining on /readyz, and 200 on /livez, while it lasts", async (t) => {
		const server = await startServer({ args: ["--server.drain=60s"] });
		const ann = await connect(t, server, { autoPong: false });
		const asking = [];
		for (const path of ["/readyz", "/livez"]) {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n`);
			asking.push(raw);
		}
		// Both heads have begun when the server has answered something that came later.
		await metricIs(server, "connections", (count) => count >= 3);
		server.signal("SIGTERM");
		await ann.next("drain");
		const [ready, live] = asking;
		ready.write("\r\n");
		const answer = await ready.response();
		assert.equal(answer.status, 503);
		assert.equal(answer.body.toString().trim(), "draining");
		live.write("\r\n");
		assert.equal((await live.response()).status, 200);
		await ann.ended();
		await server.stop();
	});

	it("takes no new connections, and closes idle ones", async (t) => {
		const server = await startServer();
		const idle = await RawSocket.connect(server);
		t.after(() => idle.close());
		idle.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
		await idle.response();
		server.signal("SIGTERM");
		await idle.hungUp();
		await within(server.ended, "the end");
		await assert.rejects(get(server, "/livez"), /ECONNREFUSED/);
		await server.stop();
	});

	it("does not wait for idle connections of clients that do not look at them, as browsers do", async (t) => {
		const server = await startServer({ args: ["--server.drain=60s", "--net.linger=60s"] });
		const socket = net.connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
		const idle = new RawSocket(socket);
		t.after(() => idle.close());
		idle.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
		assert.equal((await idle.response()).status, 200);
		await server.stop();
	});

	it("cuts no answer that is on its way to a slow reader", async (t) => {
		const server = await startServer({ args: ["--server.drain=60s"] });
		const page = await get(server, "/");
		const [path] = page.text.match(/\/assets\/[^"]+\.js/);
		const whole = await get(server, path);
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n\r\n`;
		raw.socket.pause();
		raw.write(head);
		await metricIs(server, "http_requests_total", (count) => count >= 4);
		server.signal("SIGTERM");
		await server.logged(/draining/);
		raw.socket.resume();
		assert.deepEqual((await raw.response()).body, whole.body);
		await server.stop();
	});

	it("waits no longer than server.drain for those who do not answer", async (t) => {
		const server = await startServer({ args: ["--server.drain=500ms"] });
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.socket.pause();
		raw.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n");
		await connect(t, server);
		server.signal("SIGTERM");
		await server.stop();
	});

	it("comes while messages fly, without harm", async (t) => {
		const server = await startServer({ workers: 2, args: ["--limit.messages=0"] });
		const members = await roomOf(t, server, ["Ann", "Bob", "Cem", "Dora"]);
		for (let i = 0; i < 500; i++) {
			for (const member of members) {
				member.send({ type: "signal", data: "x".repeat(1000) });
			}
			if (i === 250) {
				server.signal("SIGTERM");
			}
		}
		for (const member of members) {
			assert.equal((await member.ended()).code, 1001);
		}
		await server.stop();
	});

	it("is no loss: after a restart on the same port clients come back", async (t) => {
		const dataDir = dirFor(t);
		const first = await startServer({ dataDir });
		await roomOf(t, first, ["Ann", "Bob"], { room: "again" });
		await first.stop();
		const second = await serverFor(t, { dataDir, port: first.port });
		await roomOf(t, second, ["Ann", "Bob"], { room: "again" });
	});
});
