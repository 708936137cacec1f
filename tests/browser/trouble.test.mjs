// What goes wrong, and what the page makes of it: full rooms, refused devices, plain http, and a
// server that dies and comes back.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { callOf, FAR, Guest, launchBrowser } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { freshDir, serverFor, startServer } from "../lib/server.mjs";

describe("a page in trouble", () => {
	let browser;
	before(async () => {
		browser = await launchBrowser();
	});
	after(() => browser?.close());

	it("says in plain words that the room is full, and lets one try again", async (t) => {
		const server = await serverFor(t, { args: ["--room.capacity=2"] });
		const room = freshRoom("full");
		const [ann, bob] = await callOf(t, browser, server, room, ["Ann", "Bob"]);
		const cem = await Guest.open(t, browser, server, `/r/${room}`, "Cem");
		await cem.find("name-input").fill("Cem");
		await cem.press("join-button");
		await cem.sees("join-error", /full/i);
		await cem.shot("full");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await bob.press("leave-button");
		await ann.sees("empty-room");
		await cem.press("again-button");
		await cem.counts(2);
		await Promise.all([ann.hearsAndSees(cem), cem.hearsAndSees(ann)]);
		// Servers stop before pages close (in the order of t.after): nobody is in the room then.
		await ann.press("leave-button");
		await cem.press("leave-button");
	});

	it("says over plain http that camera and microphone need https, and where that is", async (t) => {
		const server = await serverFor(t);
		const origin = `http://${FAR}:${server.port}`;
		const ann = await Guest.open(t, browser, server, "/r/insecure", "Ann", { origin });
		await ann.sees("error-banner", /secure/i);
		const href = await ann.find("secure-link").getAttribute("href");
		assert.equal(href, `https://${FAR}:${server.port}/r/insecure`);
		await ann.shot("insecure");
		await ann.join();
		await ann.sees("empty-room");
		await ann.press("leave-button");
	});

	it("says that the devices are refused, and still joins to watch and listen", async (t) => {
		const server = await serverFor(t);
		const strict = await launchBrowser({ deny: true });
		t.after(() => strict.close());
		const room = freshRoom("denied");
		const [ann] = await callOf(t, browser, server, room, ["Ann"]);
		const bob = await Guest.open(t, strict, server, `/r/${room}`, "Bob");
		await bob.sees("error-banner", /does not let this page use/i);
		await bob.shot("denied");
		await bob.join();
		await bob.hearsAndSees(ann);
		await ann.tile("Bob").getByTestId("tile-muted").waitFor();
		await ann.press("leave-button");
		await bob.press("leave-button");
	});

	async function mortal(t) {
		const dataDir = freshDir();
		t.after(() => rmSync(dataDir, { recursive: true, force: true }));
		const first = await startServer({ dataDir });
		return {
			first,
			again: () => serverFor(t, { dataDir, port: first.port }),
		};
	}

	for (const [what, end] of [
		["is killed", (server) => server.kill()],
		["is stopped", (server) => server.stop()],
	]) {
		it(`keeps the call while the server ${what}, and is whole when it is back`, async (t) => {
			const { first, again } = await mortal(t);
			const room = freshRoom("mortal");
			const [ann, bob] = await callOf(t, browser, first, room, ["Ann", "Bob"]);
			await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
			await Promise.all([ann.remember(), bob.remember()]);
			await end(first);
			await Promise.all([ann.sees("reconnect-banner"), bob.sees("reconnect-banner")]);
			await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
			await ann.shot("away");
			await again();
			await Promise.all([ann.seesNo("reconnect-banner"), bob.seesNo("reconnect-banner")]);
			await Promise.all([ann.counts(2), bob.counts(2)]);
			await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
			assert.ok((await ann.kept()) && (await bob.kept()), "the media never stopped");
			await bob.press("mute-button");
			await ann.tile("Bob").getByTestId("tile-muted").waitFor();
			await bob.press("mute-button");
			await ann.tile("Bob").getByTestId("tile-muted").waitFor({ state: "hidden" });
			const cem = await Guest.open(t, browser, first, `/r/${room}`, "Cem");
			await cem.join();
			await cem.counts(3);
			await Promise.all([cem.hearsAndSees(ann, bob), ann.hearsAndSees(bob, cem)]);
			await Promise.all([ann, bob, cem].map((guest) => guest.press("leave-button")));
		});
	}

	it("whose connection breaks comes back by itself, and the call with it", async (t) => {
		const server = await serverFor(t);
		const [ann, bob] = await callOf(t, browser, server, freshRoom("drop"), ["Ann", "Bob"]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await Promise.all([ann.remember(), bob.remember()]);
		await ann.page.evaluate(() => window.parleyDebug.dropConnection());
		await ann.page.waitForFunction(() => window.parleyDebug.roomState !== "in");
		await ann.page.waitForFunction(() => window.parleyDebug.roomState === "in");
		await Promise.all([ann.counts(2), bob.counts(2)]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		assert.ok((await ann.kept()) && (await bob.kept()), "the media never stopped");
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});
});
