import { describe, expect, it } from "vitest";
import { Keepalive } from "./keepalive.js";

const times = { interval: 100, deadline: 30 };

describe("Keepalive", () => {
	it("asks for nothing while messages arrive", () => {
		const keepalive = new Keepalive(0, times);
		keepalive.handleReceived(80);
		expect(keepalive.check(100)).toEqual({ action: "wait", next: 80 });
	});

	it("pings after silence and is content with any answer", () => {
		const keepalive = new Keepalive(0, times);
		expect(keepalive.check(100)).toEqual({ action: "ping", next: 30 });
		keepalive.handleReceived(120);
		expect(keepalive.check(130)).toEqual({ action: "wait", next: 90 });
	});

	it("says dead when the deadline of a ping has passed", () => {
		const keepalive = new Keepalive(0, times);
		keepalive.check(100);
		expect(keepalive.check(129).action).toBe("wait");
		expect(keepalive.check(130).action).toBe("dead");
	});

	it("does not move the deadline when asked to probe twice", () => {
		const keepalive = new Keepalive(0, times);
		expect(keepalive.probe(0)).toBe(30);
		expect(keepalive.probe(20)).toBe(10);
		expect(keepalive.check(30).action).toBe("dead");
	});

	it("is less patient with a line that it has reason to doubt", () => {
		const keepalive = new Keepalive(0, { interval: 10_000, deadline: 5_000 });
		keepalive.check(10_000);
		expect(keepalive.probe(10_500)).toBe(2_000);
		expect(keepalive.check(12_500).action).toBe("dead");
	});
});
