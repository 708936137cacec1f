// The chat of the page: everything one can do to a message, what one missed, and what one wrote
// while the server was away.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, it } from "node:test";
import { callOf, Guest, keepHouse, PHONE } from "../lib/browser.mjs";
import { connect, freshRoom } from "../lib/client.mjs";
import { Line } from "../lib/line.mjs";
import { freshDir, serverFor, startServer } from "../lib/server.mjs";

describe("the chat of the page", () => {
	const house = keepHouse();

	const write = async (guest, text) => {
		await guest.find("chat-input").fill(text);
		await guest.press("chat-send");
	};
	const message = (guest, text) => guest.find("chat-message").filter({ hasText: text });
	const sent = (guest, text) => message(guest, text).and(guest.page.locator('[data-state="sent"]'));
	const act = async (guest, text, action) => {
		await message(guest, text).hover();
		await message(guest, text)
			.getByRole("button", { name: /^Actions for/ })
			.click();
		await guest.find("message-actions").getByRole("button", { name: action }).click();
	};
	/** Takes the network away from a page: what is open breaks, and nothing new opens. */
	const cut = (page, off) =>
		page.evaluate((off) => {
			window.realWebSocket ??= window.WebSocket;
			if (!off) {
				window.WebSocket = window.realWebSocket;
				return;
			}
			window.WebSocket = class {
				constructor() {
					setTimeout(() => this.onclose?.());
				}
				close() {}
			};
			window.parleyDebug.dropConnection();
		}, off);
	const historyOf = async (client, room) => {
		await client.join(room, { name: "Reader" });
		return client.do({ type: "history", room });
	};
	const texts = (guest) => guest.page.locator(".message-text").allTextContents();

	it("edits, deletes, answers and reacts, and shows who is writing", async (t) => {
		const room = freshRoom("chat");
		const [ann, bob] = await house.call(t, room, ["Ann", "Bob"]);
		await ann.press("chat-button");
		await bob.press("chat-button");
		await write(ann, "helo");
		await message(bob, "helo").waitFor();
		await ann.find("chat-input").press("ArrowUp");
		await ann.find("chat-input").fill("hello");
		await ann.press("chat-send");
		await message(bob, "hello (edited)").waitFor();
		await act(bob, "hello", "React with 👍");
		await ann.find("reaction").filter({ hasText: "👍 1" }).waitFor();
		assert.equal(await ann.find("reaction").getAttribute("title"), "Bob");
		await ann.press("reaction");
		await bob.find("reaction").filter({ hasText: "👍 2" }).waitFor();
		await act(bob, "hello", "Reply");
		await bob.find("chat-input").pressSequentially("and to you");
		await ann.sees("chat-typing", "Bob is writing…");
		await bob.find("chat-input").press("Enter");
		await message(ann, "and to you").getByRole("button", { name: "You: hello" }).waitFor();
		await ann.page.waitForFunction(
			() => document.querySelector('[data-testid="chat-typing"]').textContent === "",
		);
		await ann.shot("chat-desktop");
		await act(bob, "and to you", "Delete");
		await message(ann, "Message deleted").waitFor();
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("has the whole history: loaded as one scrolls up, and found by its words", async (t) => {
		const room = freshRoom("long");
		const robot = await connect(t, house.server);
		await robot.join(room, { name: "Robot" });
		for (let i = 1; i <= 180; i++) {
			const rare = i === 7 ? " with a zebra" : "";
			await robot.do({ type: "chat", text: `message number ${i}${rare}` });
		}
		const ann = await house.open(t, `/r/${room}`, "Ann");
		await ann.join();
		await ann.press("chat-button");
		await message(ann, "message number 180").waitFor();
		assert.equal(await ann.find("chat-unread").count(), 0, "what was said before is not unread");
		const list = ann.page.getByRole("log");
		while (!(await ann.find("chat-beginning").isVisible())) {
			await list.evaluate((element) => element.scrollTo({ top: 0 }));
			await ann.page.waitForFunction(() => {
				const log = document.querySelector('[role="log"]');
				return log.scrollTop > 0 || document.querySelector('[data-testid="chat-beginning"]');
			});
		}
		const all = await texts(ann);
		assert.deepEqual(
			all.map((text) => Number(/\d+/.exec(text)[0])),
			Array.from({ length: 180 }, (_, i) => i + 1),
		);
		await ann.press("chat-to-end");
		await ann.press("chat-search-tab");
		await ann.find("chat-search").fill("zebra");
		await ann.sees("chat-hit", "message number 7 with a zebra");
		await ann.shot("chat-search");
		await ann.press("chat-hit");
		await ann.page.locator(".shown").filter({ hasText: "zebra" }).waitFor();
		await ann.press("chat-people-tab");
		await ann.sees("visit", "Robot");
		await ann.sees("visit", "Ann");
		await ann.shot("chat-people");
		await ann.press("leave-button");
	});

	it("is away for a minute, and then has the whole history and its own message once", async (t) => {
		const dataDir = freshDir();
		t.after(() => rmSync(dataDir, { recursive: true, force: true }));
		const first = await startServer({ dataDir });
		const room = freshRoom("minute");
		const bob = await connect(t, first);
		await bob.join(room, { name: "Bob" });
		const ann = await Guest.open(t, house.browser, first, `/r/${room}`, "Ann");
		// The page's clock is the test's: a minute of its time takes as long as the work it causes.
		await ann.page.clock.install();
		await ann.join();
		await ann.press("chat-button");
		await write(ann, "before");
		await bob.next("chat", { text: "before" });
		await sent(ann, "before").waitFor();
		await cut(ann.page, true);
		await ann.sees("chat-away");
		await write(ann, "written while away");
		await write(ann, "and another");
		assert.equal(await ann.find("chat-pending").count(), 2);
		await ann.shot("chat-away");
		for (let i = 1; i <= 70; i++) await bob.do({ type: "chat", room, text: `missed ${i}` });
		await ann.page.clock.runFor(60_000);
		assert.equal(await ann.find("chat-pending").count(), 2);
		await cut(ann.page, false);
		await ann.retries();
		await ann.page.clock.runFor(1_000);
		await bob.next("chat", { text: "written while away" });
		await bob.next("chat", { text: "and another" });
		await sent(ann, "and another").waitFor();
		await ann.page.waitForFunction(() => document.querySelectorAll(".message-text").length === 73);
		const missed = Array.from({ length: 70 }, (_, i) => `missed ${i + 1}`);
		const expected = ["before", ...missed, "written while away", "and another"];
		assert.deepEqual(await texts(ann), expected);
		const { messages } = await bob.do({ type: "history", room, limit: 200 });
		assert.deepEqual(
			messages.map(({ text }) => text),
			expected,
			"each is on the server once",
		);
		await bob.close();
		await ann.press("leave-button");
		await first.stop();
	});

	it("keeps what waits over a reload, and sends it once", async (t) => {
		const room = freshRoom("reload");
		const bob = await connect(t, house.server);
		await bob.join(room, { name: "Bob" });
		const ann = await house.open(t, `/r/${room}`, "Ann");
		await ann.join();
		await ann.press("chat-button");
		await cut(ann.page, true);
		await write(ann, "written before the reload");
		await ann.sees("chat-pending");
		await ann.page.reload();
		await ann.join();
		await bob.next("chat", { text: "written before the reload" });
		await ann.press("chat-button");
		await sent(ann, "written before the reload").waitFor();
		const { messages } = await bob.do({ type: "history", room });
		assert.equal(messages.length, 1);
		await ann.press("leave-button");
	});

	it("loses nothing when the server is killed, and sends what was written meanwhile", async (t) => {
		const dataDir = freshDir();
		t.after(() => rmSync(dataDir, { recursive: true, force: true }));
		const first = await startServer({ dataDir });
		const room = freshRoom("killed");
		const [ann, bob] = await callOf(t, house.browser, first, room, ["Ann", "Bob"]);
		await ann.press("chat-button");
		await bob.press("chat-button");
		await write(ann, "one");
		await message(bob, "one").waitFor();
		await first.kill();
		await Promise.all([ann.sees("chat-away"), bob.sees("chat-away")]);
		await write(ann, "two");
		await write(bob, "three");
		const second = await serverFor(t, { dataDir, port: first.port });
		for (const guest of [ann, bob]) {
			for (const text of ["one", "two", "three"]) {
				await sent(guest, text).waitFor();
			}
			assert.equal((await texts(guest)).length, 3);
		}
		assert.deepEqual(await texts(ann), await texts(bob), "both see the same order");
		const cem = await connect(t, second);
		const { messages } = await historyOf(cem, room);
		assert.deepEqual(messages.map(({ text }) => text).sort(), ["one", "three", "two"]);
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("comes back from a real loss of its line, longer than its seat is kept", async (t) => {
		const far = await serverFor(t, { grace: "2s" });
		const line = await Line.open(t, far);
		const room = freshRoom("outage");
		const bob = await connect(t, far);
		await bob.join(room, { name: "Bob" });
		const ann = await Guest.open(t, house.browser, { http: line.http }, `/r/${room}`, "Ann");
		await ann.join();
		await ann.press("chat-button");
		await write(ann, "before");
		await bob.next("chat", { text: "before" });
		await sent(ann, "before").waitFor();
		line.cut();
		await ann.sees("chat-away");
		await write(ann, "written while away");
		// The seat and with it the session are gone.
		await bob.next("left", { reason: "disconnect" });
		for (let i = 1; i <= 120; i++) await bob.do({ type: "chat", room, text: `missed ${i}` });
		line.mend();
		await ann.retries();
		await bob.next("chat", { text: "written while away" });
		const missed = Array.from({ length: 120 }, (_, i) => `missed ${i + 1}`);
		const expected = ["before", ...missed, "written while away"];
		await ann.page.waitForFunction(
			(count) => document.querySelectorAll(".message-text").length === count,
			expected.length,
		);
		assert.deepEqual(await texts(ann), expected);
		const { messages } = await bob.do({ type: "history", room, limit: 200 });
		assert.deepEqual(
			messages.map(({ text }) => text),
			expected,
		);
		await ann.press("leave-button");
	});

	it("knows its own messages after a reload, and that it cannot change them", async (t) => {
		const room = freshRoom("own");
		const robot = await connect(t, house.server);
		await robot.join(room, { name: "Robot" });
		const ann = await house.open(t, `/r/${room}`, "Ann");
		await ann.join();
		await ann.press("chat-button");
		await write(ann, "mine of before");
		await robot.next("chat", { text: "mine of before" });
		await robot.do({ type: "chat", text: "the robot's" });
		await ann.page.reload();
		await ann.join();
		await ann.press("chat-button");
		await write(ann, "mine of now");
		await robot.next("chat", { text: "mine of now" });
		const heads = ann.page.locator(".message-head strong");
		assert.deepEqual(await heads.allTextContents(), ["You", "Robot", "You"]);
		assert.equal(await ann.page.locator(".message.mine").count(), 2);
		const actions = async (text) => {
			await message(ann, text).hover();
			const more = message(ann, text).getByRole("button", { name: /^Actions for/ });
			await more.click();
			const names = await ann.find("message-actions").locator("button").allTextContents();
			await more.click();
			return names.filter((name) => /[a-z]/.test(name));
		};
		assert.deepEqual(await actions("mine of before"), ["Reply"]);
		assert.deepEqual(await actions("mine of now"), ["Reply", "Edit", "Delete"]);
		await ann.press("leave-button");
	});

	it("says when nothing is kept; and one banner at a time", async (t) => {
		// Whoever lost the seat would come back without its role, and be told so.
		const forgetful = await serverFor(t, { args: ["--store.url=none"], grace: "1m" });
		const [ann] = await callOf(t, house.browser, forgetful, freshRoom("memory"), ["Ann", "Bob"]);
		await ann.press("chat-button");
		await ann.sees("chat-volatile", "This server keeps no messages");
		assert.equal(await ann.find("chat-attach").count(), 0, "nor files");
		await ann.sees("open-banner");
		await cut(ann.page, true);
		await ann.sees("reconnect-banner");
		assert.equal(await ann.page.locator(".banners > *").count(), 1);
		await cut(ann.page, false);
		await ann.sees("open-banner");
		const kept = await house.open(t, `/r/${freshRoom("kept")}`, "Cem");
		await kept.join();
		await kept.press("chat-button");
		await kept.find("chat-attach").waitFor();
		assert.equal(await kept.find("chat-volatile").count(), 0);
		await kept.press("leave-button");
	});

	it("fits a phone, by day and by night", async (t) => {
		for (const colorScheme of ["light", "dark"]) {
			const room = freshRoom("phone");
			const robot = await connect(t, house.server);
			await robot.join(room, { name: "Robot" });
			await robot.do({
				type: "chat",
				text: "Shall we begin? I have the notes of the last time here.",
			});
			const guest = await house.open(t, `/r/${room}`, "Ann", { ...PHONE, colorScheme });
			await guest.join();
			await guest.press("chat-button");
			await write(guest, "Yes, let me just find my glasses. They were on the table a minute ago.");
			await message(guest, "Shall we begin")
				.getByRole("button", { name: /^Actions/ })
				.tap();
			await guest.sees("message-actions");
			const { width, scroll } = await guest.page.evaluate(() => ({
				width: document.documentElement.clientWidth,
				scroll: document.documentElement.scrollWidth,
			}));
			assert.equal(scroll, width, "nothing sticks out at the side");
			await guest.shot(`chat-phone-${colorScheme}`);
			await guest.page.getByRole("button", { name: "Close the chat" }).tap();
			await guest.press("leave-button");
		}
	});
});
