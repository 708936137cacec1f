// The page on a phone: nothing is cut off, everything can be touched, and calls work.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepHouse, PHONE } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";

const SMALL = { ...PHONE, viewport: { width: 320, height: 568 } };

/** What sticks out of the window, or is too small for a finger. Runs in the page. */
function misfits() {
	const found = [];
	/** A finger that lands 19 px beside the middle still touches it. */
	const isTouched = (element) => {
		element.scrollIntoView({ block: "center" });
		const { left, right, top, bottom } = element.getBoundingClientRect();
		const hits = [-19, 19].flatMap((by) => [
			document.elementFromPoint((left + right) / 2 + by, (top + bottom) / 2),
			document.elementFromPoint((left + right) / 2, (top + bottom) / 2 + by),
		]);
		return hits.every((hit) => hit === null || element.contains(hit));
	};
	if (document.documentElement.scrollWidth > innerWidth) {
		found.push(`the page is ${document.documentElement.scrollWidth} wide`);
	}
	for (const element of document.querySelectorAll("button, input, select, a")) {
		const { left, right, width, height } = element.getBoundingClientRect();
		if (width === 0 || getComputedStyle(element).visibility === "hidden") {
			continue;
		}
		const name = element.dataset.testid ?? element.textContent.trim() ?? element.tagName;
		if (left < -1 || right > innerWidth + 1) {
			found.push(`${name} is cut off (${Math.round(left)}..${Math.round(right)})`);
		}
		if (element.tagName === "BUTTON" && !isTouched(element)) {
			found.push(`${name} is ${Math.round(width)} x ${Math.round(height)}`);
		}
	}
	return found;
}

describe("the page on a phone", () => {
	const house = keepHouse();

	async function fits(guest) {
		assert.deepEqual(await guest.page.evaluate(misfits), []);
	}

	for (const [what, options] of [
		["phone", PHONE],
		["small-phone", SMALL],
	]) {
		it(`fits a ${what}, from the start page to the end of the call`, async (t) => {
			const ann = await house.open(t, "/", "Ann", options);
			await fits(ann);
			await ann.shot(`${what}-home`);
			const room = freshRoom("phone");
			await ann.find("room-input").fill(room);
			await ann.press("create-button");
			await ann.sees("join-button");
			await ann.seesItself();
			await fits(ann);
			await ann.shot(`${what}-prejoin`);
			await ann.join();
			await ann.sees("empty-room");
			await fits(ann);
			await ann.shot(`${what}-alone`);
			const bob = await house.open(t, `/r/${room}`, "Bob", options);
			await bob.join();
			await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
			await fits(ann);
			await ann.shot(`${what}-two`);
			await ann.press("chat-button");
			await ann.find("chat-input").fill("hello from the phone");
			await ann.press("chat-send");
			await ann.sees("chat-message", "hello from the phone");
			await fits(ann);
			await ann.shot(`${what}-chat`);
			await ann.page.setViewportSize({ ...options.viewport, height: 300 });
			await ann.page.waitForFunction(() => {
				const { scrollTop, scrollHeight, clientHeight } = document.querySelector(".chat-list");
				return scrollHeight - clientHeight - scrollTop < 2;
			});
			await bob.press("leave-button");
			await bob.sees("ended");
			await fits(bob);
		});
	}

	it("shows three people", async (t) => {
		const [ann, bob, cem] = await house.call(t, freshRoom("phones"), ["Ann", "Bob", "Cem"], PHONE);
		await ann.hearsAndSees(bob, cem);
		await fits(ann);
		await ann.shot("phone-three");
	});

	it("has room for the pictures when it lies on its side", async (t) => {
		const side = { ...PHONE, viewport: { width: 740, height: 360 } };
		const room = freshRoom("side");
		const [ann, bob] = await house.call(t, room, ["Ann", "Bob"], side);
		await ann.hearsAndSees(bob);
		await fits(ann);
		const { height } = await ann.tile("Bob").boundingBox();
		assert.ok(height > 240, `the picture has ${height} of 360 pixels`);
		await ann.shot("phone-on-its-side");
		await ann.press("people-button");
		await ann.sees("people-dialog", "Bob");
		await ann.shot("phone-people-on-its-side");
	});
});
