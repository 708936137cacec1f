// A call in two browsers, each behind a router of its own, while the network of one fails.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { callOf, countLeaves, launchBrowser, leaves } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { startServer } from "../lib/server.mjs";
import { Lab, SERVER } from "./lab.mjs";

describe("a call over a network that fails", () => {
	let lab;
	let server;
	let near;
	let far;
	const browsers = [];
	before(async () => {
		lab = await Lab.open();
		server = await startServer({ ...lab.serverOptions, grace: "30s", workers: 2 });
		near = await lab.site();
		far = await lab.site();
		for (const site of [near, far]) {
			browsers.push(await launchBrowser({ within: (program) => site.program(program) }));
		}
	});
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

	const memberId = (guest) => guest.page.evaluate(() => window.parleyDebug.memberId);

	it("goes on while one has lost the server, who then is in its seat again", async (t) => {
		const [ann, bob] = await twoOf(t, "lost");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await Promise.all([ann.remember(), bob.remember()]);
		await countLeaves(bob);
		const before = await memberId(ann);
		near.block("tcp");
		await ann.sees("reconnect-banner");
		await bob.press("chat-button");
		await bob.find("chat-input").fill("can you hear me?");
		await bob.press("chat-send");
		await bob.sees("chat-message", "can you hear me?");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		near.unblock("tcp");
		await ann.seesNo("reconnect-banner");
		await ann.sees("chat-unread", "1");
		await ann.press("chat-button");
		await ann.sees("chat-message", "can you hear me?");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		assert.equal(await memberId(ann), before, "it is the same seat");
		assert.ok((await ann.kept()) && (await bob.kept()), "the media never stopped");
		assert.equal(await leaves(bob), 0, "nobody saw it leave");
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("is mended when the whole network of one was dead for a while", async (t) => {
		const [ann, bob] = await twoOf(t, "dead");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await countLeaves(bob);
		const before = await memberId(ann);
		near.block("all");
		await ann.sees("reconnect-banner");
		near.unblock("all");
		await ann.seesNo("reconnect-banner");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		assert.equal(await memberId(ann), before, "it is the same seat");
		assert.equal(await leaves(bob), 0, "nobody saw it leave");
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});
});
