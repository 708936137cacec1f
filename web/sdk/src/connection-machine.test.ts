import { beforeEach, describe, expect, it } from "vitest";
import { ConnectionMachine } from "./connection-machine.js";

const policy = { nextDelay: (attempt: number) => (attempt < 3 ? 1000 * 2 ** attempt : undefined) };

describe("ConnectionMachine", () => {
	let machine: ConnectionMachine;

	beforeEach(() => {
		machine = new ConnectionMachine(policy);
	});

	it("is open only after hello", () => {
		expect(machine.handleStart()).toBe(true);
		expect(machine.state).toBe("connecting");
		expect(machine.handleHello(0)).toBe(true);
		expect(machine.state).toBe("open");
	});

	it("starts once", () => {
		machine.handleStart();
		expect(machine.handleStart()).toBe(false);
	});

	it("waits longer after each attempt that failed", () => {
		machine.handleStart();
		machine.handleLost(0);
		expect(machine.retryAt).toBe(1000);
		machine.handleRetry();
		machine.handleLost(5000);
		expect(machine.retryAt).toBe(7000);
	});

	it("begins anew after a connection that held", () => {
		machine.handleStart();
		machine.handleLost(0);
		machine.handleRetry();
		machine.handleHello(1000);
		machine.handleLost(60_000);
		expect(machine.retryAt).toBe(61_000);
	});

	it("does not begin anew after a hello that was followed by a hang-up", () => {
		machine.handleStart();
		machine.handleLost(0);
		machine.handleRetry();
		machine.handleHello(1000);
		machine.handleLost(1500);
		expect(machine.retryAt).toBe(3500);
	});

	it("is patient at first, impatient on the way back, and ever more patient then", () => {
		machine.handleStart();
		const times = [machine.helloTimeout(10_000)];
		for (let attempt = 0; attempt < 3; attempt++) {
			machine.handleLost(0);
			machine.handleRetry();
			times.push(machine.helloTimeout(10_000));
		}
		expect(times).toEqual([10_000, 4000, 8000, 10_000]);
		expect(machine.helloTimeout(1000)).toBe(1000);
	});

	it("gives a draining server the time it asked for", () => {
		machine.handleStart();
		machine.handleHello(0);
		machine.handleLost(10_000, 7000);
		expect(machine.retryAt).toBe(17_000);
	});

	it("closes when the policy gives up", () => {
		machine.handleStart();
		for (let attempt = 0; attempt < 4; attempt++) {
			machine.handleLost(0);
			machine.handleRetry();
		}
		expect(machine.state).toBe("closed");
	});

	it("ignores a retry when it is not waiting", () => {
		expect(machine.handleRetry()).toBe(false);
		machine.handleStart();
		machine.handleHello(0);
		expect(machine.handleRetry()).toBe(false);
	});

	it("stays closed until it is started again", () => {
		machine.handleStart();
		machine.handleStop();
		expect(machine.handleLost(0)).toBe(false);
		expect(machine.state).toBe("closed");
		expect(machine.handleStart()).toBe(true);
	});
});
