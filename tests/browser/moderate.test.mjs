// Who owns or moderates a room gives roles and puts people out, by mouse and by keyboard.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepHouse, PHONE } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";

describe("moderation in the page", () => {
	// Who loses the line for a moment keeps the room.
	const house = keepHouse({ workers: 2, grace: "1m" });

	const manage = (guest, other) => guest.tile(other.name).getByTestId("manage-button");
	/** Resolves when it is so, as the page of `guest` has it. */
	const canSpeak = (guest, able) =>
		guest.page.locator(`[data-testid="mute-button"]:${able ? "enabled" : "disabled"}`).waitFor();

	it("lets an owner make somebody a listener, who can speak no more, and a speaker again", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("roles"), ["Ann", "Bob"]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		assert.equal(await bob.find("manage-button").count(), 0, "a speaker manages nobody");
		await manage(ann, bob).click();
		await ann.find("manage-dialog").waitFor();
		assert.ok(await ann.find("role-speaker").isChecked());
		await ann.shot("manage");
		await ann.find("role-listener").check();
		await ann.tile("Bob").getByTestId("tile-muted").waitFor();
		await canSpeak(bob, false);
		await bob.announces(/listener now/);
		await ann.find("role-speaker").check();
		await canSpeak(bob, true);
		await ann.page.keyboard.press("Escape");
		await ann.seesNo("manage-dialog");
		await bob.press("mute-button");
		await ann.tile("Bob").getByTestId("tile-muted").waitFor({ state: "hidden" });
	});

	it("lets a moderator manage others, but not owners", async (t) => {
		const names = ["Ann", "Bob", "Cem"];
		const [ann, bob, cem] = await house.call(t, freshRoom("mod"), names);
		await manage(ann, bob).click();
		await ann.find("role-moderator").check();
		await manage(bob, cem).click();
		assert.equal(await bob.find("role-owner").count(), 0, "only owners make owners");
		await bob.find("role-listener").check();
		await canSpeak(cem, false);
		await bob.page.keyboard.press("Escape");
		assert.equal(await manage(bob, ann).count(), 0);
		// What was shown is old by now: the right is taken away while the dialog is open.
		await manage(bob, cem).click();
		await ann.find("role-speaker").check();
		await bob.seesNo("manage-dialog");
	});

	it("puts somebody out by keyboard alone, after asking once more", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("out"), ["Ann", "Bob"]);
		await manage(ann, bob).focus();
		await ann.page.keyboard.press("Enter");
		await ann.sees("manage-dialog", "Bob");
		await ann.find("kick-button").focus();
		await ann.page.keyboard.press("Enter");
		await ann.sees("manage-dialog", "Remove Bob from the room?");
		await ann.shot("manage-remove");
		await ann.find("kick-confirm").focus();
		await ann.page.keyboard.press("Enter");
		await bob.sees("ended");
		await ann.sees("empty-room");
		await ann.seesNo("manage-dialog");
	});

	it("mutes somebody, who cannot speak until it is allowed again", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("mute"), ["Ann", "Bob"]);
		await ann.hearsAndSees(bob);
		await manage(ann, bob).click();
		await ann.press("mute-person");
		await ann.tile("Bob").getByTestId("tile-muted").waitFor();
		await bob.sees("told-banner", "has muted you");
		await bob.shot("told-muted");
		assert.ok(await bob.find("mute-button").isDisabled());
		await bob.page.keyboard.press("m");
		await ann.hearsNothingOf(bob);
		await ann.press("mute-person");
		await bob.sees("told-banner", "You may speak again");
		await bob.find("told-banner").getByRole("button", { name: "Dismiss" }).click();
		await bob.press("mute-button");
		await ann.tile("Bob").getByTestId("tile-muted").waitFor({ state: "hidden" });
		await ann.hearsAndSees(bob);
	});

	it("keeps the door: a lobby, a lock, and an end for everybody", async (t) => {
		const room = freshRoom("door");
		const [ann] = await house.call(t, room, ["Ann"]);
		await ann.page.keyboard.press("p");
		await ann.sees("people-dialog", "Ann (you)");
		await ann.find("lobby-option").check();
		await ann.page.keyboard.press("Escape");
		await ann.seesNo("people-dialog");
		const bob = await house.open(t, `/r/${room}`, "Bob");
		await bob.join();
		await bob.sees("in-lobby");
		await bob.shot("in-lobby");
		await ann.sees("knock-banner", "Bob waits to be let in");
		await ann.shot("knock");
		await ann.press("deny-button");
		await bob.sees("join-error", "You were not let in");
		await bob.press("again-button");
		await ann.press("people-button");
		await ann.find("knock-row").getByRole("button", { name: "Let in Bob" }).click();
		await Promise.all([ann.counts(2), bob.counts(2)]);
		await ann.sees("people-dialog", "Bob");
		await ann.find("lock-option").check();
		await ann.shot("people");
		const cem = await house.open(t, `/r/${room}`, "Cem");
		await cem.find("name-input").fill("Cem");
		await cem.press("join-button");
		await cem.sees("join-error", "This room is locked");
		await ann.press("close-button");
		await ann.press("close-confirm");
		await Promise.all([ann, bob].map((guest) => guest.sees("ended", "The room was closed")));
	});

	it("puts somebody out for good, and says why", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("ban"), ["Ann", "Bob"]);
		await manage(ann, bob).click();
		await ann.press("kick-button");
		await ann.find("kick-reason").fill("this is no karaoke");
		await ann.find("ban-option").check();
		await ann.shot("manage-ban");
		await ann.press("kick-confirm");
		await bob.sees("ended", "this is no karaoke");
		await bob.press("again-button");
		await bob.press("join-button");
		await bob.sees("join-error", "You may not come back");
		await ann.page.keyboard.press("p");
		await ann.sees("ban-row", "Bob");
		await ann.sees("ban-row", "until ");
		await ann.shot("bans");
		// By keyboard alone; what is read next is the list without him.
		await ann.find("ban-row").getByRole("button", { name: "Lift the ban of Bob" }).focus();
		await ann.page.keyboard.press("Enter");
		await ann.announces(/Bob may come in again/);
		await ann.sees("bans", "Nobody.");
		assert.equal(await ann.page.evaluate(() => document.activeElement?.textContent), "Kept out");
		await bob.press("again-button");
		await ann.counts(2);
	});

	it("works on a phone", async (t) => {
		const names = ["Ann", "Bob"];
		const [ann, bob] = await house.call(t, freshRoom("phone"), names, PHONE);
		await manage(ann, bob).tap();
		await ann.find("manage-dialog").waitFor();
		await ann.shot("phone-manage");
		await ann.find("role-moderator").check();
		await bob.tile("Ann").waitFor();
		await bob.announces(/moderator now/);
	});
});
