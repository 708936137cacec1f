import { describe, expect, it } from "vitest";
import { ChatLog } from "./chat-log.js";

const said = (n: number, text = `text ${n}`, from = "m1") => ({
	from,
	name: "Ann",
	text,
	time: n,
	n,
});

describe("ChatLog", () => {
	it("shows a message once, though it is replayed after a rejoin", () => {
		const log = new ChatLog();
		log.handleReplay([said(1), said(2)]);
		log.handleChat(said(3));
		expect(log.handleReplay([said(2), said(3), said(4)]).map(({ n }) => n)).toEqual([4]);
		expect(log.entries.map(({ n }) => n)).toEqual([1, 2, 3, 4]);
	});

	it("keeps the old messages when a restarted server counts from 1 again", () => {
		const log = new ChatLog();
		log.handleReplay([said(1, "old")]);
		log.handleReplay([]);
		log.handleChat(said(1, "new"));
		expect(log.entries.map(({ text }) => text)).toEqual(["old", "new"]);
		expect(new Set(log.entries.map(({ key }) => key)).size).toBe(2);
	});

	it("notices another message under the number of the last", () => {
		const log = new ChatLog();
		log.handleReplay([said(1, "old")]);
		expect(log.handleReplay([{ ...said(1, "new"), time: 99 }]).length).toBe(1);
	});

	it("knows our own messages under every member id we had", () => {
		const log = new ChatLog();
		log.handleOwnId("m1");
		log.handleOwnId("m9");
		log.handleReplay([said(1, "a", "m1"), said(2, "b", "m2"), said(3, "c", "m9")]);
		expect(log.entries.map(({ mine }) => mine)).toEqual([true, false, true]);
	});

	it("keeps no more than its limit", () => {
		const log = new ChatLog(2);
		log.handleReplay([said(1), said(2), said(3)]);
		expect(log.entries.map(({ n }) => n)).toEqual([2, 3]);
	});
});
