import { describe, expect, it } from "vitest";
import { cutBytes, hueOf, initials, randomRoomName, roomNameOf } from "./names.js";

describe("randomRoomName", () => {
	it("is two words, whatever the dice say", () => {
		for (const dice of [0, 0.5, 0.999999]) {
			expect(randomRoomName(() => dice)).toMatch(/^[a-z]+-[a-z]+$/);
		}
	});
});

describe("roomNameOf", () => {
	it("makes a name of what people type", () => {
		expect(roomNameOf("  Amber Fox ")).toBe("amber-fox");
		expect(roomNameOf("a/b?c#d")).toBe("abcd");
		expect(roomNameOf("   ")).toBe("");
	});

	it("finds the name in a pasted link", () => {
		expect(roomNameOf("https://host:8443/r/amber-fox?ring=1")).toBe("amber-fox");
		expect(roomNameOf("host/r/caf%C3%A9")).toBe("café");
		expect(roomNameOf("host/r/%zz")).toBe("%zz");
	});

	it("keeps to the server's limit in bytes", () => {
		expect(new TextEncoder().encode(roomNameOf("é".repeat(200))).length).toBe(128);
	});
});

describe("cutBytes", () => {
	it("never cuts a letter in two", () => {
		expect(cutBytes("a👋b", 4)).toBe("a");
		expect(cutBytes("a👋b", 5)).toBe("a👋");
	});
});

describe("initials", () => {
	it("takes the first letters of two words, in any script", () => {
		expect(initials("ann berger")).toBe("AB");
		expect(initials("Ann Marie Berger")).toBe("AM");
		expect(initials("李雷")).toBe("李");
		expect(initials("  ")).toBe("?");
	});
});

describe("hueOf", () => {
	it("is the same for a name each time, and a hue", () => {
		expect(hueOf("Ann")).toBe(hueOf("Ann"));
		expect(hueOf("")).toBeGreaterThanOrEqual(0);
		expect(hueOf("Ann")).toBeLessThan(360);
	});
});
