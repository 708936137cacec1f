// A call whose line is bad: it goes on, and the page says how bad it is.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { poll } from "../lib/wait.mjs";
import { Couple, part, talk } from "./couple.mjs";

const CLEAN = { delay: 0, loss: 0, rate: 0 };

/** What the page says of its only connection: {rtt: ms, loss: percent}. */
async function told(guest) {
	const text = await guest.find("path").innerText();
	const [, rtt, loss] = /(\d+) ms, ([\d.]+) % lost/.exec(text) ?? [];
	return { rtt: Number(rtt), loss: Number(loss) };
}

/** Collects what the page says, each time it says something else, until condition(list) holds. */
function tells(guest, condition, what) {
	const seen = [];
	return poll(
		async () => {
			const now = await told(guest);
			if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) {
				seen.push(now);
			}
			return condition(seen) && seen;
		},
		() => `${guest.name}'s page to tell ${what}; it told ${JSON.stringify(seen)}`,
		60_000,
	);
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
		await tells(ann, (seen) => seen.at(-1).loss > 0, "of loss");
		await talk(ann, bob);
		const seen = await tells(ann, (all) => all.length >= 5, "five times");
		// Each is of two seconds, and the worse of both directions; one may be far off.
		const [, , median] = seen.map(({ loss }) => loss).sort((a, b) => a - b);
		assert.ok(median > 1 && median < 10, `${median} of 5 % in ${JSON.stringify(seen)}`);
		await talk(ann, bob);
		await ann.shot("loss");
		await ann.page.keyboard.press("Escape");
		await part(ann, bob);
	});

	it("goes on when it is long and thin, and the page says how long", async (t) => {
		const [ann, bob] = await couple.call(t, "thin");
		await talk(ann, bob);
		await near.set({ delay: 100, rate: 400 });
		await talk(ann, bob);
		await ann.page.keyboard.press("?");
		const seen = await tells(ann, (all) => all.at(-1).rtt >= 200, "how long it takes");
		assert.ok(seen.at(-1).rtt < 900, JSON.stringify(seen));
		await talk(ann, bob);
		await ann.page.keyboard.press("Escape");
		await part(ann, bob);
	});
});
