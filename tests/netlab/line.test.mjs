// A call whose line is bad: it goes on, and the page says how bad it is.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { PATIENCE } from "../lib/browser.mjs";
import { poll } from "../lib/wait.mjs";
import { Couple, part, talk } from "./couple.mjs";

const CLEAN = { delay: 0, loss: 0, rate: 0 };

/** What the page says of its only connection: {rtt: ms, loss: percent}. */
async function told(guest) {
	const text = await guest.find("path").innerText();
	const [, rtt, loss] = /(\d+) ms, ([\d.]+) % lost/.exec(text) ?? [];
	return { rtt: Number(rtt), loss: Number(loss) };
}

/** Resolves when condition() holds for what the page says. */
async function tells(guest, condition, what) {
	let now;
	await poll(
		async () => {
			now = await told(guest);
			return condition(now);
		},
		() => `${guest.name}'s page to tell ${what}; it tells ${JSON.stringify(now)}`,
		PATIENCE,
	);
}

/** Runs in the page: packets of the other's voice, which is not sent again as pictures are. */
async function readVoice() {
	const reports = [...(await window.parleyDebug.peers[0].pc.getStats()).values()];
	const voice = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
	return { lost: voice.packetsLost, sent: voice.packetsLost + voice.packetsReceived };
}

/** The percentage that is lost of the next packets of both voices, at least `least`. */
async function lossOf(guests, least) {
	const read = async () => {
		const both = await Promise.all(guests.map(({ page }) => page.evaluate(readVoice)));
		const sum = (name) => both.reduce((all, voice) => all + voice[name], 0);
		return { lost: sum("lost"), sent: sum("sent") };
	};
	const first = await read();
	let now;
	await poll(
		async () => {
			now = await read();
			return now.sent >= first.sent + least;
		},
		() => `${least} packets after ${JSON.stringify(first)}: ${JSON.stringify(now)}`,
		PATIENCE,
	);
	return (100 * (now.lost - first.lost)) / (now.sent - first.sent);
}

describe("a call over a bad line", () => {
	let couple;
	let near;
	before(async () => {
		couple = await Couple.open({ near: { nat: "keeps", wire: true }, far: { nat: "keeps" } });
		near = couple.near;
	});
	afterEach(() => near.set(CLEAN));
	after(() => couple?.close());

	it("goes on while one packet of twenty is lost, and the page says so", async (t) => {
		const [ann, bob] = await couple.call(t, "loss");
		await talk(ann, bob);
		await ann.page.keyboard.press("?");
		await near.set({ loss: 5 });
		await talk(ann, bob);
		// What the page tells is of two seconds: that may be far from what is true of a thousand packets.
		const loss = await lossOf([ann, bob], 1000);
		t.diagnostic(`${loss.toFixed(1)} % of 5`);
		assert.ok(loss > 1 && loss < 10, `${loss} % of 5`);
		await tells(ann, (now) => now.loss > 0 && now.loss <= 100, "of loss");
		await ann.shot("loss");
		await near.set(CLEAN);
		await tells(ann, (now) => now.loss === 0, "of none any more");
		await ann.page.keyboard.press("Escape");
		await part(ann, bob);
	});

	it("goes on when it is long and thin, and the page says how long", async (t) => {
		const [ann, bob] = await couple.call(t, "thin");
		await talk(ann, bob);
		await near.set({ delay: 100, rate: 400 });
		await talk(ann, bob);
		await ann.page.keyboard.press("?");
		await tells(ann, ({ rtt }) => rtt >= 200, "how long it takes");
		await talk(ann, bob);
		await near.set(CLEAN);
		await tells(ann, ({ rtt }) => rtt < 200, "that it is short again");
		await ann.page.keyboard.press("Escape");
		await part(ann, bob);
	});
});
