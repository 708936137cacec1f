// Waiting for conditions. Nothing here sleeps for a guessed time: whoever knows that something
// has changed calls poke(), and the deadline is only for tests that fail.
import { execFileSync } from "node:child_process";

// Sanitized builds are slow, and machines busy; a deadline is never what a passing test waits for.
export const DEADLINE = Number(process.env.TEST_DEADLINE ?? 30_000);

/** What several parts of a test wait on: each poke() looks at every condition again. */
export class Waiters {
	#waiting = new Set();

	poke() {
		for (const entry of [...this.#waiting]) {
			entry.look();
		}
	}

	/** Resolves with the first true-ish value of condition(); rejects with describe() in time. */
	until(condition, describe, ms = DEADLINE) {
		return new Promise((resolve, reject) => {
			const entry = {
				look: () => {
					let value;
					try {
						value = condition();
					} catch (error) {
						done();
						reject(error);
						return;
					}
					if (value) {
						done();
						resolve(value);
					}
				},
			};
			const timer = setTimeout(() => {
				done();
				reject(new Error(`waited ${ms} ms in vain: ${describe()}`));
			}, ms);
			const done = () => {
				clearTimeout(timer);
				this.#waiting.delete(entry);
			};
			this.#waiting.add(entry);
			entry.look();
		});
	}
}

/** Where the time itself is what is tested: how long a client is away, a moment that nothing announces. For all else there
 * is a condition to wait for. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again and again, for what cannot tell by itself that it has changed (/metrics, files). */
export async function poll(condition, describe, ms = DEADLINE) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await condition();
		if (value) {
			return value;
		}
		if (Date.now() > end) {
			throw new Error(`asked for ${ms} ms in vain: ${describe()}`);
		}
		await pause(20);
	}
}

/** The promise's value, or an error that says what did not happen in time. */
export function within(promise, what, ms = DEADLINE) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain: ${what}`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs a program of the system to its end; its output. */
export function run(command, ...args) {
	return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
