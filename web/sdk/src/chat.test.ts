import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Chat } from "./chat.js";
import type { ChatMessage } from "./chat-wire.js";
import { ConnectionError, RequestError } from "./errors.js";
import { Outbox } from "./outbox.js";

interface Asked {
	type: string;
	fields: Record<string, unknown>;
	resolve(data: unknown): void;
	reject(error: Error): void;
}

describe("Chat", () => {
	let asked: Asked[];
	let sent: string[];
	let chat: Chat;
	const own = { id: "me", name: "Me" };
	const line = {
		request: (type: string, fields: object) =>
			new Promise<unknown>((resolve, reject) => {
				asked.push({ type, fields: { ...fields }, resolve, reject });
			}),
		send: (type: string, fields: object) => sent.push(`${type} ${JSON.stringify(fields)}`) > 0,
		identified: false,
		uploadPlace: () => undefined,
		urlOf: (path: string) => `https://example.org${path}`,
		log: () => undefined,
	};
	const settle = () => vi.advanceTimersByTimeAsync(0);
	const message = (n: number, extra: Partial<ChatMessage> = {}) => ({
		...{ type: "chat" as const, n, from: "m1", name: "Ann", text: `text ${n}`, time: n, epoch: 1 },
		...extra,
	});
	const page = (messages: object[], more = false) => ({ messages, more, epoch: 1 });
	const texts = () => chat.entries.map(({ text, state }) => `${text} ${state}`);
	const last = () => asked.at(-1) as Asked;

	beforeEach(() => {
		vi.useFakeTimers();
		asked = [];
		sent = [];
		chat = new Chat(line, new Outbox(3), { nextDelay: () => 1000 });
	});
	afterEach(() => vi.useRealTimers());

	it("shows what is sent at once, and under its number when the server has it", async () => {
		chat.handleSeated(own, { chat: [], epoch: 1, n: 0 });
		const done = chat.send("hello");
		expect(texts()).toEqual(["hello pending"]);
		const [before] = chat.entries;
		last().resolve({ n: 4, time: 44, epoch: 1 });
		expect(await done).toMatchObject({ n: 4, time: 44, mine: true, state: "sent" });
		chat.handleEvent(message(4, { from: "me", text: "hello", key: String(last().fields.key) }));
		expect(texts()).toEqual(["hello sent"]);
		expect(chat.entries[0]?.key).toBe(before?.key);
	});

	it("queues while the server is away, and sends once and in order on return", async () => {
		const done = Promise.all([chat.send("one"), chat.send("two")]);
		expect(asked).toEqual([]);
		expect(texts()).toEqual(["one pending", "two pending"]);
		chat.handleSeated(own, { chat: [], epoch: 1, n: 0 });
		expect(asked.map(({ fields }) => fields.text)).toEqual(["one"]);
		last().resolve({ n: 1, time: 1, epoch: 1 });
		await settle();
		last().resolve({ n: 2, time: 2, epoch: 1 });
		await done;
		expect(texts()).toEqual(["one sent", "two sent"]);
	});

	it("sends again under the same key when nobody knows whether it arrived", async () => {
		chat.handleSeated(own, { chat: [], epoch: 1, n: 0 });
		const done = chat.send("hello");
		const { key } = last().fields;
		last().reject(ConnectionError.lost());
		chat.handleAway();
		await settle();
		chat.handleResumed();
		expect(asked.length).toBe(2);
		expect(last().fields.key).toBe(key);
		// The first had arrived: its event comes with what was missed.
		chat.handleEvent(message(3, { from: "me", text: "hello", key: String(key) }));
		last().resolve({ n: 3, time: 3, epoch: 1, known: true });
		await done;
		expect(texts()).toEqual(["hello sent"]);
	});

	it("waits for a server that is busy, and gives up what is refused", async () => {
		chat.handleSeated(own, { chat: [], epoch: 1, n: 0 });
		const done = expect(chat.send("hello")).rejects.toMatchObject({ reason: "denied" });
		last().reject(new RequestError("unavailable", "full"));
		await settle();
		expect(asked.length).toBe(1);
		await vi.advanceTimersByTimeAsync(1000);
		expect(asked.length).toBe(2);
		last().reject(new RequestError("denied", "no"));
		await done;
		expect(texts()).toEqual(["hello failed"]);
		const [entry] = chat.entries;
		if (entry) chat.retry(entry);
		expect(texts()).toEqual(["hello pending"]);
		last().resolve({ n: 1, time: 1, epoch: 1 });
		await settle();
		expect(texts()).toEqual(["hello sent"]);
	});

	it("refuses more than the outbox holds, and takes out what is discarded or aborted", async () => {
		const control = new AbortController();
		const one = expect(chat.send("one", { signal: control.signal })).rejects.toThrow("enough");
		const two = expect(chat.send("two")).rejects.toMatchObject({ reason: "discarded" });
		void chat.send("three");
		await expect(chat.send("four")).rejects.toMatchObject({ reason: "outbox-full" });
		control.abort(new Error("enough"));
		const [entry] = chat.entries;
		if (entry) chat.discard(entry);
		await Promise.all([one, two]);
		expect(texts()).toEqual(["three pending"]);
	});

	it("fills the gap between what it knew and what a later join tells", async () => {
		const heard: string[] = [];
		chat.on("message", ({ entry, missed }) => heard.push(`${entry.n}${missed ? " missed" : ""}`));
		chat.handleSeated(own, { chat: [message(1)], epoch: 1, n: 1 });
		chat.handleEvent(message(2));
		chat.handleAway();
		chat.handleSeated(own, { chat: [message(9)], epoch: 1, n: 9 });
		expect(last()).toMatchObject({ type: "history", fields: { after: 2 } });
		const edited = { type: "edited", from: "m1", n: 6, of: 2, text: "better", time: 6 };
		last().resolve(page([message(5), edited, message(9)]));
		await settle();
		expect(texts()).toEqual(["text 1 sent", "better sent", "text 5 sent", "text 9 sent"]);
		expect(heard).toEqual(["1 missed", "2", "9 missed", "5 missed"]);
	});

	it("asks for nothing when a join tells nothing new", () => {
		chat.handleSeated(own, { chat: [message(1)], epoch: 1, n: 1 });
		chat.handleAway();
		chat.handleSeated(own, { chat: [message(1)], epoch: 1, n: 1 });
		expect(asked).toEqual([]);
	});

	it("loads older pages until there are none, one at a time", async () => {
		chat.handleSeated(own, { chat: [message(60)], epoch: 1, n: 60 });
		const [first, same] = [chat.older(), chat.older()];
		expect(asked.length).toBe(1);
		expect(last().fields).toMatchObject({ before: 60 });
		last().resolve(page([message(10), message(11)], true));
		expect(await Promise.all([first, same])).toEqual([true, true]);
		const rest = chat.older();
		expect(last().fields).toMatchObject({ before: 10 });
		last().resolve(page([message(1)]));
		expect(await rest).toBe(false);
		expect(chat.hasOlder).toBe(false);
		expect(chat.entries.map(({ n }) => n)).toEqual([1, 10, 11, 60]);
	});

	it("finds without mixing what it finds into the room", async () => {
		chat.handleSeated(own, { chat: [message(60)], epoch: 1, n: 60 });
		const found = chat.search("text", { before: 40 });
		expect(last()).toMatchObject({ type: "search", fields: { text: "text", before: 40 } });
		last().resolve(page([message(3), message(7)]));
		expect((await found).entries.map(({ n }) => n)).toEqual([7, 3]);
		expect(chat.entries.length).toBe(1);
	});

	it("tells who is writing, until they have written or fallen silent", async () => {
		chat.handleSeated(own, { chat: [], epoch: 1, n: 0 });
		const told: string[] = [];
		chat.on("typing", (ids) => told.push(ids.join()));
		for (const from of ["m1", "m2", "me"]) chat.handleEvent({ type: "typing", from, on: true });
		chat.handleEvent(message(1));
		await vi.advanceTimersByTimeAsync(7000);
		expect(told).toEqual(["m1", "m1,m2", "m2", ""]);
		chat.typing();
		chat.typing();
		expect(sent).toEqual(['typing {"on":true}']);
	});

	it("marks forward only", () => {
		chat.handleSeated(own, { chat: [], epoch: 1, n: 0 });
		for (const n of [3, 2, 3, 5]) chat.markRead(n);
		expect(sent).toEqual(['read {"n":3}', 'read {"n":5}']);
		chat.handleEvent({ type: "read", from: "m1", n: 4 });
		expect(chat.markers.get("m1")).toBe(4);
	});
});
