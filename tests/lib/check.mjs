// What the page /check finds.
import { Guest } from "./browser.mjs";

// A way that swallows everything takes it seconds, and there may be several.
const PATIENCE = 180_000;

/** Waits until it has tried everything: {id: {state, text}}. */
export async function readChecks(guest) {
	const { page } = guest;
	const done = '[data-testid="check-lines"][aria-busy="false"] [data-state]';
	await page.locator(`${done}:not([data-state="waiting"])`).first().waitFor({ timeout: PATIENCE });
	const lines = await page.locator("[data-check]").evaluateAll((items) =>
		items.map(({ dataset, innerText }) => {
			return [dataset.check, { state: dataset.state, text: innerText }];
		}),
	);
	return Object.fromEntries(lines);
}

/** Somebody opens it and waits for its end; options of Guest.open(). */
export async function check(t, browser, server, options = {}) {
	const guest = await Guest.open(t, browser, server, "/check", "Ann", options);
	return { guest, found: await readChecks(guest) };
}
