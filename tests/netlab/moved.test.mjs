// Somebody's network becomes another during a call: the call goes on over the new one, in the same seat.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { countLeaves, leaves } from "../lib/browser.mjs";
import { Couple, part, sendsTo, talk } from "./couple.mjs";

describe("a call of somebody whose address changes", () => {
	let couple;
	before(async () => {
		couple = await Couple.open({ near: { nat: "keeps" }, far: { nat: "keeps" } });
	});
	after(() => couple?.close());

	const changes = {
		"the router's, by its provider": () => couple.near.moveRouter(),
		"the device's own, as with another Wi-Fi": () => couple.near.moveClient(),
	};
	for (const [what, change] of Object.entries(changes)) {
		it(`goes on: ${what}`, async (t) => {
			const [ann, bob] = await couple.call(t, "moved");
			await talk(ann, bob);
			await countLeaves(bob);
			const memberId = () => ann.page.evaluate(() => window.parleyDebug.memberId);
			const before = await memberId();
			const former = await sendsTo(bob);
			const begin = Date.now();
			change();
			const now = await sendsTo(bob, former);
			await talk(ann, bob);
			t.diagnostic(`from ${former} to ${now} in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
			await ann.seesNo("reconnect-banner");
			await ann.page.waitForFunction(() => window.parleyDebug.roomState === "in");
			assert.equal(await memberId(), before, "it is the same seat");
			assert.equal(await leaves(bob), 0, "nobody saw it leave");
			await part(ann, bob);
		});
	}
});
