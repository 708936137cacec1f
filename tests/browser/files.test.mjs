// Files in the chat of the page: chosen, dropped, pasted; shown, saved, refused, cancelled.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { keepHouse, PHONE } from "../lib/browser.mjs";
import { connect, freshRoom } from "../lib/client.mjs";
import { noise, uploaded } from "../lib/files.mjs";
import { metricIs } from "../lib/metrics.mjs";
import { poll } from "../lib/wait.mjs";

/** A picture of one red pixel. */
const PNG = Buffer.from(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
	"base64",
);

describe("files in the chat of the page", () => {
	const house = keepHouse({ args: ["--files.size=2M"] });

	const choose = (guest, ...files) => guest.find("chat-file-input").setInputFiles(files);
	const file = (name, buffer, mimeType = "application/octet-stream") => ({ name, buffer, mimeType });
	const text = (guest, words) => guest.find("chat-message").filter({ hasText: words });

	it("what is chosen arrives at the other side, byte for byte", async (t) => {
		const room = freshRoom("files");
		const [ann, bob] = await house.call(t, room, ["Ann", "Bob"]);
		await ann.press("chat-button");
		await bob.press("chat-button");
		const bytes = noise(1_500_000);
		await choose(ann, file("the plan.zip", bytes, "application/zip"), file("red.png", PNG, "image/png"));
		await bob.sees("chat-file", "the plan.zip");
		await bob.sees("chat-file", "1.5 MB · Download");
		const [download] = await Promise.all([
			bob.page.waitForEvent("download"),
			bob.find("chat-file").click(),
		]);
		assert.equal(download.suggestedFilename(), "the plan.zip");
		assert.ok(readFileSync(await download.path()).equals(bytes));
		const picture = bob.find("chat-picture");
		await picture.waitFor();
		assert.equal(await picture.getAttribute("alt"), "red.png");
		await bob.page.waitForFunction(
			() => document.querySelector('[data-testid="chat-picture"]')?.naturalWidth === 1,
		);
		await ann.sees("chat-file");
		await ann.seesNo("chat-upload");
		assert.equal(await ann.find("chat-file").count(), 1, "ours are shown to us once");
		await ann.shot("files-desktop");
		// It goes with its message.
		await text(ann, "the plan.zip").hover();
		await text(ann, "the plan.zip").getByRole("button", { name: "Actions for: the plan.zip" }).click();
		await ann.find("message-actions").getByRole("button", { name: "Delete" }).click();
		await bob.find("chat-file").waitFor({ state: "hidden" });
		await Promise.all([ann, bob].map((guest) => guest.press("leave-button")));
	});

	it("takes what is dropped on it, and pictures that are pasted", async (t) => {
		const room = freshRoom("drop");
		const bob = await connect(t, house.server);
		await bob.join(room, { name: "Bob" });
		const ann = await house.open(t, `/r/${room}`, "Ann");
		await ann.join();
		const transfer = await ann.page.evaluateHandle(() => {
			const data = new DataTransfer();
			data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
			return data;
		});
		// Beside the chat, which was not even open: the browser does not leave the call for the file.
		const stage = ann.page.getByRole("main");
		await stage.dispatchEvent("dragenter", { dataTransfer: transfer });
		await ann.page.locator(".call.dropping").waitFor();
		await stage.dispatchEvent("drop", { dataTransfer: transfer });
		await ann.sees("chat-file", "dropped.txt");
		const dropped = await bob.next("chat");
		assert.deepEqual(
			dropped.files.map(({ name, type, size }) => [name, type, size]),
			[["dropped.txt", "text/plain", 7]],
		);
		await ann.page.evaluate((base64) => {
			const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
			const data = new DataTransfer();
			data.items.add(new File([bytes], "image.png", { type: "image/png" }));
			const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
			document.querySelector('[data-testid="chat-input"]').dispatchEvent(event);
		}, PNG.toString("base64"));
		assert.equal((await bob.next("chat")).files[0].type, "image/png");
		await ann.press("leave-button");
	});

	it("says in words what cannot be sent", async (t) => {
		const room = freshRoom("large");
		const ann = await house.open(t, `/r/${room}`, "Ann");
		await ann.join();
		await ann.press("chat-button");
		await choose(ann, file("film.mp4", noise((2 << 20) + 1), "video/mp4"));
		await ann.sees("chat-trouble", "“film.mp4” is too large: at most 2.1 MB.");
		await ann.seesNo("chat-upload");
		assert.equal(await ann.find("chat-message").count(), 0);
		// The next thing that works clears it.
		await choose(ann, file("small.bin", noise(10)));
		await ann.sees("chat-file", "small.bin");
		await ann.seesNo("chat-trouble");
		await ann.press("leave-button");
	});

	it("shows how far it is, and stops when it is told to", async (t) => {
		const room = freshRoom("cancel");
		const ann = await house.open(t, `/r/${room}`, "Ann");
		await ann.join();
		await ann.press("chat-button");
		// A network of 50 kB/s.
		const tools = await ann.page.context().newCDPSession(ann.page);
		await tools.send("Network.enable");
		await tools.send("Network.emulateNetworkConditions", {
			...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 50_000 },
		});
		await choose(ann, file("one.bin", noise(1_900_000)), file("two.bin", noise(10)));
		const bar = ann.page.getByRole("progressbar", { name: "Sending one.bin" });
		await poll(
			async () => (await bar.evaluate((element) => element.value)) > 0,
			() => "the bar to move",
		);
		await ann.shot("files-sending");
		await ann.page.getByRole("button", { name: "Do not send one.bin" }).press("Enter");
		// The other one goes on.
		await ann.sees("chat-file", "two.bin");
		await ann.seesNo("chat-upload");
		assert.equal(await ann.find("chat-message").count(), 1);
		await metricIs(house.server, "files_transfers", 0);
		await ann.press("leave-button");
	});

	it("fits a phone", async (t) => {
		const room = freshRoom("phone");
		const bob = await connect(t, house.server);
		bob.joinData = await bob.join(room, { name: "Bob" });
		const files = [
			await uploaded(house.server, bob, PNG, { name: "red.png", type: "image/png" }),
			await uploaded(house.server, bob, noise(40_000), { name: `${"long name ".repeat(10)}.pdf` }),
		];
		await bob.do({ type: "chat", text: "Two things", files: files.map(({ id }) => id) });
		const ann = await house.open(t, `/r/${room}`, "Ann", PHONE);
		await ann.join();
		await ann.press("chat-button");
		await ann.sees("chat-picture");
		await ann.sees("chat-file");
		const { width, scroll } = await ann.page.evaluate(() => ({
			width: document.documentElement.clientWidth,
			scroll: document.documentElement.scrollWidth,
		}));
		assert.equal(scroll, width, "nothing sticks out at the side");
		await ann.shot("files-phone");
		await ann.page.getByRole("button", { name: "Close the chat" }).tap();
		await ann.press("leave-button");
	});
});
