import { beforeEach, describe, expect, it } from "vitest";
import type { Chat, SendFileOptions } from "../../../sdk/src/index.js";
import { sizeText } from "./chat-words.js";
import { Uploads } from "./uploads.js";

describe("Uploads", () => {
	let asked: { name: string; options: SendFileOptions; end: (error?: Error) => void }[];
	let failed: string[];
	let uploads: Uploads;
	const settle = () => new Promise((resolve) => setTimeout(resolve));
	const file = (name: string) => new File(["x"], name);
	const names = () => uploads.items.value.map(({ name, part }) => `${name} ${part}`);

	beforeEach(() => {
		asked = [];
		failed = [];
		const chat = {
			fileLimit: 10,
			sendFile: ({ name }: File, options: SendFileOptions) =>
				new Promise((resolve, reject) => {
					options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
					const end = (error?: Error) => (error ? reject(error) : resolve(undefined));
					asked.push({ name, options, end });
				}),
		};
		uploads = new Uploads(chat as unknown as Chat, (_, name) => failed.push(name));
	});

	it("sends one after the other, and tells how far each is", async () => {
		uploads.refresh();
		expect(uploads.possible.value).toBe(true);
		uploads.add(file("a"), 7);
		uploads.add(file("b"));
		await settle();
		expect(asked.map(({ name }) => name)).toEqual(["a"]);
		expect(asked[0]?.options.reply).toBe(7);
		asked[0]?.options.onProgress?.(0.5);
		expect(names()).toEqual(["a 0.5", "b 0"]);
		asked[0]?.end();
		await settle();
		expect(names()).toEqual(["b 0"]);
		asked[1]?.end();
		await settle();
		expect(names()).toEqual([]);
		expect(failed).toEqual([]);
	});

	it("goes on with the next when one is cancelled or fails", async () => {
		for (const name of ["a", "b", "c", "d"]) uploads.add(file(name));
		await settle();
		const [a, b] = uploads.items.value;
		uploads.cancel(b?.key ?? "");
		uploads.cancel(a?.key ?? "");
		await settle();
		expect(failed).toEqual([]);
		expect(asked.map(({ name }) => name)).toEqual(["a", "c"]);
		asked[1]?.end(new Error("no"));
		await settle();
		expect(failed).toEqual(["c"]);
		expect(names()).toEqual(["d 0"]);
		uploads.cancelAll();
		expect(names()).toEqual([]);
	});

	it("sizes are for people", () => {
		const sizes = [0, 999, 1_000, 34_400, 999_499, 999_500, 26_214_400, 5e9];
		const words = ["0 B", "999 B", "1 kB", "34 kB", "999 kB", "1 MB", "26 MB", "5 GB"];
		expect(sizes.map(sizeText)).toEqual(words);
	});
});
