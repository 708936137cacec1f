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
