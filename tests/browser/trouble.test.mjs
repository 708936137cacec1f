// What goes wrong, and what the page makes of it: full rooms, refused devices, plain http, and a
// server that dies and comes back.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { callOf, countLeaves, FAR, Guest, launchBrowser, leaves, PHONE } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { Line } from "../lib/line.mjs";
import { freshDir, serverFor, startServer } from "../lib/server.mjs";

/** Runs in the page before its scripts: notes what is connected to a loudspeaker. */
function watchOutputs() {
	window.outputsForTest = [];
	const { connect } = AudioNode.prototype;
	AudioNode.prototype.connect = function (target, ...rest) {
		if (target instanceof AudioDestinationNode) {
			window.outputsForTest.push(this.constructor.name);
		}
		return connect.call(this, target, ...rest);
	};
}

/** Runs in the page: where one's own microphone could be heard. */
function ownSound() {
	const found = [...window.outputsForTest];
	for (const element of document.querySelectorAll("audio, video")) {
		if (!element.muted && element.srcObject?.getAudioTracks().length > 0) {
			found.push(element.outerHTML);
		}
	}
	return found;
}

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

	it("cannot list who is kept out while the server is away, says so, and can again later", async (t) => {
		const { first, again } = await mortal(t);
		const dark = { ...PHONE, colorScheme: "dark" };
		const [ann, bob] = await callOf(t, browser, first, freshRoom("bans"), ["Ann", "Bob"], dark);
		await ann.page.evaluate(() => {
			const { room } = window.parleyDebug.session;
			return room.ban(room.presence.people[0].id);
		});
		await bob.sees("ended");
		await ann.press("people-button");
		await ann.sees("ban-row", "Bob");
		await ann.find("ban-row").scrollIntoViewIfNeeded();
		await ann.shot("phone-bans");
		await first.kill();
		await ann.find("ban-row").getByRole("button", { name: "Lift the ban of Bob" }).tap();
		await ann.sees("lift-refused", "is away");
		await ann.page.keyboard.press("Escape");
		await ann.seesNo("people-dialog");
		await ann.press("people-button");
		await ann.sees("bans-failed", "could not be loaded");
		await ann.shot("phone-bans-failed");
		await again();
		await ann.page.waitForFunction(() => window.parleyDebug.roomState === "in");
		await ann.find("bans-failed").getByRole("button", { name: "Try again" }).tap();
		await ann.seesNo("bans-failed");
		await ann.find("ban-row").getByRole("button", { name: "Lift the ban of Bob" }).tap();
		await ann.sees("bans", "Nobody.");
	});

	it("whose connection breaks comes back by itself, and the call with it", async (t) => {
		const server = await serverFor(t);
		const [ann, bob] = await callOf(t, browser, server, freshRoom("drop"), ["Ann", "Bob"]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await Promise.all([ann.remember(), bob.remember()]);
		await ann.breaksOff();
		await Promise.all([ann.counts(2), bob.counts(2)]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		assert.ok((await ann.kept()) && (await bob.kept()), "the media never stopped");
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("that has lost the server for a while is in its seat again, with the chat it missed", async (t) => {
		const server = await serverFor(t, { grace: "30s" });
		const line = await Line.open(t, server);
		const room = freshRoom("resume");
		const ann = await Guest.open(t, browser, server, `/r/${room}`, "Ann", { origin: line.http });
		await ann.join();
		const bob = await Guest.open(t, browser, server, `/r/${room}`, "Bob");
		await bob.join();
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await Promise.all([ann.remember(), bob.remember()]);
		const seat = () => ann.page.evaluate(() => window.parleyDebug.memberId);
		const before = await seat();
		await countLeaves(bob);
		line.cut();
		await ann.sees("reconnect-banner");
		await bob.press("chat-button");
		for (const text of ["are you there?", "I can hear you"]) {
			await bob.find("chat-input").fill(text);
			await bob.press("chat-send");
			await bob.sees("chat-message", text);
		}
		line.mend();
		await ann.seesNo("reconnect-banner");
		await ann.press("chat-button");
		await ann.sees("chat-message", "are you there?");
		await ann.sees("chat-message", "I can hear you");
		assert.equal(await seat(), before);
		assert.equal(await leaves(bob), 0, "nobody saw it leave");
		assert.ok((await ann.kept()) && (await bob.kept()), "the media never stopped");
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("reloaded without a goodbye takes its own seat, and leaves no ghost", async (t) => {
		const server = await serverFor(t, { grace: "30s" });
		const [ann, bob] = await callOf(t, browser, server, freshRoom("reload"), ["Ann", "Bob"]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await countLeaves(ann);
		await bob.page.evaluate(() => window.parleyDebug.dropConnection());
		await bob.page.reload();
		assert.equal(await leaves(ann), 0, "its seat is kept for it");
		await bob.join();
		await Promise.all([ann.counts(2), bob.counts(2)]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		assert.equal(await ann.find("tile").count(), 2, "no ghost of the page before");
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	for (const [what, options] of [
		["desktop", {}],
		["phone", PHONE],
	]) {
		it(`on a ${what} is local only while the server is away: microphone and meter work`, async (t) => {
			const server = await serverFor(t);
			const line = await Line.open(t, server);
			const ann = await Guest.open(t, browser, server, `/r/${freshRoom("local")}`, "Ann", {
				origin: line.http,
				init: watchOutputs,
				...options,
			});
			const nothingOfItself = async () => {
				assert.deepEqual(await ann.page.evaluate(ownSound), [], "nobody hears themselves");
			};
			await ann.seesItself();
			await nothingOfItself();
			await ann.join();
			await ann.sees("empty-room");
			line.cut();
			await ann.sees("reconnect-banner");
			await ann.sees("countdown");
			await ann.sees("retry-button");
			await ann.sees("status", /local only/);
			assert.equal(await ann.find("status").getAttribute("data-tone"), "local");
			await ann.shot(`local-only-${what}`);
			await ann.meterMoves(true);
			await ann.press("mute-button");
			await ann.meterMoves(false);
			await ann.press("mute-button");
			await ann.meterMoves(true);
			await nothingOfItself();
			line.mend();
			await ann.retries();
			await ann.seesNo("reconnect-banner");
			await ann.sees("status", "Microphone on");
			await nothingOfItself();
			await ann.press("leave-button");
		});
	}
});
