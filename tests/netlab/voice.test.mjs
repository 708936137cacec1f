// Two people between whom no media gets through: their voices go through the server, until it does.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { callOf, Guest, launchBrowser } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { startServer } from "../lib/server.mjs";
import { Lab, SERVER } from "./lab.mjs";

/** A browser without WebCodecs. */
function withoutCodecs() {
	delete window.AudioEncoder;
	delete window.AudioDecoder;
}

describe("a call without a path for media", () => {
	let lab;
	let server;
	let near;
	const browsers = [];
	before(async () => {
		lab = await Lab.open();
		// TURN over TCP would be a path.
		const args = ["--turn.enabled=false"];
		server = await startServer({ ...lab.serverOptions, grace: "30s", workers: 2, args });
		near = await lab.site();
		for (const site of [near, await lab.site()]) {
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

	function twoOf(t, hint, options) {
		const origin = `https://${SERVER}:${server.port}`;
		return callOf(t, browsers, server, freshRoom(hint), ["Ann", "Bob"], { origin, ...options });
	}

	const link = (guest, other) => guest.tile(other.name).getAttribute("data-link");

	it("has voices from the start, and pictures when the way is free", async (t) => {
		near.block("udp");
		const [ann, bob] = await twoOf(t, "blocked");
		await Promise.all([ann.hearsRelayed(bob), bob.hearsRelayed(ann)]);
		assert.deepEqual([await link(ann, bob), await link(bob, ann)], ["relayed", "relayed"]);
		assert.equal(await ann.find("status").getAttribute("data-tone"), "live");
		assert.equal(await ann.find("voice").count(), 1, "one hears the other, never oneself");
		await ann.shot("relayed");
		await ann.press("mute-button");
		await bob.tile("Ann").getByTestId("tile-muted").waitFor();
		await ann.press("mute-button");
		await Promise.all([ann.hearsRelayed(bob), bob.hearsRelayed(ann)]);
		near.unblock("udp");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await Promise.all([ann, bob].map((guest) => guest.seesNo("tile-relayed")));
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("goes over to the server when the path is lost, and back", async (t) => {
		const [ann, bob] = await twoOf(t, "lost");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		near.block("udp");
		await Promise.all([ann.hearsRelayed(bob), bob.hearsRelayed(ann)]);
		near.unblock("udp");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await Promise.all([ann, bob].map((guest) => guest.seesNo("tile-relayed")));
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("is heard by and from browsers without WebCodecs", async (t) => {
		near.block("udp");
		const [ann, bob] = await twoOf(t, "pcm", { init: withoutCodecs });
		const path = `/r/${await ann.find("room-title").textContent()}`;
		const origin = `https://${SERVER}:${server.port}`;
		await Promise.all([ann.hearsRelayed(bob), bob.hearsRelayed(ann)]);
		const cem = await Guest.open(t, browsers[1], server, path, "Cem", { origin });
		await cem.join();
		await Promise.all([ann.hearsRelayed(cem), cem.hearsRelayed(ann), bob.hearsRelayed(ann)]);
		await Promise.all([ann, bob, cem].map((guest) => guest.press("leave-button")));
	});

	it("goes on with the session when one has lost the server", async (t) => {
		near.block("udp");
		const [ann, bob] = await twoOf(t, "resumed");
		await Promise.all([ann.hearsRelayed(bob), bob.hearsRelayed(ann)]);
		await ann.page.evaluate(() => window.parleyDebug.dropConnection());
		await ann.page.waitForFunction(() => window.parleyDebug.roomState !== "in");
		await ann.page.waitForFunction(() => window.parleyDebug.roomState === "in");
		await Promise.all([ann.hearsRelayed(bob), bob.hearsRelayed(ann)]);
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});
});
