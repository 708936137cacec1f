// What the page says of the ways a call can take: /check, and the connections within a call.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { callOf, Guest, launchBrowser, PHONE } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { serverFor } from "../lib/server.mjs";

/** Opens /check and waits for its end: {id: {state, text}}. */
async function check(t, browser, server, options = {}) {
	const guest = await Guest.open(t, browser, server, "/check", "Ann", options);
	await guest.page
		.locator(
			'[data-testid="check-lines"][aria-busy="false"] [data-state]:not([data-state="waiting"])',
		)
		.first()
		.waitFor();
	const lines = await guest.page
		.locator("[data-check]")
		.evaluateAll((items) =>
			items.map((item) => [
				item.dataset.check,
				{ state: item.dataset.state, text: item.innerText },
			]),
		);
	return { guest, found: Object.fromEntries(lines) };
}

describe("the ways of a call", () => {
	let browser;
	before(async () => {
		browser = await launchBrowser();
	});
	after(() => browser?.close());

	it("are tried on /check, each with what was measured", async (t) => {
		const server = await serverFor(t);
		const { guest, found } = await check(t, browser, server, PHONE);
		await guest.shot("check-phone");
		for (const id of ["secure", "server", "clock", "websocket", "microphone", "camera"]) {
			assert.equal(found[id]?.state, "pass", `${id}: ${found[id]?.text}`);
		}
		await guest.sees("check-sum");
		await guest.press("check-again");
		await guest.page.locator('[data-testid="check-lines"][aria-busy="true"]').waitFor();
	});

	it("say on /check what fails and what cures it", async (t) => {
		const deaf = await launchBrowser({ deny: true });
		t.after(() => deaf.close());
		const server = await serverFor(t);
		const { found } = await check(t, deaf, server);
		assert.equal(found.microphone.state, "fail");
		assert.match(found.microphone.text, /does not let this page use the microphone/);
		assert.match(found.microphone.text, /allow it there/);
	});

	it("are shown within a call: route, time there and back, loss", async (t) => {
		const server = await serverFor(t);
		const [ann, bob] = await callOf(t, browser, server, freshRoom("paths"), ["Ann", "Bob"]);
		await ann.hearsAndSees(bob);
		await ann.page.keyboard.press("?");
		await ann.page.locator('[data-testid="path"][data-route]').waitFor();
		await ann.shot("paths");
		const text = await ann.find("path").innerText();
		assert.match(text, /Bob\s+direct, UDP, \d+ ms, [\d.]+ % lost/);
	});

	it("lead through the server's own relay when one wants to hide its address", async (t) => {
		const server = await serverFor(t);
		const { found } = await check(t, browser, server);
		const relays = Object.entries(found).filter(([id]) => id.startsWith("turn:"));
		assert.equal(relays.length, 2, Object.keys(found).join());
		for (const [id, { state, text }] of relays) {
			assert.equal(state, "pass", `${id}: ${text}`);
		}
		const [ann, bob] = await callOf(t, browser, server, freshRoom("hide"), ["Ann", "Bob"]);
		await ann.hearsAndSees(bob);
		await ann.page.keyboard.press("?");
		await ann.find("relay-only").check();
		await ann.page.locator('[data-testid="path"][data-route="relay"]').waitFor();
		await ann.shot("paths-relay");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
	});
});
