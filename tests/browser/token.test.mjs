// Links with a token: who has one comes in, and the token is seen by nobody else.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Guest, launchBrowser } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { runParley, serverFor } from "../lib/server.mjs";

const KEY = "app:a-secret-of-some-length";

async function tokenFor(room, ...extra) {
	const args = [
		"--auth.key",
		KEY,
		"--room",
		room,
		"--identity",
		"ann",
		"--name",
		"Ann A.",
		...extra,
	];
	const { stdout } = await runParley(["token", "create", ...args]);
	return stdout.trim();
}

describe("a page with a token", () => {
	let browser;
	before(async () => {
		browser = await launchBrowser();
	});
	after(() => browser?.close());

	for (const mark of ["#", "?"]) {
		it(`comes in by ${mark}token=, keeps it out of the address, and comes in again`, async (t) => {
			const server = await serverFor(t, { args: ["--auth.key", KEY] });
			const room = freshRoom("guarded");
			const token = await tokenFor(room);
			const ann = await Guest.open(t, browser, server, `/r/${room}${mark}token=${token}`, "Ann");
			await ann.page.waitForURL(`${server.http}/r/${room}`);
			assert.equal(await ann.find("name-input").inputValue(), "Ann A.");
			for (const visit of ["first", "reloaded"]) {
				if (visit === "reloaded") {
					await ann.page.reload();
				}
				await ann.press("join-button");
				await ann.sees("empty-room");
				assert.equal(await ann.find("open-banner").count(), 0);
			}
			assert.doesNotMatch(await ann.find("invite-link").textContent(), /token/);
			await ann.press("leave-button");
			assert.ok(!server.stderr.includes(token), "the log does not have it");
		});
	}

	it("is told in plain words that it needs one, or another", async (t) => {
		const server = await serverFor(t, { args: ["--auth.key", KEY] });
		const room = freshRoom("guarded");
		const ann = await Guest.open(t, browser, server, `/r/${room}`, "Ann");
		await ann.find("name-input").fill("Ann");
		await ann.press("join-button");
		await ann.sees("join-error", "This room asks for an invitation");
		await ann.shot("invitation");
		const other = await tokenFor("another-room");
		const bob = await Guest.open(t, browser, server, `/r/${room}#token=${other}`, "Bob");
		await bob.press("join-button");
		await bob.sees("join-error", "You may not enter this room");
	});

	it("is told when the server asks for none, until it has read that", async (t) => {
		const server = await serverFor(t);
		const room = freshRoom("open");
		const ann = await Guest.open(t, browser, server, `/r/${room}`, "Ann");
		await ann.join();
		await ann.sees("open-banner", "Anybody who knows this room's name can come in");
		await ann.shot("open");
		await ann.find("open-banner").getByRole("button", { name: "Dismiss" }).click();
		await ann.seesNo("open-banner");
		await ann.page.reload();
		await ann.press("join-button");
		await ann.sees("empty-room");
		assert.equal(await ann.find("open-banner").count(), 0);
		await ann.press("leave-button");
	});
});
