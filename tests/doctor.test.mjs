// `parley doctor`: what it says of a server, and of what is wrong with one.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { makeAuthority } from "./lib/certificate.mjs";
import { examine, troubles } from "./lib/doctor.mjs";
import { proxyFor } from "./lib/proxy.mjs";
import { freshDir, runParley, serverFor } from "./lib/server.mjs";

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

	it("tells certificates that have ended or are for others from those that nobody trusts", async (t) => {
		const dir = freshDir();
		t.after(() => rmSync(dir, { recursive: true, force: true }));
		const certificate = async (name, days, trust) => {
			const { ca, cert, key } = makeAuthority(dir, name, { days });
			const server = await serverFor(t, { args: ["--tls.cert", cert, "--tls.key", key] });
			const url = `https://localhost:${server.port}`;
			const found = await examine(url, { env: trust ? { SSL_CERT_FILE: ca } : {} });
			// To relays by TLS a browser goes only if it trusts: that is the same finding.
			assert.equal(found["relay by TLS"]?.verdict, "pass", JSON.stringify(found));
			return found.certificate;
		};
		assert.match(
			(await certificate("localhost", 30, true)).measured,
			/^trusted, (29|30) days left$/,
		);
		const soon = await certificate("localhost", 5, true);
		assert.match(soon.cause, /^ends in [45] days$/);
		assert.match(soon.cure, /^renew it/);
		const ended = await certificate("localhost", -1, true);
		assert.match(ended.cause, /expired/);
		assert.match(ended.cure, /^renew it/);
		const other = await certificate("call.example.org", 30, true);
		assert.match(other.cause, /hostname mismatch/);
		assert.match(other.cure, /a host that the certificate names/);
		const unknown = await certificate("localhost", 30, false);
		assert.match(unknown.cause, /issuer/);
		assert.match(unknown.cure, /whole chain/);
	});

	it("names a proxy that lets no WebSocket through, while polling works", async (t) => {
		const server = await serverFor(t);
		const proxy = await proxyFor(t, server);
		const found = await examine(proxy);
		assert.equal(found.WebSocket.verdict, "fail");
		assert.match(found.WebSocket.cause, /^answered 4\d\d in place of 101$/);
		assert.match(found.WebSocket.cure, /a proxy in between must pass Upgrade/);
		assert.equal(found["long polling"].verdict, "pass");
	});

	it("names a clock that is wrong, and by how much", async (t) => {
		const server = await serverFor(t);
		for (const [ahead, words] of [
			[3600, /^the server's clock is 3[56]\d\d s ahead of this machine's$/],
			[-150, /^the server's clock is 1[0-9]\d s behind this machine's$/],
		]) {
			const found = await examine(await proxyFor(t, server, { ahead }));
			assert.equal(found.clock.verdict, "fail");
			assert.match(found.clock.cause, words);
			assert.match(found.clock.cure, /NTP/);
		}
	});

	it("tries the relays of others, by DTLS as well, and says why one refuses", async (t) => {
		const relay = await serverFor(t, { args: ["--turn.user", "ann:secret"] });
		const listed = (password) => [
			"--turn.enabled=false",
			"--ice.server",
			`turns:127.0.0.1:${relay.port}?transport=udp username=ann credential=${password}`,
		];
		const good = await serverFor(t, { args: listed("secret") });
		const found = await examine(good.http);
		assert.deepEqual(troubles(found), { NAT: "left out" });
		assert.match(found["relay by DTLS"].measured, /^127\.0\.0\.1:\d+ in \d+ ms, a message in/);
		const bad = await serverFor(t, { args: listed("wrong") });
		const refused = (await examine(bad.http))["relay by DTLS"];
		assert.equal(refused.cause, "refused: 401 Wrong User or Password");
		assert.match(refused.cure, /turn\.static-auth-secret/);
	});

	it("leaves out what it may not ask without a token", async (t) => {
		const args = ["--auth.key", "app:0123456789abcdef0123456789abcdef"];
		const server = await serverFor(t, { args });
		const found = await examine(server.http);
		assert.equal(found.WebSocket.verdict, "left out");
		assert.match(found.WebSocket.cause, /--token/);
		assert.equal(found.relay.verdict, "left out");
		const refused = await examine(server.http, { args: ["--token", "x.y.z"] });
		assert.deepEqual(troubles(refused), { WebSocket: "fail", relay: "fail" });
		assert.match(refused.relay.cause, /refuses that token/);
		const claims = ["--room", "a", "--identity", "ann"];
		const { stdout } = await runParley(["token", "create", ...args, ...claims]);
		const granted = await examine(server.http, { args: ["--token", stdout.trim()] });
		assert.deepEqual(troubles(granted), {});
	});

	it("says that there are no relays, and how there would be", async (t) => {
		const server = await serverFor(t, { args: ["--turn.enabled=false"] });
		const found = await examine(server.http);
		assert.deepEqual(troubles(found), { relay: "left out", NAT: "left out" });
		assert.match(found.relay.cause, /people behind different NATs/);
		assert.match(found.relay.cure, /turn\.enabled=true/);
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
		const ports = async (...args) => {
			const { stdout } = await runParley(["ports", ...args]);
			assert.doesNotMatch(stdout, /secret/);
			return stdout.split("\n").map((line) => line.trim().split(/ {2,}/).slice(0, 3).join(" "));
		};
		const head = "way protocol ports";
		const relays = (range = "49152-65535") => [`in UDP ${range}`, "out UDP all"];
		const loopback = "Listeners on loopback addresses are left out: nobody else reaches them.";
		const tables = {
			"": ["in TCP 8443", "in UDP 8443", ...relays()],
			"--listen 0.0.0.0:443 --listen [::]:443": ["in TCP 443", "in UDP 443", ...relays()],
			"--listen [::]:443 --listen 10.0.0.1:80": [
				...["in TCP 443", "in TCP 80", "in UDP 443", "in UDP 80"],
				...relays(),
			],
			"--turn.listen [::]:3478 --turn.tls-listen [::]:5349": [
				...["in TCP 8443", "in UDP 8443", "in TCP, UDP 3478", "in TCP, UDP 5349"],
				...relays(),
			],
			"--turn.port-range 50000-50010": ["in TCP 8443", "in UDP 8443", ...relays("50000-50010")],
			"--turn.enabled=false --turn.listen [::]:3478": ["in TCP 8443"],
			"--listen 127.0.0.1:80 --turn.listen [::]:3478": [
				"in TCP, UDP 3478",
				...relays(),
				"",
				loopback,
			],
			"--listen [::1]:80 --turn.enabled=false": ["", loopback],
			"--listen [::]:0 --turn.enabled=false": ["in TCP any"],
			"--webhook.url https://app.example.org/x --webhook.url http://10.0.0.2:81 --turn.enabled=false":
				[...["in TCP 8443", "out TCP 443", "out TCP 81"]],
			"--auth.jwks https://id.example.org:9443/keys --turn.enabled=false": [
				...["in TCP 8443", "out TCP 9443"],
			],
			"--store.url postgresql://u:secret@db.example.org/x --turn.enabled=false": [
				...["in TCP 8443", "out TCP 5432"],
			],
			"--store.url postgresql://u:secret@a:1,b/x --turn.enabled=false": [
				...["in TCP 8443", "out TCP 1", "out TCP 5432"],
			],
			"--store.url postgresql:///x?host=/run/postgresql --turn.enabled=false": ["in TCP 8443"],
			"--auth.jwks /etc/parley/keys.json --turn.enabled=false": ["in TCP 8443"],
		};
		for (const [args, wanted] of Object.entries(tables)) {
			const words = args.split(" ").filter(Boolean);
			assert.deepEqual(await ports(...words), [head, ...wanted, ""], args);
		}
	});

	it("tries the server's own relays, each by its transport, and gives them back", async (t) => {
		const server = await serverFor(t, { args: ["--turn.user-quota", "2"] });
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
