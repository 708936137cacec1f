// The page /check in networks that let no UDP, or nothing but TLS, through.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { iceUrls } from "../lib/ice.mjs";
import { Couple } from "./couple.mjs";
import { SERVER } from "./lab.mjs";

describe("the page /check, behind a router", () => {
	let couple;
	before(async () => {
		couple = await Couple.open({ near: { nat: "symmetric" }, far: {}, trusted: true });
	});
	after(() => couple?.close());

	it("says what kind of NAT it is, if it is one", async (t) => {
		const [near, far] = (await couple.check(t)).map(({ found }) => found.nat);
		assert.equal(near.state, "fail", near.text);
		const ports = /symmetric.*as 203\.0\.113\.1:(\d+), a relay at (?:another port|port (\d+))\./s;
		const [, seen, heard] = ports.exec(near.text) ?? assert.fail(near.text);
		assert.notEqual(seen, heard);
		assert.match(near.text, /Nothing, while a relay works.*IPv6/);
		assert.equal(far.state, "pass", far.text);
		assert.match(far.text, /none: others see your own address/);
		couple.near.nat = "keeps";
		couple.far.nat = "keeps";
		for (const { found } of await couple.check(t)) {
			assert.equal(found.nat.state, "pass", found.nat.text);
			assert.match(found.nat.text, /one port for all: everybody sees you as 203\.0\.113\.[12]:\d+/);
		}
	});

	it("says which ways fail for who is behind a firewall, and which are left", async (t) => {
		const { port } = couple.server;
		couple.near.block("udp");
		couple.far.block("butTls", port);
		const ways = iceUrls(`${SERVER}:${port}`, { tls: true });
		const found = await couple.check(t);
		const verdicts = found.map((one) => ways.map((way) => one.found[way].state));
		assert.deepEqual(verdicts, [
			["fail", "fail", "pass", "pass"],
			["fail", "fail", "fail", "pass"],
		]);
		const [near, far] = found.map((one) => one.found);
		assert.match(near[ways[0]].text, /No answer came by UDP.*through the relay by TCP/s);
		const silent = (by) => `Nothing answers at ${SERVER}, port ${port}, by ${by}.`;
		assert.ok(near[ways[1]].text.includes(silent("UDP")), near[ways[1]].text);
		assert.ok(far[ways[2]].text.includes(silent("TCP")), far[ways[2]].text);
		assert.match(far.websocket.text, /hello in/);
		assert.equal(near.nat.state, "left-out");
	});
});
