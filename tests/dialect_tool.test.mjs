// parley dialect: the tool for those who write a table; and the tutorial, which shows what it says.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { freshRoom } from "./lib/client.mjs";
import { get } from "./lib/http.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { freshDir, runParley, serverFor } from "./lib/server.mjs";
import { heard, startWithDialect, stock } from "./lib/socketio.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TUTORIAL = readFileSync(join(ROOT, "docs/dialect-tutorial.md"), "utf8");

/** The indented block that begins with `first`, without its indent. */
function block(first) {
	const lines = TUTORIAL.split("\n");
	const from = lines.indexOf(`    ${first}`);
	assert.ok(from > 0, `the tutorial has a block that begins with ${first}`);
	const length = lines.slice(from).findIndex((line) => line !== "" && !line.startsWith("    "));
	const text = lines.slice(from, from + length).map((line) => line.slice(4));
	return `${text.join("\n").trimEnd()}\n`;
}

for (const [name, talk, opening] of [
	["standup", "talk.json", '[{"as":"ann"'],
	["callbook", "calls.json", '[{"as":"one"'],
]) {
	it(`the tutorial's ${name} and its talk give what the tutorial says`, async () => {
		const dir = freshDir();
		const file = join(dir, `${name}.dialect`);
		writeFileSync(file, block(`dialect  ${name}`));
		const first = TUTORIAL.split("\n").find((line) => line.startsWith(`    ${opening}`));
		writeFileSync(join(dir, talk), block(first.slice(4)));
		const said = await runParley(["dialect", "test", file, "--with", join(dir, talk)]);
		const wanted = block(`$ parley dialect test ${name}.dialect --with ${talk}`);
		const time = (text) => text.replace(/"at":"[^"]*"/g, '"at":""').trimEnd();
		assert.equal(time(said.stdout), time(wanted.replace(/^.*\n/, "")));
		assert.equal(said.code, 0);
	});
}

it("a table is checked as the tutorial shows it", async () => {
	const file = join(freshDir(), "standup.dialect");
	writeFileSync(file, block("dialect  standup"));
	const check = await runParley(["dialect", "check", file]);
	assert.equal(check.stdout, block("$ parley dialect check standup.dialect").replace(/^.*\n/, ""));
});

it("a slip is shown as the tutorial shows it", async () => {
	const file = join(freshDir(), "standup.dialect");
	writeFileSync(file, block("dialect  standup").replace("    relay", "    reley"));
	const { code, stderr } = await runParley(["dialect", "check", file]);
	assert.equal(code, 1);
	const at = stderr.indexOf("standup.dialect:");
	const wanted = TUTORIAL.split("\n").filter((line) => /reley|^ +\^$/.test(line));
	assert.equal(stderr.slice(at), `${wanted.map((line) => line.slice(4)).join("\n")}\n`);
});

it("list and show print the shipped tables, and what they print is taken", async () => {
	const list = (await runParley(["dialect", "list"])).stdout;
	for (const name of readdirSync(join(ROOT, "dialects"))) {
		const shipped = readFileSync(join(ROOT, "dialects", name), "utf8");
		const short = name.replace(".dialect", "");
		assert.ok(list.includes(`${short} `), short);
		const { stdout } = await runParley(["dialect", "show", short]);
		assert.equal(stdout, shipped);
		const file = join(freshDir(), name);
		writeFileSync(file, stdout);
		assert.equal((await runParley(["dialect", "check", file])).code, 0);
	}
});

for (const [args, code] of [
	[["dialect"], 0],
	[["dialect", "dance"], 2],
	[["dialect", "show", "nothing"], 1],
	[["dialect", "check"], 2],
	[["dialect", "check", "/nowhere"], 1],
	[["dialect", "test", "x"], 2],
]) {
	it(`parley ${args.join(" ")} ends with ${code}`, async () => {
		assert.equal((await runParley(args)).code, code);
	});
}

const RELAYS = (name) =>
	`dialect ${name}\nspeaks text\nroute /ws/relay/{room}\non connect\n    join room=$room\non *\n    relay others\n`;

for (const [what, texts, wanted] of [
	["with a mistake", ["dialect x\nspeeks json\n"], /bad0\.dialect:2:1: unknown setting 'speeks'/],
	[
		"with one field twice",
		[RELAYS("x").replace("text", "json type").replace("relay others", "relay others {a: 1, a: 2}")],
		/'a' is in this object already/,
	],
	[
		"at a path of the server's own",
		[RELAYS("x").replace("/ws/relay/{room}", "/api/v1/{room}")],
		/bad0\.dialect:3:7: the server itself answers at \/api\/v1\/\{room\}/,
	],
	[
		"that wants another's path",
		[RELAYS("x"), RELAYS("y")],
		/the dialects [xy] and [xy] both want \/ws\/relay\/\{room\}/,
	],
	[
		"that wants another's path under another name",
		[
			RELAYS("x"),
			RELAYS("y").replace("{room}", "{id}").replace("=$room", "=room").replace("text", "json"),
		],
		/the dialects [xy] and [xy] both want \/ws\/relay\/\{/,
	],
]) {
	it(`a table ${what} keeps the server from starting, and it says why`, async () => {
		const dir = freshDir();
		mkdirSync(join(dir, "dialects"));
		for (const [i, text] of texts.entries()) {
			writeFileSync(join(dir, "dialects", `bad${i}.dialect`), text);
		}
		const { code, stderr } = await runParley(["--listen=127.0.0.1:0", `--data-dir=${dir}`]);
		assert.equal(code, 1);
		assert.match(stderr, wanted);
	});
}

for (const [route, wanted] of [
	["/{a}/{b}/{c}/{d}/{e}/{f}/{room}=relay", "a path has at most 4 {names}"],
	["/mine/{room=relay", "between two / of a path is a word or a {name}"],
	["/mine/{id}=relay", "needs a {room} in the path"],
	["/metrics/{room}=relay", "the server itself answers at /metrics/{room}; take another path"],
	["/mi{n}e=duo", "between two / of a path is a word or a {name}"],
	["/mine/{room}=nobody", "is no PATH=NAME of a dialect"],
]) {
	it(`the route ${route} keeps the server from starting, and it says why`, async () => {
		const args = ["--listen=127.0.0.1:0", `--data-dir=${freshDir()}`, "--dialect.route", route];
		const { code, stderr } = await runParley(args);
		assert.equal(code, 1);
		assert.ok(stderr.includes(wanted), stderr);
	});
}

it("no path where the server itself answers is taken for a route", async (t) => {
	const server = await serverFor(t);
	const { text: api } = await get(server, "/openapi.json");
	const { text: page } = await get(server, "/");
	const own = [
		...Object.keys(JSON.parse(api).paths),
		...[...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path),
		...["/", "/check", "/livez", "/readyz", "/health", "/metrics", "/ice-servers"],
		...["/r/{room}", "/v1/connect", "/v1/echo", "/api/turn-credentials"],
		...["/api/turn-refusals", "/api/auth/login", "/api/coworking/rooms/{room}"],
		...["/openapi.json", "/asyncapi.json", "/sdk/parley.js", "/socket.io/", "/engine.io/"],
	];
	const dir = freshDir();
	const files = own.map((path, i) => {
		const file = join(dir, `${i}.dialect`);
		writeFileSync(file, RELAYS("x").replace("/ws/relay/{room}", path));
		return file;
	});
	const { code, stderr } = await runParley(["dialect", "check", ...files]);
	assert.equal(code, 1);
	for (const [i, path] of own.entries()) {
		const wanted = `${i}.dialect:3:7: the server itself answers at ${path};`;
		assert.ok(stderr.includes(`/${wanted}`), wanted);
	}
});

it("the end of what is tried is told to nobody", async () => {
	const talk = join(freshDir(), "talk.json");
	const step = (as) => ({ as, say: ["room:join", { room: "red", userName: as }] });
	writeFileSync(talk, JSON.stringify([step("ann"), step("bob")]));
	const file = join(ROOT, "dialects/duo.dialect");
	const { code, stdout } = await runParley(["dialect", "test", file, "--with", talk]);
	assert.equal(code, 0);
	assert.match(stdout, /ann {6}<- \["user:joined"/);
	assert.doesNotMatch(stdout, /user:left/);
});

const BLIND = `
dialect  blind
speaks   socketio
route    socketio /

on connect
    join room=room
on *
    relay others
`;

it("a table of another name takes a namespace from a shipped one; blind, it relays attachments too", async (t) => {
	const server = await startWithDialect("blind", BLIND);
	t.after(() => server.stop());
	const room = freshRoom("blind");
	const [ann, ben] = await Promise.all(
		[["websocket"], ["polling"]].map((transports) =>
			stock(t, server, { transports, auth: { room } }),
		),
	);
	for (const [from, to] of [
		[ann, ben],
		[ben, ann],
	]) {
		const bytes = Buffer.from([0, 1, 2, 255]);
		const came = heard(to, "piece");
		await metricIs(server, "members", (n) => n === 2);
		from.emit("piece", { of: "a file", bytes }, bytes.subarray(2), "end");
		const [{ of, bytes: first }, second, end] = await came;
		assert.deepEqual([of, end], ["a file", "end"]);
		assert.deepEqual(Buffer.from(first), bytes);
		assert.deepEqual(Buffer.from(second), bytes.subarray(2));
		const counted = heard(to, 7);
		from.emit(7, "its name is a number");
		assert.equal((await counted)[0], "its name is a number");
	}
});
