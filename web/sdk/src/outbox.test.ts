import { describe, expect, it } from "vitest";
import { Outbox } from "./outbox.js";

const item = (key: string) => ({ key, text: `text of ${key}`, time: 1 });

class FakeStore {
	readonly values = new Map<string, string>();
	full = false;

	getItem(key: string): string | null {
		return this.values.get(key) ?? null;
	}

	setItem(key: string, value: string): void {
		if (this.full) throw new DOMException("full", "QuotaExceededError");
		this.values.set(key, value);
	}
}

describe("Outbox", () => {
	it("gives the oldest first and keeps the order", () => {
		const outbox = new Outbox();
		for (const key of ["a", "b", "c"]) outbox.handleWritten(item(key));
		outbox.handleDone("a");
		expect(outbox.next?.key).toBe("b");
		outbox.handleRefused("b", "denied");
		expect(outbox.next?.key).toBe("c");
		outbox.handleRetry("b");
		expect(outbox.next).toEqual(item("b"));
	});

	it("takes no more than its limit", () => {
		const outbox = new Outbox(1);
		expect(outbox.handleWritten(item("a"))).toBe(true);
		expect(outbox.handleWritten(item("b"))).toBe(false);
		outbox.handleDone("a");
		expect(outbox.handleWritten(item("b"))).toBe(true);
	});

	it("outlives its page in a store, and a store that is full or spoilt", () => {
		const store = new FakeStore();
		new Outbox(10, store, "box").handleWritten(item("a"));
		expect(new Outbox(10, store, "box").items).toEqual([item("a")]);
		store.full = true;
		const outbox = new Outbox(10, store, "box");
		expect(outbox.handleWritten(item("b"))).toBe(true);
		expect(outbox.items.length).toBe(2);
		store.values.set("box", '[{"key":1},"x"');
		expect(new Outbox(10, store, "box").items).toEqual([]);
		store.values.set("box", '[{"key":1},{"key":"k","text":"t","time":2}]');
		expect(new Outbox(10, store, "box").items.length).toBe(1);
	});
});
