// Several rooms in one tab: the call is in one, the others are read along.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { call } from "../lib/api.mjs";
import { keepHouse } from "../lib/browser.mjs";
import { connect, freshRoom } from "../lib/client.mjs";

describe("several rooms in one page", () => {
	const house = keepHouse();

	it("moves the call, reads along in the room it left, and comes back", async (t) => {
		const [first, second] = [freshRoom("kitchen"), freshRoom("garden")];
		const [ann, bob] = await house.call(t, first, ["Ann", "Bob"]);
		const [cem] = await house.call(t, second, ["Cem"]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await ann.press("rooms-button");
		await ann.find("other-room-input").fill(`${house.server.http}/r/${second}`);
		await ann.press("other-room-button");
		await ann.counts(2);
		assert.equal(new URL(ann.page.url()).pathname, `/r/${second}`);
		await Promise.all([ann.hearsAndSees(cem), cem.hearsAndSees(ann)]);
		await bob.counts(1);
		await bob.press("chat-button");
		await bob.find("chat-input").fill("are you coming back?");
		await bob.press("chat-send");
		await ann.sees("rooms-unread", "1");
		await ann.press("rooms-button");
		await ann.sees("room-row", first);
		await ann.sees("room-unread", "1");
		await ann.shot("rooms");
		await ann.find("room-row").getByText(first).click();
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
		await cem.counts(1);
		await ann.sees("chat-unread", "1");
		await ann.press("chat-button");
		await ann.sees("chat-message", "are you coming back?");
		await ann.page.goBack();
		await Promise.all([ann.hearsAndSees(cem), cem.hearsAndSees(ann)]);
		await Promise.all([ann, bob, cem].map((guest) => guest.press("leave-button")));
	});

	it("shows who reads along, apart from the call, to be managed like the others", async (t) => {
		const room = freshRoom("hall");
		const [ann, bob] = await house.call(t, room, ["Ann", "Bob"]);
		await ann.seesNo("watching-count");
		await bob.press("rooms-button");
		await bob.find("other-room-input").fill(freshRoom("attic"));
		await bob.press("other-room-button");
		await ann.counts(1);
		await ann.announces("Bob reads along");
		await ann.sees("watching-count", "1 reading along");
		await ann.press("people-button");
		await ann.sees("watching", "Bob");
		await ann.sees("people-dialog", "Ann (you)");
		await ann.shot("watching");
		const { json } = await call(house.server, "GET", `/api/v1/rooms/${room}/members`);
		assert.deepEqual(
			json.members.map(({ name, metadata }) => [name, metadata.watching ?? false]),
			[
				["Ann", false],
				["Bob", true],
			],
		);
		await ann.find("watching").getByRole("button", { name: "Manage Bob" }).click();
		await ann.press("kick-button");
		await ann.press("kick-confirm");
		await ann.seesNo("watching");
		await ann.seesNo("watching-count");
		await ann.page.keyboard.press("Escape");
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("leaves a room that is only read along, and forgets it", async (t) => {
		const [first, second] = [freshRoom("hall"), freshRoom("attic")];
		const witness = await connect(t, house.server);
		await witness.join(first, { name: "Witness" });
		const ann = await house.open(t, `/r/${first}`, "Ann");
		await ann.join();
		await witness.next("joined");
		await ann.page.keyboard.press("r");
		await ann.find("other-room-input").fill(second);
		await ann.press("other-room-button");
		await witness.next("left", { reason: "leave" });
		const { member } = await witness.next("joined");
		assert.equal(member.metadata.watching, true);
		await ann.sees("empty-room");
		await ann.press("rooms-button");
		await ann
			.find("room-row")
			.getByRole("button", { name: `Leave ${first}` })
			.click();
		await witness.next("left", { member: member.id });
		await ann.seesNo("room-row");
		await ann.page.keyboard.press("Escape");
		await ann.press("leave-button");
	});
});
