// Ring rooms in real browsers: nobody's media starts before somebody has answered.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepHouse } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";

describe("a ring room in the browser", () => {
	const house = keepHouse();

	/** Ann waits in a ring room, Bob calls. */
	async function ringing(t) {
		const path = `/r/${freshRoom("ring")}?ring=1`;
		const ann = await house.open(t, path, "Ann");
		await ann.join();
		await ann.sees("empty-room");
		const bob = await house.open(t, path, "Bob");
		await bob.join();
		await bob.sees("calling");
		await ann.sees("incoming-dialog", "Bob");
		assert.deepEqual(await bob.peers(), {}, "no media before the answer");
		return [ann, bob];
	}

	it("connects the two when the call is accepted", async (t) => {
		const [ann, bob] = await ringing(t);
		await ann.shot("incoming");
		await bob.shot("calling");
		await ann.press("accept-button");
		await ann.seesNo("incoming-dialog");
		await Promise.all([ann.counts(2), bob.counts(2)]);
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
	});

	it("tells the caller when the call is declined, who may call again", async (t) => {
		const [ann, bob] = await ringing(t);
		await ann.press("reject-button");
		await bob.sees("declined", "Ann");
		await bob.shot("declined");
		await ann.seesNo("incoming-dialog");
		assert.deepEqual(await bob.peers(), {});
		await bob.press("again-button");
		await ann.sees("incoming-dialog", "Bob");
		await ann.press("accept-button");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
	});

	it("stops ringing when the caller gives up", async (t) => {
		const [ann, bob] = await ringing(t);
		await bob.press("cancel-button");
		await ann.seesNo("incoming-dialog");
		await ann.sees("empty-room");
	});

	it("is made on the start page by its tick", async (t) => {
		const ann = await house.open(t, "/", "Ann");
		await ann.find("ring-option").check();
		await ann.press("create-button");
		await ann.sees("room-title");
		assert.equal(new URL(ann.page.url()).searchParams.get("ring"), "1");
	});
});
