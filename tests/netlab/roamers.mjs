// The other end of roamer.mjs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { within } from "../lib/wait.mjs";
import { SERVER } from "./lab.mjs";

const ROAMER = new URL("roamer.mjs", import.meta.url).pathname;

/** Somebody with a TURN client in a site; see roamer.mjs. */
export class Roamer {
	#process;
	#lines;

	static open(site, server) {
		const roamer = new Roamer();
		const [program, ...words] = [...site.prefix, "node", ROAMER];
		const args = [...words, SERVER, String(server.port), "ann", "secret"];
		roamer.#process = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
		roamer.#lines = createInterface({ input: roamer.#process.stdout })[Symbol.asyncIterator]();
		return roamer;
	}

	async do(what, more) {
		const answer = await this.ask(what, more);
		assert.equal(answer.code ?? 0, 0, `${what}: ${JSON.stringify(answer)}`);
		return answer;
	}

	async ask(what, more = {}) {
		this.#process.stdin.write(`${JSON.stringify({ do: what, ...more })}\n`);
		const { value, done } = await within(this.#lines.next(), `what comes of ${what}`, 30_000);
		assert.ok(!done, `it ended when told to ${what}`);
		return JSON.parse(value);
	}

	async close() {
		const ended = once(this.#process, "exit");
		this.#process.stdin.end();
		await ended;
	}
}
