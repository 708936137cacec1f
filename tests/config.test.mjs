// Settings: default < file < environment < flag, all shown with their source by `parley config`.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { connect, freshRoom } from "./lib/client.mjs";
import { ownIceUrls } from "./lib/ice.mjs";
import { freshDir, runParley, serverFor } from "./lib/server.mjs";

/** {name: {value, source}} of `parley config`. */
async function configOf(args = [], env = {}) {
	const { code, stdout, stderr } = await runParley(["config", ...args], env);
	assert.equal(code, 0, stderr);
	const lines = stdout.trimEnd().split("\n");
	const pairs = lines.map((line) => {
		const parts = line.match(/^([a-z0-9.-]+) = (.*?) +# (.+)$/);
		assert.ok(parts, `not "name = value   # source": ${line}`);
		return [parts[1], { value: parts[2], source: parts[3] }];
	});
	return Object.fromEntries(pairs);
}

function configFile(t, text) {
	const dir = freshDir();
	t.after(() => rmSync(dir, { recursive: true, force: true }));
	const path = join(dir, "parley.ini");
	writeFileSync(path, text);
	return path;
}

describe("parley config", () => {
	it("prints every setting with its default", async () => {
		const config = await configOf();
		for (const name of [
			"listen",
			"data-dir",
			"workers",
			"log-level",
			"log.format",
			"http.allowed-origins",
			"http.max-line",
			"http.max-headers",
			"http.max-body",
			"http.head-timeout",
			"http.idle-timeout",
			"net.max-connections",
			"net.write-queue",
			"ws.ping-interval",
			"ws.ping-timeout",
			"ws.deflate",
			"limit.messages",
			"limit.burst",
			"limit.message-size",
			"room.capacity",
			"room.max-rooms",
			"chat.replay",
			"ice.server",
			"tls.cert",
			"tls.key",
			"debug.echo",
			"auth.key",
			"auth.jwks",
			"auth.issuer",
			"auth.audience",
			"auth.skew",
			"auth.open-paths",
			"server.drain",
		]) {
			assert.ok(config[name], `${name} is missing`);
			assert.equal(config[name].source, "default");
		}
		assert.equal(config.listen.value, "[::]:8443");
		assert.equal(config["ice.server"].value, "");
		assert.equal(config["debug.echo"].value, "false");
		assert.equal(config["ws.deflate"].value, "false");
	});

	it("shows that a file beats the default, the environment the file, a flag all", async (t) => {
		const path = configFile(t, "[room]\ncapacity = 11\n[limit]\nburst = 12\nmessages = 13\n");
		const env = { PARLEY_LIMIT_BURST: "21", PARLEY_LIMIT_MESSAGES: "22" };
		const config = await configOf(["--config", path, "--limit.messages=31"], env);
		assert.equal(config["room.capacity"].value, "11");
		assert.match(config["room.capacity"].source, /^file .*parley\.ini, line 2$/);
		assert.equal(config["limit.burst"].value, "21");
		assert.match(config["limit.burst"].source, /environment PARLEY_LIMIT_BURST/);
		assert.equal(config["limit.messages"].value, "31");
		assert.equal(config["limit.messages"].source, "flag");
	});

	it("shows lists, replaced as a whole by the stronger source", async (t) => {
		const path = configFile(
			t,
			"[http]\nallowed-origins = https://a\nallowed-origins = https://b\n",
		);
		const listed = async (env) => {
			const { stdout } = await runParley(["config", "--config", path], env);
			return stdout.match(/^http\.allowed-origins = \S+/gm).map((line) => line.split(" = ")[1]);
		};
		assert.deepEqual(await listed(), ["https://a", "https://b"]);
		const env = { PARLEY_HTTP_ALLOWED_ORIGINS: "https://c https://d" };
		assert.deepEqual(await listed(env), ["https://c", "https://d"]);
	});

	it("hides secrets, wherever they come from, and so does a complaint about them", async (t) => {
		const secret = "turn:turn.example.org username=u credential=the-secret-word";
		const path = configFile(t, secret);
		for (const [args, env] of [
			[[`--ice.server=${secret}`], {}],
			[["--ice.server-file", path], {}],
			[[], { PARLEY_ICE_SERVER_FILE: path }],
			[["--config", configFile(t, `[ice]\nserver = ${secret}\n`)], {}],
		]) {
			const { code, stdout, stderr } = await runParley(["config", ...args], env);
			assert.equal(code, 0, stderr);
			assert.match(stdout, /^ice\.server = \*\*\* +# /m);
			assert.ok(!(stdout + stderr).includes("the-secret-word"));
		}
	});
});

describe("a setting", () => {
	for (const [what, args, env, says] of [
		["a misspelt flag", ["--room.capasity=3"], {}, /--room\.capasity.*--room\.capacity/s],
		[
			"a misspelt variable",
			[],
			{ PARLEY_ROOM_CAPASITY: "3" },
			/PARLEY_ROOM_CAPASITY.*PARLEY_ROOM_CAPACITY/s,
		],
		["a number that is none", ["--room.capacity=many"], {}, /room\.capacity.*many/s],
		["a number out of range", ["--room.capacity=0"], {}, /room\.capacity/],
		["a size that is none", ["--net.write-queue=big"], {}, /net\.write-queue.*big/s],
		["a time that is none", ["--server.drain=soon"], {}, /server\.drain.*soon/s],
		["a word that is not among them", ["--log.format=xml"], {}, /log\.format.*xml/s],
		["a store that is none of ours", ["--store.url=mysql://x/y"], {}, /store\.url.*sqlite/],
		[
			"an origin that no browser sends",
			["--http.allowed-origins=https://app.example.org/"],
			{},
			/http\.allowed-origins.*app\.example\.org\/.*no \/ at the end/s,
		],
		["an origin that is none", ["--http.allowed-origins=nonsense"], {}, /nonsense is no origin/],
		["a flag without its value", ["--room.capacity"], {}, /room\.capacity/],
		[
			"a file that is not there",
			["--config", "/nonexistent/parley.ini"],
			{},
			/\/nonexistent\/parley\.ini/,
		],
	]) {
		it(`that is wrong ends the start with one clear line: ${what}`, async () => {
			const { code, stdout, stderr } = await runParley(args, env);
			assert.notEqual(code, 0);
			assert.equal(stdout, "");
			assert.match(stderr, says);
			assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
		});
	}

	it("that is unknown in a file is named with file, line and the nearest", async (t) => {
		const path = configFile(t, "# settings\n[room]\ncapasity = 3\n");
		const { code, stderr } = await runParley(["--config", path]);
		assert.notEqual(code, 0);
		assert.match(
			stderr,
			/parley\.ini, line 3: unknown key room\.capasity; did you mean room\.capacity\?/,
		);
	});

	it("from a file or the environment is heeded", async (t) => {
		const path = configFile(t, "[room]\ncapacity = 7\n[ice]\nserver = stun:stun.example.org\n");
		const server = await serverFor(t, {
			args: ["--config", path],
			env: { PARLEY_LIMIT_MESSAGE_SIZE: "64k" },
		});
		const ann = await connect(t, server);
		assert.equal((await ann.join(freshRoom())).capacity, 7);
		assert.equal(ann.hello.limits.message, 65536);
		assert.deepEqual(
			ann.hello.iceServers.flatMap(({ urls }) => urls),
			["stun:stun.example.org", ...ownIceUrls(server)],
		);
	});
});

describe("parley", () => {
	it("version prints its version", async () => {
		for (const args of [["version"], ["--version"]]) {
			const { code, stdout } = await runParley(args);
			assert.equal(code, 0);
			assert.match(stdout, /^parley\/\d+\.\d+\.\d+\n$/);
		}
	});

	it("help names the commands and settings", async () => {
		const { code, stdout } = await runParley(["--help"]);
		assert.equal(code, 0);
		for (const word of ["config", "version", "--listen", "--data-dir", "--ice.server"]) {
			assert.ok(stdout.includes(word), word);
		}
	});

	it("help of a command says what that takes", async () => {
		for (const [command, word] of [
			["serve", "--listen"],
			["config", "--docs"],
			["dialect", "dialect check FILE"],
			["doctor", "--url"],
			["ports", "--turn.port-range"],
			["token", "--identity"],
			["db", "db backup FILE"],
			["version", "print the version"],
			["help", "help [COMMAND]"],
		]) {
			const asked = [
				[command, "--help"],
				[command, "-h"],
				["help", command],
			];
			if (command === "token") {
				asked.push(["token", "create", "--help"]);
			}
			for (const args of asked) {
				const { code, stdout, stderr } = await runParley(args);
				assert.deepEqual([code, stderr], [0, ""], args.join(" "));
				assert.ok(stdout.startsWith("parley "), stdout);
				assert.ok(stdout.includes(word), `${args.join(" ")}: ${stdout}`);
			}
		}
		assert.equal((await runParley(["--listen", "127.0.0.1:0", "--help"])).code, 0);
		assert.equal((await runParley(["-h"])).code, 0);
		const { code, stderr } = await runParley(["help", "dance"]);
		assert.notEqual(code, 0);
		assert.match(stderr, /dance/);
	});

	it("does not know a command that there is not", async () => {
		const { code, stderr } = await runParley(["dance"]);
		assert.notEqual(code, 0);
		assert.match(stderr, /dance/);
	});
});
