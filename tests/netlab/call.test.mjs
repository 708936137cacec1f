// A call in two browsers, each behind a router of its own, while the network of one fails.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { countLeaves, leaves } from "../lib/browser.mjs";
import { Couple, part, talk } from "./couple.mjs";

describe("a call over a network that fails", () => {
	let couple;
	let near;
	before(async () => {
		couple = await Couple.open();
		near = couple.near;
	});
	after(() => couple?.close());

	const memberId = (guest) => guest.page.evaluate(() => window.parleyDebug.memberId);

	it("goes on while one has lost the server, who then is in its seat again", async (t) => {
		const [ann, bob] = await couple.call(t, "lost");
		await talk(ann, bob);
		await Promise.all([ann.remember(), bob.remember()]);
		await countLeaves(bob);
		const before = await memberId(ann);
		near.block("tcp");
		await ann.sees("reconnect-banner");
		await bob.press("chat-button");
		await bob.find("chat-input").fill("can you hear me?");
		await bob.press("chat-send");
		await bob.sees("chat-message", "can you hear me?");
		await talk(ann, bob);
		near.unblock();
		await ann.seesNo("reconnect-banner");
		await ann.sees("chat-unread", "1");
		await ann.press("chat-button");
		await ann.sees("chat-message", "can you hear me?");
		await talk(ann, bob);
		assert.equal(await memberId(ann), before, "it is the same seat");
		assert.ok((await ann.kept()) && (await bob.kept()), "the media never stopped");
		assert.equal(await leaves(bob), 0, "nobody saw it leave");
		await part(ann, bob);
	});

	it("is mended when the whole network of one was dead for a while", async (t) => {
		const [ann, bob] = await couple.call(t, "dead");
		await talk(ann, bob);
		await countLeaves(bob);
		const before = await memberId(ann);
		near.block("all");
		await ann.sees("reconnect-banner");
		near.unblock();
		await ann.seesNo("reconnect-banner");
		await talk(ann, bob);
		assert.equal(await memberId(ann), before, "it is the same seat");
		assert.equal(await leaves(bob), 0, "nobody saw it leave");
		await part(ann, bob);
	});
});
