import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "./connection.js";
import { ExponentialBackoff } from "./exponential-backoff.js";
import { type FakeSocket, fakeSockets } from "./testing.js";

describe("Connection", () => {
	let sockets: FakeSocket[];
	let log: string[];
	let connection: Connection;
	const socket = () => sockets.at(-1) as FakeSocket;

	beforeEach(() => {
		vi.useFakeTimers();
		sockets = [];
		log = [];
		connection = new Connection({
			url: "ws://test",
			policy: new ExponentialBackoff(() => 0),
			WebSocket: fakeSockets(sockets),
			log: ({ level, module, event }) => log.push(`${level} ${module} ${event}`),
		});
	});
	afterEach(() => {
		connection.close();
		vi.useRealTimers();
	});

	it("gives up on a server that says no hello", () => {
		connection.open();
		vi.advanceTimersByTime(10_000);
		expect(connection.state).toBe("waiting");
		expect(socket().closed).toBe(true);
	});

	it("comes back after 1 and then 2 seconds", async () => {
		connection.open();
		await socket().hello();
		socket().break();
		vi.advanceTimersByTime(1000);
		expect(sockets.length).toBe(2);
		socket().break();
		vi.advanceTimersByTime(1999);
		expect(sockets.length).toBe(2);
		vi.advanceTimersByTime(1);
		expect(sockets.length).toBe(3);
	});

	it("gives up an attempt in a dead network sooner once it was open", async () => {
		connection.open();
		await socket().hello();
		socket().break();
		vi.advanceTimersByTime(1000);
		expect(connection.state).toBe("connecting");
		vi.advanceTimersByTime(4000);
		expect(socket().closed).toBe(true);
		vi.advanceTimersByTime(2000);
		expect([connection.state, sockets.length]).toEqual(["connecting", 3]);
		await socket().hello();
		expect(connection.state).toBe("open");
	});

	it("begins an attempt anew when the network is another", async () => {
		const page = new EventTarget();
		vi.stubGlobal("window", page);
		vi.stubGlobal("document", new EventTarget());
		try {
			connection.open();
			const first = socket();
			page.dispatchEvent(new Event("online"));
			expect([first.closed, sockets.length, connection.state]).toEqual([true, 2, "connecting"]);
			first.break();
			await socket().hello();
			expect(connection.state).toBe("open");
			connection.close();
		} finally {
			vi.unstubAllGlobals();
		}
	});

	it("tries at once when told to", async () => {
		connection.open();
		await socket().hello();
		socket().break();
		connection.retryNow();
		expect(connection.state).toBe("connecting");
		expect(sockets.length).toBe(2);
	});

	it("notices a dead network by a ping without answer", async () => {
		connection.open();
		await socket().hello();
		vi.advanceTimersByTime(10_000);
		expect(socket().count("ping")).toBe(1);
		vi.advanceTimersByTime(5000);
		expect(socket().closed).toBe(false);
		expect(sockets.length).toBe(2);
		expect(connection.state).toBe("connecting");
	});

	it("gives up a line with a code that says it will be back, and closes plainly for good", async () => {
		connection.open();
		await socket().hello();
		connection.drop();
		expect(socket().closeCode).toBe(4000);
		connection.retryNow();
		connection.close();
		expect(socket().closed).toBe(true);
		expect(socket().closeCode).toBeUndefined();
	});

	it("reads what has come before it holds the line for dead, when its page had no time", async () => {
		connection.open();
		await socket().hello();
		vi.advanceTimersByTime(10_000);
		// The page stands still: the clock goes on, and the answer waits to be read.
		vi.setSystemTime(Date.now() + 20_000);
		vi.advanceTimersByTime(5000);
		expect(connection.state).toBe("open");
		await socket().say({ type: "pong" });
		vi.advanceTimersByTime(500);
		expect([connection.state, sockets.length]).toEqual(["open", 1]);
		vi.advanceTimersByTime(10_000);
		vi.setSystemTime(Date.now() + 20_000);
		vi.advanceTimersByTime(5500);
		expect([connection.state, sockets.length]).toEqual(["connecting", 2]);
	});

	it("keeps a quiet line that answers its pings", async () => {
		connection.open();
		await socket().hello();
		for (let round = 0; round < 5; round++) {
			vi.advanceTimersByTime(10_000);
			await socket().say({ type: "pong" });
		}
		expect(connection.state).toBe("open");
		expect(sockets.length).toBe(1);
	});

	it("rejects requests while the server is away, and those that were under way", async () => {
		await expect(connection.request("chat")).rejects.toMatchObject({ reason: "not-open" });
		connection.open();
		await socket().hello();
		const asked = expect(connection.request("chat")).rejects.toMatchObject({ reason: "lost" });
		socket().break();
		await asked;
	});

	it("waits as long as a draining server asks", async () => {
		connection.open();
		await socket().hello();
		await socket().say({ type: "drain", retryAfter: 4000 });
		socket().break();
		expect((connection.retryAt ?? 0) - Date.now()).toBe(4000);
	});

	it("is ready when the server has said hello, and never once it is closed or aborted", async () => {
		connection.open();
		const ready = connection.ready();
		const why = new Error("enough");
		const control = new AbortController();
		const aborted = expect(connection.ready({ signal: control.signal })).rejects.toBe(why);
		control.abort(why);
		await aborted;
		await socket().hello();
		await ready;
		connection.close();
		await expect(connection.ready()).rejects.toMatchObject({ reason: "closed" });
	});

	it("logs each change of its state, and what the server refuses", async () => {
		connection.open();
		await socket().hello();
		const error = { code: "denied", message: "not allowed" };
		await socket().say({ type: "error", error });
		connection.close();
		const info = (event: string) => `info connection ${event}`;
		expect(log).toEqual([
			info("connecting"),
			info("open"),
			"warn connection refused",
			info("closed"),
		]);
	});

	it("shows a token that is made anew for each attempt, and comes back no more when it is refused", async () => {
		let made = 0;
		const token = () => Promise.resolve(`token ${++made}`);
		const refused: string[] = [];
		const guarded = new Connection({
			url: "ws://test/x?room=r",
			token,
			WebSocket: fakeSockets(sockets),
		});
		guarded.on("refused", ({ reason, detail }) => refused.push(`${reason} ${detail}`));
		guarded.open();
		await vi.advanceTimersByTimeAsync(0);
		expect(socket().url).toBe("ws://test/x?room=r&token=token+1");
		await socket().hello();
		guarded.drop();
		await vi.advanceTimersByTimeAsync(2000);
		expect(socket().url).toContain("token+2");
		const ready = expect(guarded.ready()).rejects.toMatchObject({ reason: "unauthorized" });
		const error = { code: "unauthorized", message: "no valid token", detail: "expired" };
		await socket().say({ type: "error", error });
		await ready;
		await vi.advanceTimersByTimeAsync(60_000);
		expect([made, refused, guarded.state]).toEqual([2, ["unauthorized expired"], "closed"]);
	});

	it("tries later when no token is to be had", async () => {
		const token = () => Promise.reject(new Error("backend away"));
		const guarded = new Connection({ url: "ws://test", token, WebSocket: fakeSockets(sockets) });
		guarded.open();
		await vi.advanceTimersByTimeAsync(0);
		expect([guarded.state, sockets.length]).toEqual(["waiting", 0]);
		guarded.close();
	});

	it("does not come back after close", async () => {
		connection.open();
		await socket().hello();
		connection.close();
		vi.advanceTimersByTime(100_000);
		expect(connection.state).toBe("closed");
		expect(sockets.length).toBe(1);
	});

	it("carries bytes both ways, but not when they would wait", async () => {
		const got: Uint8Array[] = [];
		connection.on("bytes", (bytes) => got.push(bytes));
		connection.open();
		expect(connection.sendBytes(Uint8Array.of(1), 10)).toBe(false);
		await socket().hello();
		socket().onmessage?.({ data: Uint8Array.of(1, 2).buffer });
		expect(got).toEqual([Uint8Array.of(1, 2)]);
		expect(connection.sendBytes(Uint8Array.of(3), 10)).toBe(true);
		socket().bufferedAmount = 11;
		expect(connection.sendBytes(Uint8Array.of(4), 10)).toBe(false);
		expect(socket().bytes).toEqual([Uint8Array.of(3)]);
	});

	it("lets messages that it does not know go by", async () => {
		connection.open();
		await socket().hello();
		socket().onmessage?.({ data: '{"type":"later"}' });
		socket().onmessage?.({ data: "{" });
		expect(connection.state).toBe("open");
	});
});
