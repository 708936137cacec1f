import { describe, expect, it } from "vitest";
import { ChatError, ConnectionError, RequestError } from "../../../sdk/src/index.js";
import { chatTrouble, dayText, readersText, spanText, typingText } from "./chat-words.js";

describe("what the chat says", () => {
	it("names who is writing, up to two", () => {
		expect(typingText([])).toBe("");
		expect(typingText(["Ann"])).toBe("Ann is writing…");
		expect(typingText(["Ann", "Ben"])).toBe("Ann and Ben are writing…");
		expect(typingText(["Ann", "Ben", "Cem"])).toBe("Several people are writing…");
	});

	it("has a sentence for every trouble", () => {
		expect(chatTrouble(ConnectionError.lost())).toContain("server is away");
		expect(chatTrouble(ChatError.outboxFull(100))).toContain("wait to be sent");
		expect(chatTrouble(new RequestError("denied", ""))).toContain("may not");
		expect(chatTrouble(new RequestError("unavailable", ""))).toContain("cannot keep");
		expect(chatTrouble(new Error("x"))).toContain("did not work");
	});

	it("tells days by how far away they are", () => {
		const now = new Date(2026, 5, 15, 12).getTime();
		const day = 86_400_000;
		expect([dayText(now - 3_600_000, now), dayText(now - day, now)]).toEqual([
			"Today",
			"Yesterday",
		]);
		expect(dayText(now - 400 * day, now)).toContain("2025");
	});

	it("tells spans as people do", () => {
		expect([10_000, 180_000, 7_500_000].map(spanText)).toEqual([
			"less than a minute",
			"3 min",
			"2 h 5 min",
		]);
	});

	it("names those who reacted, ourselves first, whoever is still known", () => {
		const people = [{ id: "m_2", user: "u_ben", name: "Ben" }] as never;
		const entries = [{ from: "m_9", user: undefined, name: "Cem" }] as never;
		const text = readersText(["u_ben", "u_me", "m_9", "u_x"], "u_me", people, entries);
		expect(text).toBe("You, Ben, Cem, Somebody who left");
	});
});
