import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConnectionError, RequestError } from "./errors.js";
import { Requests } from "./requests.js";

describe("Requests", () => {
	beforeEach(() => vi.useFakeTimers());
	afterEach(() => vi.useRealTimers());

	it("settles each promise by its own id", async () => {
		const requests = new Requests();
		const first = requests.open(1000);
		const second = requests.open(1000);
		requests.handleReply({ type: "reply", id: second.id, ok: true, data: "b" });
		requests.handleReply({ type: "reply", id: first.id, ok: true, data: "a" });
		expect(await Promise.all([first.done, second.done])).toEqual(["a", "b"]);
	});

	it("tells a reply in its place among the events, before any promise runs", () => {
		const requests = new Requests();
		const told: unknown[] = [];
		const { id } = requests.open(1000, { granted: (data) => told.push(data) });
		requests.handleReply({ type: "reply", id, ok: true, data: "a" });
		expect(told).toEqual(["a"]);
	});

	it("rejects a refused request with the server's code", async () => {
		const requests = new Requests();
		const { id, done } = requests.open(1000);
		const error = { code: "bad_field", message: "bad", detail: "name" };
		requests.handleReply({ type: "reply", id, ok: false, error });
		await expect(done).rejects.toMatchObject({ reason: "bad_field", detail: "name" });
		await expect(done).rejects.toBeInstanceOf(RequestError);
	});

	it("rejects with a timeout and forgets the request", async () => {
		const requests = new Requests();
		const { id, done } = requests.open(1000);
		const failed = expect(done).rejects.toMatchObject({ reason: "timeout" });
		vi.advanceTimersByTime(1000);
		await failed;
		expect(requests.size).toBe(0);
		expect(requests.handleReply({ type: "reply", id, ok: true })).toBe(false);
	});

	it("waits on as long as it is told to be patient", async () => {
		const requests = new Requests();
		let waits = true;
		const { done } = requests.open(1000, { patient: () => waits });
		const failed = expect(done).rejects.toMatchObject({ reason: "timeout" });
		vi.advanceTimersByTime(5500);
		expect(requests.size).toBe(1);
		waits = false;
		vi.advanceTimersByTime(500);
		await failed;
	});

	it("rejects with the signal's reason when it is aborted, and lets a late reply go", async () => {
		const requests = new Requests();
		const control = new AbortController();
		const { id, done } = requests.open(1000, { signal: control.signal });
		const why = new Error("enough");
		control.abort(why);
		await expect(done).rejects.toBe(why);
		expect(requests.handleReply({ type: "reply", id, ok: true })).toBe(false);
	});

	it("rejects all when the line is lost", async () => {
		const requests = new Requests();
		const waiting = [requests.open(1000).done, requests.open(1000).done];
		requests.handleLost(new ConnectionError("lost", "gone"));
		const results = await Promise.allSettled(waiting);
		expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
	});
});
