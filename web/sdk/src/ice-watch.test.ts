import { beforeEach, describe, expect, it } from "vitest";
import { IceWatch } from "./ice-watch.js";

describe("IceWatch", () => {
	let watch: IceWatch;

	beforeEach(() => {
		watch = new IceWatch();
		watch.handleState("connected", 0);
	});

	it("leaves a good path alone", () => {
		expect(watch.check(100_000)).toEqual({ action: "none", next: undefined });
	});

	it("restarts at once when the path failed", () => {
		watch.handleState("failed", 1000);
		expect(watch.check(1000).action).toBe("restart");
	});

	it("gives a disconnected path a second to heal", () => {
		watch.handleState("disconnected", 1000);
		expect(watch.check(1000)).toEqual({ action: "none", next: 1000 });
		expect(watch.check(2000).action).toBe("restart");
	});

	it("does nothing if it healed", () => {
		watch.handleState("disconnected", 1000);
		watch.handleState("connected", 1500);
		expect(watch.check(2000).action).toBe("none");
	});

	it("tries again at growing intervals, then makes the connection anew", () => {
		watch.handleState("failed", 0);
		let now = 0;
		const seen: [number, string][] = [];
		for (let round = 0; round < 4; round++) {
			const { action, next = 0 } = watch.check(now);
			seen.push([now, action]);
			now += next;
		}
		expect(seen).toEqual([
			[0, "restart"],
			[8000, "restart"],
			[24_000, "restart"],
			[54_000, "renew"],
		]);
	});

	it("keeps count while a restart is being tried", () => {
		watch.handleState("failed", 0);
		watch.check(0);
		watch.handleState("connecting", 100);
		expect(watch.check(100)).toEqual({ action: "none", next: 7900 });
		expect(watch.check(8000).action).toBe("restart");
	});

	it("begins anew after the path came back", () => {
		watch.handleState("failed", 0);
		watch.check(0);
		watch.handleState("connected", 1000);
		watch.handleState("failed", 2000);
		expect(watch.check(2000)).toEqual({ action: "restart", next: 8000 });
	});

	it("does not restart a first attempt that is still under way", () => {
		const fresh = new IceWatch();
		fresh.handleState("connecting", 0);
		expect(fresh.check(60_000).action).toBe("none");
	});
});
