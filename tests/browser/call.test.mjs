// Two to three people in real browsers: they see and hear each other, and what they press works.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FAR, keepHouse } from "../lib/browser.mjs";
import { connect, freshRoom } from "../lib/client.mjs";
import { metricIs } from "../lib/metrics.mjs";

describe("a call in the browser", () => {
	const house = keepHouse({ workers: 2 });

	it("begins on the start page, which makes a room and leads to it", async (t) => {
		const ann = await house.open(t, "/", "Ann");
		await ann.shot("home");
		const room = freshRoom("home");
		await ann.find("room-input").fill(room);
		await ann.press("create-button");
		await ann.sees("room-title", room);
		assert.equal(new URL(ann.page.url()).pathname, `/r/${room}`);
		await ann.find("name-input").fill("Ann");
		await ann.find("level-meter").waitFor();
		await ann.seesItself();
		await ann.shot("prejoin");
		await ann.join();
		await ann.sees("empty-room");
		await ann.sees("invite-link", room);
		await ann.shot("alone");
	});

	it("carries picture and sound both ways between two", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("two"), ["Ann", "Bob"]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await ann.sees("tile-name", "Bob");
		await bob.sees("tile-name", "Ann");
		for (const guest of [ann, bob]) {
			assert.equal(await guest.find("status").getAttribute("data-tone"), "live");
			const own = guest.page.locator('[data-testid="voice"]');
			assert.equal(await own.count(), 1, "one hears the other, never oneself");
		}
		await ann.shot("two");
	});

	it("carries it between three, each to each", async (t) => {
		const guests = await house.call(t, freshRoom("mesh"), ["Ann", "Bob", "Cem"]);
		const [ann, bob, cem] = guests;
		await Promise.all([
			ann.hearsAndSees(bob, cem),
			bob.hearsAndSees(ann, cem),
			cem.hearsAndSees(ann, bob),
		]);
		await ann.shot("three");
		await bob.press("leave-button");
		await bob.sees("ended");
		await Promise.all([ann.counts(2), cem.counts(2)]);
		await Promise.all([ann.hearsAndSees(cem), cem.hearsAndSees(ann)]);
	});

	it("goes silent for the others when one mutes, and is heard again after", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("mute"), ["Ann", "Bob"]);
		await bob.hearsAndSees(ann);
		await ann.press("mute-button");
		await bob.tile("Ann").getByTestId("tile-muted").waitFor();
		await bob.hearsNothingOf(ann);
		await bob.shot("muted");
		await ann.press("mute-button");
		await bob.tile("Ann").getByTestId("tile-muted").waitFor({ state: "hidden" });
		await bob.hearsAndSees(ann);
	});

	it("shows the avatar while the camera is off, and the picture after", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("camera"), ["Ann", "Bob"]);
		await bob.hearsAndSees(ann);
		const video = bob.tile("Ann").locator("video");
		await video.waitFor();
		await ann.press("camera-button");
		await video.waitFor({ state: "hidden" });
		await ann.press("camera-button");
		await video.waitFor();
		await bob.hearsAndSees(ann);
	});

	it("shares a screen, and stops", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("screen"), ["Ann", "Bob"]);
		await bob.hearsAndSees(ann);
		await ann.press("screen-button");
		const screen = bob.page.locator('[data-testid="screen-tile"] video');
		await screen.waitFor();
		await bob.page.waitForFunction(
			() => document.querySelector('[data-testid="screen-tile"] video')?.videoWidth > 0,
		);
		await bob.shot("screen");
		await ann.press("screen-button");
		await bob.seesNo("screen-tile");
		await bob.hearsAndSees(ann);
	});

	it("ends for one who leaves; who comes again is back", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("leave"), ["Ann", "Bob"]);
		await bob.press("leave-button");
		await bob.sees("goodbye");
		await bob.shot("ended");
		await ann.sees("empty-room");
		await bob.press("again-button");
		await bob.join();
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
	});

	it("goes on after a reload, without a ghost of the one who reloaded", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("reload"), ["Ann", "Bob"]);
		await bob.page.reload();
		await ann.sees("empty-room");
		await bob.join();
		await Promise.all([ann.counts(2), bob.counts(2)]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
	});

	it("loses one whose page is closed", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("close"), ["Ann", "Bob"]);
		await bob.page.close();
		await ann.sees("empty-room");
	});

	it("has a chat for all, with unread messages counted and kept for newcomers", async (t) => {
		const room = freshRoom("chat");
		const [ann, bob] = await house.call(t, room, ["Ann", "Bob"]);
		await ann.press("chat-button");
		await ann.find("chat-input").fill("hello <b>there</b> 🦊");
		await ann.press("chat-send");
		await ann.sees("chat-message", "hello <b>there</b> 🦊");
		await bob.sees("chat-unread", "1");
		await bob.press("chat-button");
		await bob.sees("chat-message", "hello <b>there</b> 🦊");
		await bob.find("chat-input").fill("and hello to you");
		await bob.page.keyboard.press("Enter");
		await ann.sees("chat-message", "and hello to you");
		await ann.shot("chat");
		const cem = await house.open(t, `/r/${room}`, "Cem");
		await cem.join();
		await cem.press("chat-button");
		await cem.sees("chat-message", "and hello to you");
	});

	it("shows a raised hand, and says aloud who came and went", async (t) => {
		const room = freshRoom("hand");
		const [ann] = await house.call(t, room, ["Ann"]);
		const bob = await house.open(t, `/r/${room}`, "Bob");
		await bob.join();
		await ann.counts(2);
		await bob.press("hand-button");
		await ann.tile("Bob").getByTestId("tile-hand").waitFor();
		await bob.press("leave-button");
		await ann.sees("empty-room");
		await ann.announces(/Bob has left/);
	});

	it("obeys the keyboard", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("keys"), ["Ann", "Bob"]);
		await ann.page.keyboard.press("m");
		await bob.tile("Ann").getByTestId("tile-muted").waitFor();
		await ann.page.keyboard.press("m");
		await bob.tile("Ann").getByTestId("tile-muted").waitFor({ state: "hidden" });
		await ann.page.keyboard.press("c");
		await ann.sees("chat-panel");
		await ann.page.keyboard.type("mmm");
		assert.equal(await ann.find("chat-input").inputValue(), "mmm", "typing is no shortcut");
		await ann.page.keyboard.press("Escape");
		await ann.seesNo("chat-panel");
	});

	it("works over TLS, from a page of another name than localhost", async (t) => {
		const origin = `https://${FAR}:${house.server.port}`;
		const [ann, bob] = await house.call(t, freshRoom("tls"), ["Ann", "Bob"], {
			origin,
		});
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
	});

	it("tells one that a moderator has put out, with the words of the kick", async (t) => {
		const room = freshRoom("kick");
		const owner = await connect(t, house.server);
		await owner.join(room, { name: "Owner" });
		const ann = await house.open(t, `/r/${room}`, "Ann");
		await ann.join();
		const { member } = await owner.next("joined");
		await owner.do({ type: "kick", member: member.id, reason: "please come back later" });
		await ann.sees("ended");
		await ann.sees("goodbye", "please come back later");
	});

	it("leaves nothing in the server when all are gone", async () => {
		for (const name of ["members", "websockets", "rooms", "sessions"]) {
			await metricIs(house.server, name, 0);
		}
	});
});
