// Starts the program under test, and holds it to its manners: a ready line on stdout, no
// sanitizer report on stderr, exit status 0 after SIGTERM.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEADLINE, Waiters, within } from "./wait.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PLACES = ["build-asan/parley", "build-asan/src/main/parley", "build/parley"];
const REPORT = /ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion/;

export function binary() {
	if (process.env.PARLEY_BIN) {
		return process.env.PARLEY_BIN;
	}
	const found = PLACES.map((place) => join(ROOT, place)).find((path) => existsSync(path));
	assert.ok(found, `no binary under test: build one, or name it in PARLEY_BIN`);
	return found;
}

/** The environment without our own PARLEY_ variables, which the program would take for settings. */
export function cleanEnv(extra = {}) {
	const env = Object.entries(process.env).filter(([name]) => !name.startsWith("PARLEY_"));
	return { ...Object.fromEntries(env), ...extra };
}

export function freshDir() {
	return mkdtempSync(join(tmpdir(), "parley-test-"));
}

/** A child of the program with its output collected. */
class Child extends Waiters {
	stdout = "";
	stderr = "";
	exit = null;

	/** `prefix`: the words before it that run it somewhere else. */
	constructor(args, env, prefix = []) {
		super();
		const [program, ...words] = [...prefix, binary(), ...args];
		this.process = spawn(program, words, {
			env: cleanEnv(env),
			stdio: ["ignore", "pipe", "pipe"],
		});
		for (const name of ["stdout", "stderr"]) {
			this.process[name].setEncoding("utf8").on("data", (text) => {
				this[name] += text;
				this.poke();
			});
		}
		this.ended = new Promise((resolve, reject) => {
			this.process.on("error", reject);
			this.process.on("close", (code, signal) => {
				this.exit = { code, signal };
				this.poke();
				resolve(this.exit);
			});
		});
	}

	noReport() {
		const at = this.stderr.search(REPORT);
		assert.equal(at, -1, `the sanitizer reports:\n${this.stderr.slice(Math.max(at, 0))}`);
	}
}

/** Runs the program to its end: `parley version`, `parley config`, a start that must fail. ms: its deadline. */
export async function runParley(args, env = {}, { prefix, ms } = {}) {
	const child = new Child(args, env, prefix);
	try {
		const what = `the end of parley ${args.join(" ")}`;
		const { code, signal } = await within(child.ended, what, ms);
		child.noReport();
		return { code, signal, stdout: child.stdout, stderr: child.stderr };
	} finally {
		child.process.kill("SIGKILL");
	}
}

let argsFor = () => [];

/** From here on: the arguments that a server on a data directory gets besides. So the tests of one kind of store are
 * those of another. */
export function everyServerHas(args) {
	argsFor = args;
}

export class Server extends Child {
	#ownsDir;

	// Who vanishes is gone at once, but in the tests of just that.
	constructor(options = {}) {
		const { args = [], env = {}, workers = 1, dataDir, port = 0, listen, grace = 0 } = options;
		const dir = dataDir ?? freshDir();
		const where = listen ?? `127.0.0.1:${port}`;
		const own = ["--listen", where, "--data-dir", dir, "--workers", String(workers)];
		const more = [...argsFor(dir), ...args];
		super([...own, "--session.grace", String(grace), ...more], env, options.prefix);
		this.#ownsDir = dataDir === undefined;
		this.dataDir = dir;
		this.workers = workers;
	}

	async ready() {
		await this.until(
			() => this.stdout.includes("\n") || this.exit,
			() => `a ready line; stderr: ${this.stderr}`,
		);
		const line = this.stdout.split("\n", 1)[0];
		assert.ok(line, `the server ended with ${JSON.stringify(this.exit)}: ${this.stderr}`);
		this.readyLine = JSON.parse(line);
		assert.equal(this.readyLine.event, "ready");
		assert.equal(this.readyLine.pid, this.process.pid);
		this.port = Number(new URL(this.readyLine.urls[0]).port);
		return this;
	}

	get http() {
		return `http://127.0.0.1:${this.port}`;
	}

	get ws() {
		return `ws://127.0.0.1:${this.port}`;
	}

	/** Resolves with the match as soon as the log holds it. */
	logged(pattern) {
		return this.until(
			() => this.stderr.match(pattern),
			() => `${pattern} in the log:\n${this.stderr}`,
		);
	}

	/** The same for what it prints. */
	printed(pattern) {
		return this.until(
			() => this.stdout.match(pattern),
			() => `${pattern} in the output:\n${this.stdout}`,
		);
	}

	signal(name) {
		this.signalled = true;
		this.process.kill(name);
	}

	/** Has it read its certificates and keys anew; it goes on. */
	reload() {
		this.process.kill("SIGHUP");
	}

	/** A clean end, by SIGTERM unless the test has sent a signal (a second one means: at once). */
	async stop() {
		try {
			if (!this.signalled) {
				this.signal("SIGTERM");
			}
			const exit = await within(
				this.ended,
				`the server's end; stderr: ${this.stderr}`,
				2 * DEADLINE,
			);
			this.noReport();
			assert.deepEqual(exit, { code: 0, signal: null }, this.stderr);
		} finally {
			this.remove();
		}
	}

	/** The death nobody can prepare for. */
	async kill() {
		this.signal("SIGKILL");
		await this.ended;
		this.noReport();
		this.remove();
	}

	remove() {
		this.process.kill("SIGKILL");
		if (this.#ownsDir) {
			rmSync(this.dataDir, { recursive: true, force: true });
		}
	}
}

/** A running server; the caller stops it (`after(() => server.stop())`). */
export async function startServer(options) {
	const server = new Server(options);
	try {
		return await server.ready();
	} catch (error) {
		server.remove();
		throw error;
	}
}

/** The same for one test, which also stops it. */
export async function serverFor(t, options) {
	const server = await startServer(options);
	t.after(() => server.stop());
	return server;
}

/** A port that nobody has just now. */
export async function freePort() {
	const holder = createServer();
	await new Promise((done) => holder.listen(0, "127.0.0.1", done));
	const { port } = holder.address();
	await new Promise((done) => holder.close(done));
	return port;
}

/** The first of so many UDP ports in a row that nobody has just now, and the kernel gives to nobody who asks for any. */
export async function freeUdpPorts(count) {
	const take = (port) =>
		new Promise((resolve) => {
			const socket = createSocket("udp4").once("error", () => resolve(null));
			socket.bind(port, "127.0.0.1", () => resolve(socket));
		});
	for (;;) {
		const first = 20_000 + Math.floor(Math.random() * 10_000);
		const taken = await Promise.all(Array.from({ length: count }, (_, i) => take(first + i)));
		for (const socket of taken) {
			socket?.close();
		}
		if (taken.every(Boolean)) {
			return first;
		}
	}
}
