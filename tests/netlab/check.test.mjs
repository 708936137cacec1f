// The page /check in networks that let no UDP, or nothing but TLS, through.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { iceUrls } from "../lib/ice.mjs";
import { Couple } from "./couple.mjs";
import { SERVER } from "./lab.mjs";

describe("the page /check, behind a firewall", () => {
	let couple;
	before(async () => {
		const site = { nat: "keeps" };
		couple = await Couple.open({ near: site, far: site, trusted: true });
	});
	after(() => couple?.close());

	it("says which ways fail, and which are left", async (t) => {
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
	});
});
