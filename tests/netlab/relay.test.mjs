// Two browsers between which no packet goes directly: each behind a router that gives every destination another port
// (a symmetric NAT), or without UDP at all. The server's own relay carries the call.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { callOf, launchBrowser } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { startServer } from "../lib/server.mjs";
import { Lab, SERVER } from "./lab.mjs";

/** Runs in the page: how our side of each connection goes out, such as ["relay udp"]. */
async function routes() {
	const found = [];
	for (const { pc } of window.parleyDebug.peers) {
		const stats = [...(await pc.getStats()).values()];
		const pair = stats.find(
			(s) => s.type === "candidate-pair" && s.nominated && s.state === "succeeded",
		);
		const local = stats.find(({ id }) => id === pair?.localCandidateId);
		found.push(`${local?.candidateType} ${local?.relayProtocol ?? local?.protocol}`);
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
		assert.ok(ways.includes("relay udp"), ways.join(", "));
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
