// The page for everybody: every state of it is held against the rules of WCAG 2.2 (level AA) that a machine can
// check, in light and in dark colours.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepHouse, PHONE } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { loadAxe } from "../lib/deps.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What is wrong with what the page shows now. Runs in the page. */
async function wrongs(rules) {
	const { violations } = await window.axe.run(document, { runOnly: rules });
	return violations.flatMap(({ id, nodes }) =>
		nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
	);
}

describe("the page for everybody", () => {
	const house = keepHouse();
	const axe = loadAxe();

	async function isFine(guest) {
		await guest.page.evaluate(axe);
		for (const colorScheme of ["light", "dark"]) {
			// Without motion nothing is caught half way from one colour to the other.
			await guest.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
			assert.deepEqual(await guest.page.evaluate(wrongs, RULES), [], colorScheme);
		}
	}

	it("before a call", async (t) => {
		const ann = await house.open(t, "/", "Ann");
		await ann.sees("create-button");
		await isFine(ann);
		await ann.page.goto(`${house.server.http}/nowhere`);
		await ann.sees("lost");
		await isFine(ann);
		await ann.page.goto(`${house.server.http}/r/${freshRoom("access")}`);
		await ann.seesItself();
		await isFine(ann);
		await ann.join();
		await ann.sees("empty-room");
		await isFine(ann);
		await ann.press("leave-button");
		await ann.sees("goodbye");
		await isFine(ann);
	});

	it("in a call, with its chat and its dialogs", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("access"), ["Ann", "Bob"]);
		await ann.hearsAndSees(bob);
		await bob.press("hand-button");
		await bob.press("mute-button");
		await bob.press("chat-button");
		await bob.find("chat-input").fill("hello");
		await bob.press("chat-send");
		await ann.press("chat-button");
		await ann.sees("chat-message", "hello");
		await isFine(ann);
		for (const key of ["p", "?", "r"]) {
			await ann.find("chat-panel").locator("h2").click();
			await ann.page.keyboard.press(key);
			await ann.page.locator("dialog").waitFor();
			await isFine(ann);
			await ann.page.keyboard.press("Escape");
			await ann.page.locator("dialog").waitFor({ state: "detached" });
		}
		await ann.tile("Bob").getByTestId("manage-button").click();
		await ann.press("kick-button");
		await isFine(ann);
	});

	it("on a phone, to who waits and to who lets in", async (t) => {
		const room = freshRoom("access");
		const [ann] = await house.call(t, room, ["Ann"], PHONE);
		await ann.find("people-button").tap();
		await ann.find("lobby-option").check();
		await ann.find("people-dialog").getByRole("button", { name: "Close" }).tap();
		const bob = await house.open(t, `/r/${room}`, "Bob", PHONE);
		await bob.join();
		await bob.sees("in-lobby");
		await isFine(bob);
		await ann.sees("knock-banner");
		await isFine(ann);
	});
});
