import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Connection, Room } from "../../../sdk/src/index.js";
import { type FakeSocket, fakeSockets, member } from "../../../sdk/src/testing.js";
import { ChatModel } from "./chat-model.js";

describe("ChatModel", () => {
	let sockets: FakeSocket[];
	let connection: Connection;
	let model: ChatModel;
	let told: string[];
	const socket = () => sockets.at(-1) as FakeSocket;
	const said = (n: number, extra: object = {}) => ({
		...{ type: "chat", room: "fox", seq: n + 10, n, epoch: 1, from: "m1", name: "Ann" },
		...{ text: `text ${n}`, time: n },
		...extra,
	});
	const kept = (n: number) => socket().reply(socket().last("chat"), { n, epoch: 1, time: n });

	beforeEach(async () => {
		sockets = [];
		told = [];
		connection = new Connection({ url: "ws://test", WebSocket: fakeSockets(sockets) });
		const room = new Room(connection, { room: "fox", name: "Me", user: "me" });
		model = new ChatModel(room, (text) => told.push(text));
		void room.join();
		await socket().hello();
		await socket().reply(socket().last("join"), {
			...{
				room: "fox",
				seq: 1,
				you: member("m_me", "me", { joinedAt: 2 }),
				members: [member("m1", "Ann")],
			},
			...{ capacity: 6, ring: false, chat: [said(1)], epoch: 1, n: 1 },
		});
	});
	afterEach(() => {
		model.close();
		connection.close();
	});

	it("counts what came while nobody looked, and marks where it begins", async () => {
		expect(model.unread.value).toBe(0);
		await socket().say(said(2));
		await socket().say(said(3));
		expect(model.unread.value).toBe(2);
		expect(told).toEqual(["Ann writes: text 2", "Ann writes: text 3"]);
		model.toggle();
		expect(model.unread.value).toBe(0);
		expect(model.firstUnread.value).toBe(model.entries.value[1]?.key);
		expect(socket().last("read")).toMatchObject({ room: "fox", n: 3 });
		await socket().say(said(4));
		expect(model.unread.value).toBe(0);
		expect(socket().last("read").n).toBe(4);
	});

	it("says, answers and edits", async () => {
		expect(model.say("  ")).toBe(false);
		const [first] = model.entries.value;
		if (first) model.startReply(first);
		expect(model.say(" hello ")).toBe(true);
		expect(socket().last("chat")).toMatchObject({ text: "hello", reply: 1 });
		expect(model.replyTo.value).toBeUndefined();
		await kept(2);
		model.editLast();
		expect(model.editing.value?.n).toBe(2);
		model.say("hello all");
		expect(socket().last("edit")).toMatchObject({ n: 2, text: "hello all" });
		expect(model.editing.value).toBeUndefined();
	});

	it("takes its reaction back when it is there already", async () => {
		const react = () => {
			const [entry] = model.entries.value;
			if (entry) model.react(entry, "👍");
		};
		react();
		expect(socket().last("react")).toMatchObject({ n: 1, emoji: "👍", on: true });
		const reacted = { type: "reacted", room: "fox", seq: 20, from: "m_me", of: 1, time: 5 };
		await socket().say({ ...reacted, n: 5, emoji: "👍", reader: "me", on: true });
		react();
		expect(socket().last("react")).toMatchObject({ on: false });
	});

	it("says in words what the server refuses", async () => {
		model.say("hello");
		await socket().refuse(socket().last("chat"), "denied");
		expect(model.trouble.value).toContain("may not");
		expect(model.entries.value.at(-1)?.state).toBe("failed");
		const failed = model.entries.value.at(-1);
		if (failed) model.discard(failed);
		expect([model.trouble.value, model.entries.value.length]).toEqual(["", 1]);
	});

	it("names those who write", async () => {
		await socket().say({ type: "typing", room: "fox", seq: 30, from: "m1", on: true });
		expect(model.typing.value).toBe("Ann is writing…");
		await socket().say(said(2));
		expect(model.typing.value).toBe("");
	});

	it("asks for older messages once at a time, and can try again", async () => {
		void model.loadOlder();
		void model.loadOlder();
		expect(socket().count("history")).toBe(1);
		await socket().refuse(socket().last("history"), "unavailable");
		expect(model.older.value).toBe("failed");
		void model.loadOlder();
		await socket().reply(socket().last("history"), {
			...{ room: "fox", epoch: 1, more: false, read: 0, messages: [] },
		});
		expect([model.older.value, model.hasOlder.value]).toEqual(["idle", false]);
	});
});
