// A PostgreSQL server of our own: a cluster in a directory that goes with it, on a loopback port. Started and
// ended by its process id; it can be killed as a machine that loses power would kill it, and started again.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cleanEnv, freePort } from "./server.mjs";
import { poll, within } from "./wait.mjs";

const OWNER = "parley";
/** With characters that a URL must spell out: if it is in a log, it is found there. */
export const PASSWORD = "s3cret/@%parley";

function programs() {
	const root = "/usr/lib/postgresql";
	const versions = existsSync(root) ? readdirSync(root).map(Number) : [];
	const newest = versions.sort((a, b) => b - a)[0];
	assert.ok(newest, "no PostgreSQL server here: scripts/install-deps test");
	return join(root, String(newest), "bin");
}

/** initdb and postgres refuse to run as root. */
function asPostgres() {
	if (process.getuid() !== 0) return [];
	return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
}

function run(command, args, options) {
	const [program, ...words] = [...asPostgres(), command, ...args];
	execFileSync(program, words, { stdio: "pipe", cwd: "/", ...options });
}

/** All that descend from the process, itself first. */
function family(pid) {
	let children = "";
	try {
		children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
	} catch {
		return [];
	}
	return [pid, ...children.split(" ").filter(Boolean).map(Number).flatMap(family)];
}

function isAlive(pid) {
	try {
		return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
	} catch {
		return false;
	}
}

export class Postgres {
	#bin = programs();
	#databases = new Map();

	constructor(settings = {}) {
		this.settings = settings;
		this.dir = mkdtempSync(join(tmpdir(), "parley-postgres-"));
		this.data = join(this.dir, "data");
		const secret = join(this.dir, "password");
		writeFileSync(secret, PASSWORD);
		if (process.getuid() === 0) execFileSync("chown", ["-R", "postgres", this.dir]);
		const auth = ["--auth=scram-sha-256", `--username=${OWNER}`, `--pwfile=${secret}`];
		const form = ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
		run(join(this.#bin, "initdb"), ["--pgdata", this.data, ...auth, ...form]);
		// Whatever becomes of the tests.
		process.on("exit", () => this.#end("SIGKILL"));
	}

	async start() {
		this.port ??= await freePort();
		const settings = {
			port: this.port,
			listen_addresses: "127.0.0.1",
			unix_socket_directories: this.dir,
			...this.settings,
		};
		const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
		const words = [...asPostgres(), join(this.#bin, "postgres"), "-D", this.data, ...flags];
		this.process = spawn(words[0], words.slice(1), {
			cwd: "/",
			stdio: ["ignore", "ignore", "pipe"],
		});
		this.log = "";
		this.process.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
		this.ended = new Promise((resolve) => this.process.on("close", resolve));
		await poll(
			() =>
				this.sql("SELECT 1", "postgres").then(
					() => true,
					() => false,
				),
			() => `PostgreSQL to be there: ${this.log}`,
		);
		return this;
	}

	#end(signal) {
		if (!this.process || this.process.exitCode !== null || this.process.signalCode) return;
		for (const pid of signal === "SIGKILL" ? family(this.process.pid) : [this.process.pid]) {
			try {
				process.kill(pid, signal);
			} catch (error) {
				if (error.code !== "ESRCH") throw error;
			}
		}
	}

	/** As if the machine had lost power: the server and all its processes are gone at once. */
	async kill() {
		const pids = family(this.process.pid);
		this.#end("SIGKILL");
		await this.ended;
		await poll(
			() => !pids.some(isAlive),
			() => "the processes of PostgreSQL to be gone",
		);
	}

	/** Ends it, and what is in it. */
	async remove() {
		this.#end("SIGQUIT"); // nothing of it will be wanted: no checkpoint
		await within(this.ended, "the end of PostgreSQL");
		rmSync(this.dir, { recursive: true, force: true });
	}

	#psql(database) {
		const at = ["-h", "127.0.0.1", "-p", String(this.port), "-U", OWNER, "-d", database];
		return ["--no-psqlrc", "--quiet", "-At", "-v", "ON_ERROR_STOP=1", ...at];
	}

	get #env() {
		return cleanEnv({ PGPASSWORD: PASSWORD });
	}

	/** The rows that psql prints, a line each. */
	async sql(text, database) {
		const words = [...this.#psql(database), "-c", text];
		return (await promisify(execFile)("psql", words, { env: this.#env })).stdout.trim();
	}

	/** The database of a data directory, empty when it is first named. */
	databaseOf(dir) {
		if (!this.#databases.has(dir)) {
			const name = `parley_${this.#databases.size}`;
			const words = [...this.#psql("postgres"), "-c", `CREATE DATABASE ${name}`];
			execFileSync("psql", words, { env: this.#env });
			this.#databases.set(dir, name);
		}
		return this.#databases.get(dir);
	}

	url(database, { user = OWNER, password = PASSWORD, port = this.port, options = "" } = {}) {
		const who = `${user}:${encodeURIComponent(password)}`;
		return `postgresql://${who}@127.0.0.1:${port}/${database}${options}`;
	}

	/** What a server wants to keep things here. */
	args(dir) {
		return ["--store.url", this.url(this.databaseOf(dir))];
	}

	/** Holds a lock until what is returned is called. */
	async hold(lock, database) {
		const psql = spawn("psql", this.#psql(database), {
			env: this.#env,
			stdio: ["pipe", "pipe", "inherit"],
		});
		const ended = new Promise((resolve) => psql.on("close", resolve));
		let out = "";
		psql.stdout.setEncoding("utf8").on("data", (text) => (out += text));
		psql.stdin.write(`BEGIN; ${lock}; SELECT 'held';\n`);
		await poll(
			() => out.includes("held"),
			() => `the lock: ${lock}`,
		);
		return async () => {
			psql.stdin.end("ROLLBACK;\n");
			await ended;
		};
	}
}

/** One for a test file. */
export async function startPostgres(after, settings) {
	const postgres = new Postgres(settings);
	after(() => postgres.remove());
	return await postgres.start();
}
