// Two browsers between which no packet goes directly: each behind a router that gives every destination another port
// (a symmetric NAT), or without UDP at all. The server's own relay carries the call.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { callOf, launchBrowser } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { startServer } from "../lib/server.mjs";
import { Lab, SERVER } from "./lab.mjs";

/** Runs in the page: how each connection goes, such as ["relay udp"]: over our relay, or over theirs. */
async function routes() {
	const found = [];
	for (const { pc } of window.parleyDebug.peers) {
		const stats = [...(await pc.getStats()).values()];
		const selected = stats.find((s) => s.selectedCandidatePairId)?.selectedCandidatePairId;
		const pair = stats.find(({ id }) => id === selected);
		const local = stats.find(({ id }) => id === pair?.localCandidateId);
		const remote = stats.find(({ id }) => id === pair?.remoteCandidateId);
		const relay = remote?.candidateType === "relay" ? "relay" : local?.candidateType;
		found.push(`${relay} ${local?.relayProtocol ?? local?.protocol}`);
	}
	return found;
}

describe("a call through the relay", () => {
	let lab;
	let server;
	let near;
	const browsers = [];
	before(async () => {
		lab = await Lab.open();
		server = await startServer({ ...lab.serverOptions, grace: "30s", workers: 2 });
		near = await lab.site({ nat: "symmetric" });
		for (const site of [near, await lab.site({ nat: "symmetric" })]) {
			browsers.push(await launchBrowser({ within: (program) => site.program(program) }));
		}
	});
	afterEach(() => near.unblock("udp"));
	after(async () => {
		for (const browser of browsers) {
			await browser.close();
		}
		await server?.stop();
		await lab?.close();
	});

	function twoOf(t, hint) {
		const origin = `https://${SERVER}:${server.port}`;
		return callOf(t, browsers, server, freshRoom(hint), ["Ann", "Bob"], { origin });
	}

	it("connects two behind symmetric NATs", async (t) => {
		const [ann, bob] = await twoOf(t, "symmetric");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		const ways = [...(await ann.page.evaluate(routes)), ...(await bob.page.evaluate(routes))];
		assert.deepEqual(ways, ["relay udp", "relay udp"]);
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("goes by TCP for who has no UDP", async (t) => {
		near.block("udp");
		const [ann, bob] = await twoOf(t, "no-udp");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		assert.deepEqual(await ann.page.evaluate(routes), ["relay tcp"]);
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});
});
