import { describe, expect, it } from "vitest";
import { Typing } from "./typing.js";

describe("Typing", () => {
	it("tells at the first key, then every few seconds, and when it is over", () => {
		const typing = new Typing();
		const told = [0, 100, 2900, 3100].map((now) => typing.handleOwn(true, now));
		expect(told).toEqual([true, false, false, true]);
		expect(typing.handleOwn(false, 3200)).toBe(true);
		expect(typing.handleOwn(false, 3300)).toBe(false);
		expect(typing.handleOwn(true, 3400)).toBe(true);
	});

	it("forgets who falls silent, and says when", () => {
		const typing = new Typing();
		typing.handleTyping("m1", true, 0);
		typing.handleTyping("m2", true, 2000);
		expect(typing.at(3000)).toEqual(["m1", "m2"]);
		expect(typing.next(3000)).toBe(4000);
		expect(typing.at(7000)).toEqual(["m2"]);
		typing.handleTyping("m2", false, 7100);
		expect(typing.next(7100)).toBeUndefined();
	});
});
