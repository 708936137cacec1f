// Two people between whom no media gets through: their voices go through the server, until it does.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { PATIENCE } from "../lib/browser.mjs";
import { poll } from "../lib/wait.mjs";
import { Couple, part, talk } from "./couple.mjs";

/** A browser without WebCodecs. */
function withoutCodecs() {
	delete window.AudioEncoder;
	delete window.AudioDecoder;
}

/** What somebody hears of the only other, in pieces of 20 ms: `least` or more, until some have come too late. */
async function listen(guest, least) {
	const read = () => guest.page.evaluate(() => ({ ...window.parleyDebug.peers[0].voice }));
	const first = await read();
	let heard;
	await poll(
		async () => {
			const now = await read();
			const pieces = (name) => Math.round((now[name] - first[name]) / 960);
			heard = {
				played: pieces("played"),
				late: pieces("concealed") + pieces("dropped"),
				energy: Math.round(now.energy - first.energy),
			};
			return heard.played >= least && heard.late > 0;
		},
		() => `${guest.name} to hear ${least} pieces, and not all of them: ${JSON.stringify(heard)}`,
		3 * PATIENCE,
	);
	return heard;
}

describe("a call without a path for media", () => {
	let couple;
	let near;
	before(async () => {
		// TURN over TCP would be a path.
		couple = await Couple.open({ near: { wire: true }, args: ["--turn.enabled=false"] });
		near = couple.near;
	});
	afterEach(async () => {
		near.unblock();
		await near.set({ loss: 0, delay: 0 });
	});
	after(() => couple?.close());

	const talkRelayed = (ann, bob) => Promise.all([ann.hearsRelayed(bob), bob.hearsRelayed(ann)]);
	const link = (guest, other) => guest.tile(other.name).getAttribute("data-link");

	it("has voices from the start, and pictures when the way is free", async (t) => {
		near.block("udp");
		const [ann, bob] = await couple.call(t, "blocked");
		await talkRelayed(ann, bob);
		assert.deepEqual([await link(ann, bob), await link(bob, ann)], ["relayed", "relayed"]);
		assert.equal(await ann.find("status").getAttribute("data-tone"), "live");
		assert.equal(await ann.find("voice").count(), 1, "one hears the other, never oneself");
		await ann.shot("relayed");
		await ann.press("mute-button");
		await bob.tile("Ann").getByTestId("tile-muted").waitFor();
		await ann.press("mute-button");
		await talkRelayed(ann, bob);
		near.unblock();
		await talk(ann, bob);
		await Promise.all([ann, bob].map((guest) => guest.seesNo("tile-relayed")));
		await part(ann, bob);
	});

	it("goes over to the server when the path is lost, and back", async (t) => {
		const [ann, bob] = await couple.call(t, "lost");
		await talk(ann, bob);
		near.block("udp");
		await talkRelayed(ann, bob);
		near.unblock();
		await talk(ann, bob);
		await Promise.all([ann, bob].map((guest) => guest.seesNo("tile-relayed")));
		await part(ann, bob);
	});

	it("is heard over a bad line: what is late is concealed or left out, and most is not late", async (t) => {
		near.block("udp");
		const [ann, bob] = await couple.call(t, "lossy");
		await talkRelayed(ann, bob);
		await near.set({ loss: 5, delay: 40 });
		const heard = await Promise.all([ann, bob].map((guest) => listen(guest, 500)));
		for (const { played, late, energy } of heard) {
			const told = `${played} pieces played, ${late} late, energy ${energy}`;
			t.diagnostic(told);
			// Some hundredths are; but one packet lost three times holds up a second of voice, and a busy machine more.
			assert.ok(late < played, told);
			// Some 1.4 for each piece; silence has none.
			assert.ok(energy > played / 10, told);
		}
		await part(ann, bob);
	});

	it("is heard by and from browsers without WebCodecs", async (t) => {
		near.block("udp");
		const [ann, bob] = await couple.call(t, "pcm", { init: withoutCodecs });
		const path = `/r/${await ann.find("room-title").textContent()}`;
		await talkRelayed(ann, bob);
		const cem = await couple.third(t, path, "Cem");
		await cem.join();
		await Promise.all([ann.hearsRelayed(cem), cem.hearsRelayed(ann), bob.hearsRelayed(ann)]);
		await part(ann, bob, cem);
	});

	it("goes on with the session when one has lost the server", async (t) => {
		near.block("udp");
		const [ann, bob] = await couple.call(t, "resumed");
		await talkRelayed(ann, bob);
		await ann.breaksOff();
		await talkRelayed(ann, bob);
		await part(ann, bob);
	});
});
