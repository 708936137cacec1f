// `parley doctor` in networks that let less and less through: it names what stands in the way, and nothing else.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeAuthority } from "../lib/certificate.mjs";
import { examine, troubles } from "../lib/doctor.mjs";
import { freshDir, serverFor, startServer } from "../lib/server.mjs";
import { Lab, SERVER } from "./lab.mjs";

const WAYS = ["address by UDP", "relay by UDP", "relay by TCP", "relay by TLS"];

describe("the doctor, behind a router", { concurrency: 5 }, () => {
	let lab;
	let server;
	let trusted;
	let certificate;
	const dir = freshDir();
	before(async () => {
		lab = await Lab.open();
		trusted = makeAuthority(dir, SERVER);
		certificate = ["--tls.cert", trusted.cert, "--tls.key", trusted.key];
		// Both are no public addresses, as which a relay does not take peers.
		const peers = ["--turn.allow-peer", "10.0.0.0/8", "--turn.allow-peer", "203.0.113.0/24"];
		server = await startServer({ ...lab.serverOptions, args: [...certificate, ...peers] });
	});
	after(async () => {
		await server?.stop();
		await lab?.close();
		rmSync(dir, { recursive: true, force: true });
	});

	/** What it finds from a new site with that router, of `at`. */
	async function from({ block, at = server, ...options }) {
		const site = await lab.site(options);
		if (block) {
			site.block(block, at.port);
		}
		const env = { SSL_CERT_FILE: trusted.ca };
		const url = `https://${SERVER}:${at.port}`;
		const found = await examine(url, { env, prefix: site.prefix });
		return { found, site };
	}

	it("finds all in order where nothing is in the way", async () => {
		const { found } = await from({});
		assert.deepEqual(troubles(found), {});
		assert.match(found.NAT.measured, /^none: others see this machine's own 10\.\d+\.0\.2:\d+$/);
		assert.match(found["relay ports"].measured, /^what is sent to 203\.0\.113\.10:\d+ arrives, in/);
		assert.match(found.certificate.measured, /^trusted, \d+ days left$/);
	});

	it("finds all in order behind a NAT that keeps ports", async () => {
		const { found, site } = await from({ nat: "keeps" });
		assert.deepEqual(troubles(found), {});
		assert.match(found.NAT.measured, /^one port for all: everybody sees /);
		assert.ok(found.NAT.measured.includes(`${site.outside}:`), found.NAT.measured);
	});

	it("names a symmetric NAT", async () => {
		const { found } = await from({ nat: "symmetric" });
		assert.deepEqual(troubles(found), { NAT: "fail" });
		assert.match(found.NAT.cause, /^symmetric: the server sees \S+:\d+, a relay \S+:\d+;/);
		assert.match(found.NAT.cure, /while a relay passes/);
	});

	it("names a network without UDP", async () => {
		const { found } = await from({ nat: "keeps", block: "udp" });
		const bad = { "address by UDP": "fail", "relay by UDP": "fail", NAT: "left out" };
		assert.deepEqual(troubles(found), bad);
		assert.match(found["relay by UDP"].cause, /^no answer at 203\.0\.113\.10, port \d+, by UDP$/);
		assert.match(found["relay by UDP"].cure, /firewall.*a relay by TCP or TLS is the way$/);
	});

	it("names a network that lets nothing but HTTPS through", async () => {
		const { found } = await from({ nat: "keeps", block: "butTls" });
		assert.deepEqual(
			WAYS.map((way) => [way, found[way].verdict]),
			WAYS.map((way) => [way, way === "relay by TLS" ? "pass" : "fail"]),
		);
		assert.equal(found.WebSocket.verdict, "pass");
		assert.match(found["relay by TCP"].cause, /by TCP$/);
	});

	it("names a family of addresses that leads nowhere", async (t) => {
		const hosts = join(dir, "hosts");
		writeFileSync(hosts, "127.0.0.1 call.test\n::1 call.test\n");
		const mount = `mount --bind ${hosts} /etc/hosts && exec "$@"`;
		const prefix = ["unshare", "--mount", "sh", "-c", mount, "sh"];
		const seen = async (listen) => {
			const { port } = await serverFor(t, { listen });
			return examine(`http://call.test:${port}`, { prefix });
		};
		const both = await seen("[::]:0");
		assert.match(both.TCP.measured, /^\[::1\]:\d+ in \d+ ms$/);
		assert.match(both.IPv4.measured, /^127\.0\.0\.1:\d+ in \d+ ms$/);
		const four = await seen("127.0.0.1:0");
		assert.match(four.TCP.measured, /^127\.0\.0\.1:/);
		assert.match(four.IPv6.cause, /^the name leads to ::1 as well, where/);
		assert.match(four.IPv6.cure, /out of DNS$/);
	});

	it("names what opens relays to a private network", async (t) => {
		const at = await serverFor(t, { ...lab.serverOptions, args: certificate });
		const { found } = await from({ at });
		// Relays pass, and people here see each other directly; but no relay reaches who has none.
		assert.deepEqual(troubles(found), { "relay ports": "left out" });
		const [, address] = /^relays take nothing from (10\.\d+\.0\.2):\d+, a private address;/.exec(
			found["relay ports"].cause,
		);
		assert.match(found["relay ports"].cure, new RegExp(`turn\\.allow-peer ${address}, or the range`));
		assert.match(found.NAT.measured, /^none: others see this machine's own/);
		const args = [...certificate, "--turn.allow-peer", "10.0.0.0/8"];
		const cured = await serverFor(t, { ...lab.serverOptions, args });
		assert.deepEqual(troubles((await from({ at: cured })).found), {});
	});

	it("names relays that are told at an address which only their own network knows", async (t) => {
		// As in a cloud, where the machine itself has but that one.
		const inside = ["--turn.relay-address", `10.99.0.1/${SERVER}`];
		const at = await serverFor(t, { ...lab.serverOptions, args: [...certificate, ...inside] });
		const { found } = await from({ nat: "keeps", at });
		assert.deepEqual(troubles(found), { "relay ports": "fail" });
		assert.match(found["relay ports"].cause, /^relays are at 10\.99\.0\.1:\d+, a private address, which/);
		assert.match(found["relay ports"].cure, /^turn\.relay-address 203\.0\.113\.10\/10\.99\.0\.1: /);
	});

	it("names closed relay ports", async () => {
		const { found } = await from({ nat: "keeps", block: "relays" });
		assert.deepEqual(troubles(found), { "relay ports": "fail" });
		assert.match(found["relay ports"].cause, /^nothing that is sent to 203\.0\.113\.10:\d+ by UDP/);
		assert.match(found["relay ports"].cure, /turn\.port-range.*turn\.relay-address/);
	});
});
