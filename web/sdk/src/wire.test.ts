import { describe, expect, it } from "vitest";
import { connectUrl } from "./call-session.js";
import { MediaError } from "./errors.js";
import { member } from "./testing.js";
import { isJoinReply, parseServerMessage } from "./wire.js";

describe("parseServerMessage", () => {
	it("takes the messages of docs/protocol.md", () => {
		const messages = [
			{ type: "hello", iceServers: [] },
			{ type: "reply", id: 1, ok: true, data: {} },
			{ type: "pong" },
			{ type: "drain", retryAfter: 500 },
			{ type: "joined", room: "r", seq: 1, member: member("m1", "ann"), offer: false },
			{ type: "left", room: "r", seq: 2, member: "m1", reason: "timeout" },
			{ type: "chat", room: "r", seq: 3, from: "m1", name: "Ann", text: "hi", time: 1, n: 1 },
			{ type: "settings", room: "r", seq: 4, locked: true, lobby: false },
			{ type: "knock", room: "r", seq: 5, member: { id: "m2", name: "Eve" } },
			{ type: "unknock", room: "r", seq: 6, member: "m2" },
			{ type: "waiting", room: "r" },
		];
		for (const message of messages) {
			expect(parseServerMessage(JSON.stringify(message))).toEqual(message);
		}
	});

	it("lets go what is no JSON, unknown, or of a wrong form", () => {
		const wrong = [
			"",
			"[]",
			"null",
			'{"type":"new"}',
			'{"type":"joined","member":{}}',
			'{"type":5}',
			'{"type":"knock","member":{"id":"m1"}}',
			'{"type":"settings","locked":true}',
		];
		for (const text of wrong) expect(parseServerMessage(text)).toBeUndefined();
	});
});

describe("isJoinReply", () => {
	it("wants ourselves, the members and the chat", () => {
		const reply = { you: member("m1", "me"), members: [member("m2", "ann")], chat: [] };
		expect(isJoinReply(reply)).toBe(true);
		expect(isJoinReply({ ...reply, members: [{}] })).toBe(false);
		expect(isJoinReply({ ...reply, chat: undefined })).toBe(false);
	});
});

describe("connectUrl", () => {
	it("keeps the security of the page and escapes the room", () => {
		expect(connectUrl("https://h:8443", "a b&c")).toBe("wss://h:8443/v1/connect?room=a+b%26c");
		expect(connectUrl("http://h", "x")).toBe("ws://h/v1/connect?room=x");
	});
});

describe("MediaError", () => {
	it("says in plain reasons what browsers say in names", () => {
		const reasonOf = (name: string) =>
			MediaError.from(Object.assign(new Error("x"), { name })).reason;
		expect(reasonOf("NotAllowedError")).toBe("permission-denied");
		expect(reasonOf("NotFoundError")).toBe("no-device");
		expect(reasonOf("NotReadableError")).toBe("device-busy");
		expect(reasonOf("Whatever")).toBe("failed");
	});
});
