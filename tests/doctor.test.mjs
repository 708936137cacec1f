// `parley doctor`: what it says of a server, and of what is wrong with one.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { runParley, serverFor } from "./lib/server.mjs";

/** Its findings by name: {name: {verdict, measured or cause, cure}}; of a name told twice the last. */
async function examine(url, ...args) {
	const { code, stdout, stderr } = await runParley(["doctor", "--url", url, "--json", ...args]);
	assert.equal(stderr, "");
	const report = JSON.parse(stdout);
	assert.equal(code, report.failed > 0 ? 1 : 0);
	return Object.fromEntries(report.findings.map((finding) => [finding.check, finding]));
}

describe("the doctor", () => {
	it("finds a server in order, and says what was measured", async (t) => {
		const server = await serverFor(t);
		const found = await examine(server.http);
		for (const name of ["TCP", "HTTP", "clock", "WebSocket"]) {
			assert.equal(found[name]?.verdict, "pass", JSON.stringify(found[name]));
			assert.ok(found[name].measured);
		}
		assert.equal(found.TLS, undefined);
	});

	it("looks at TLS and the certificate", async (t) => {
		const server = await serverFor(t);
		const found = await examine(server.http.replace("http:", "https:"));
		assert.match(found.TLS.measured, /^TLSv1\.3 in \d+ ms$/);
		assert.equal(found.certificate.verdict, "fail");
		assert.match(found.certificate.cause, /self-signed/);
		assert.match(found.certificate.cure, /tls\.cert/);
		assert.equal(found.WebSocket.verdict, "pass");
	});

	it("examines the server of its settings when no URL is given", async (t) => {
		const server = await serverFor(t);
		const { stdout } = await runParley(["doctor", "--listen", `127.0.0.1:${server.port}`]);
		assert.match(stdout, new RegExp(`https://127\\.0\\.0\\.1:${server.port}`));
		assert.match(stdout, /pass +TLS/);
		assert.match(stdout, /\d+ passed, \d+ failed, \d+ left out/);
	});

	it("tells a port where nobody listens from a name that nobody has", async () => {
		const closed = createServer().listen(0, "127.0.0.1");
		await new Promise((resolve) => closed.once("listening", resolve));
		const { port } = closed.address();
		await new Promise((resolve) => closed.close(resolve));
		assert.match((await examine(`http://127.0.0.1:${port}`)).TCP.cause, /nothing listens/);
		const found = await examine("http://nobody.invalid");
		assert.match(found.TCP.cause, /nobody\.invalid has no address/);
		assert.match(found.TCP.cure, /DNS/);
	});

	it("tells plain HTTP behind an https address, and what is no Parley", async (t) => {
		const other = createServer((socket) =>
			socket.on("error", () => {}).end("HTTP/1.0 502 Bad Gateway\r\n\r\nupstream\n"),
		).listen(0, "127.0.0.1");
		t.after(() => other.close());
		await new Promise((resolve) => other.once("listening", resolve));
		const { port } = other.address();
		assert.match((await examine(`https://127.0.0.1:${port}`)).TLS.cause, /handshake failed/);
		const found = await examine(`http://127.0.0.1:${port}`);
		assert.match(found.HTTP.cause, /502/);
		assert.match(found.WebSocket.cause, /502 in place of 101/);
		assert.match(found.WebSocket.cure, /proxy/);
	});

	it("says which port of the handed out servers is silent", async (t) => {
		const server = await serverFor(t, {
			args: ["--turn.enabled=false", "--ice.server", "stun:127.0.0.1:1"],
		});
		const found = await examine(server.http);
		assert.equal(found["address by UDP"].verdict, "fail");
		assert.match(found["address by UDP"].cause, /port 1, by UDP/);
		assert.match(found["address by UDP"].cure, /firewall/);
	});

	it("refuses what is no URL", async () => {
		const { code, stderr } = await runParley(["doctor", "--url", "call.example.org"]);
		assert.equal(code, 2);
		assert.match(stderr, /no URL such as/);
	});

	it("prints the firewall's table of these very settings", async () => {
		const ports = async (...args) => (await runParley(["ports", ...args])).stdout;
		const all = await ports("--listen", "[::]:8443", "--turn.tls-listen", "[::]:5349");
		assert.match(all, /in +TCP +8443 +pages, API, WebSocket, TURN by TCP and TLS/);
		assert.match(all, /in +UDP +8443 +STUN, TURN/);
		assert.match(all, /in +TCP, UDP +5349 +TURN by TLS and DTLS/);
		assert.match(all, /in +UDP +49152-65535 +relays/);
		const plain = await ports("--listen", "[::]:80", "--turn.enabled=false");
		assert.doesNotMatch(plain, /UDP/);
		assert.match(await ports("--listen", "127.0.0.1:80"), /loopback addresses are left out/);
	});

	it("tries the server's own relays, each by its transport", async (t) => {
		const server = await serverFor(t);
		const found = await examine(server.http);
		for (const name of ["address by UDP", "relay by UDP", "relay by TCP"]) {
			assert.equal(found[name]?.verdict, "pass", JSON.stringify(found[name]));
		}
		assert.match(
			found["relay by UDP"].measured,
			/^127\.0\.0\.1:\d+ in \d+ ms, a message in \d+ ms$/,
		);
	});
});
