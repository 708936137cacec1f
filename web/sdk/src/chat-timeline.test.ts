import { describe, expect, it } from "vitest";
import { ChatTimeline } from "./chat-timeline.js";
import { OwnIds } from "./own-ids.js";

const said = (n: number, text = `text ${n}`, extra: object = {}) => ({
	from: "m1",
	name: "Ann",
	text,
	time: n,
	n,
	epoch: 7,
	...extra,
});

describe("ChatTimeline", () => {
	const own = new OwnIds();
	own.handleSeated("me", undefined);
	const texts = (timeline: ChatTimeline) => timeline.entries.map(({ text }) => text);
	const timelineOf = (...numbers: number[]) => {
		const timeline = new ChatTimeline(own);
		for (const n of numbers) timeline.handleMessage(said(n));
		return timeline;
	};

	it("shows each message once and in its place, whichever way and order it came", () => {
		const timeline = timelineOf(5, 6, 2, 9, 3);
		expect(timeline.handleMessage(said(6)).fresh).toBe(false);
		expect(timeline.entries.map(({ n }) => n)).toEqual([2, 3, 5, 6, 9]);
		expect([timeline.oldest, timeline.newest]).toEqual([2, 9]);
	});

	it("takes the newer form of a message that is told again", () => {
		const timeline = timelineOf(1);
		timeline.handleMessage(said(1, "better", { edited: 99 }));
		expect(timeline.entries).toMatchObject([{ text: "better", edited: true }]);
	});

	it("keeps what it has when the room begins to count anew", () => {
		const timeline = timelineOf(1, 2);
		timeline.handleMessage(said(1, "after the restart", { epoch: 8 }));
		expect(texts(timeline)).toEqual(["text 1", "text 2", "after the restart"]);
		expect(timeline.newest).toBe(1);
		expect(new Set(timeline.entries.map(({ key }) => key)).size).toBe(3);
	});

	it("edits, deletes and reacts, and counts the numbers of changes", () => {
		const timeline = timelineOf(1, 2);
		const by = { from: "m1", time: 9 };
		timeline.handleChange({ type: "edited", of: 1, n: 3, text: "new", ...by });
		const react = {
			type: "reacted",
			of: 1,
			emoji: "👍",
			from: "m2",
			reader: "ben",
			time: 9,
		} as const;
		timeline.handleChange({ ...react, n: 4, on: true });
		timeline.handleChange({ ...react, n: 5, reader: "cem", on: true });
		timeline.handleChange({ ...react, n: 6, on: false });
		expect(timeline.find(1)).toMatchObject({ text: "new", reactions: { "👍": ["cem"] } });
		timeline.handleChange({ type: "deleted", of: 2, n: 7, ...by });
		expect(timeline.find(2)).toMatchObject({ text: "", deleted: true });
		expect(timeline.newest).toBe(7);
		expect(timeline.handleChange({ type: "deleted", of: 50, n: 8, ...by })).toBeUndefined();
	});

	it("gives our own message the key that it had while it waited", () => {
		const timeline = timelineOf();
		const { entry } = timeline.handleMessage(said(1, "mine", { from: "me", key: "k1" }));
		expect(entry).toMatchObject({ key: "own:k1", mine: true, state: "sent" });
	});

	it("lets the oldest go beyond its limit", () => {
		const timeline = new ChatTimeline(own, 2);
		for (const n of [1, 2, 3]) timeline.handleMessage(said(n));
		expect(timeline.entries.map(({ n }) => n)).toEqual([2, 3]);
	});
});
