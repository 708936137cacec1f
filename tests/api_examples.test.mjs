// The calls that docs/api.md shows are made, as they stand there, and answered as it says.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { connect } from "./lib/client.mjs";
import { freshDir, serverFor } from "./lib/server.mjs";
import { KEY, KEY_ARGS, SECRET, tokenFor } from "./lib/token.mjs";

const run = promisify(execFile);
const PAGE = readFileSync(new URL("../docs/api.md", import.meta.url), "utf8");

/** The commands of indented blocks, one to a line: {text, status}. */
function commandsOf(page) {
	const code = page
		.split("\n")
		.filter((line) => line.startsWith("    "))
		.map((line) => line.trim())
		.join("\n")
		.replaceAll("\\\n", " ");
	const commands = [];
	for (const line of code.split("\n")) {
		const [, text, status] = line.match(/^((?:curl|[A-Z]=).*?)(?:\s+# (\d+))?$/) ?? [];
		if (text) {
			commands.push({ text, status });
		}
	}
	return commands;
}

describe("the examples of docs/api.md", () => {
	it("are answered as they say", async (t) => {
		const server = await serverFor(t, { args: KEY_ARGS });
		const cwd = freshDir();
		writeFileSync(join(cwd, "app.key"), `${KEY}:${SECRET}\n`);
		writeFileSync(join(cwd, "plan.pdf"), "%PDF-1.7 a plan");
		for (const name of ["ann", "bob"]) {
			const headers = { Authorization: `Bearer ${tokenFor(name, "amber-fox")}` };
			await (await connect(t, server, { headers })).join("amber-fox");
		}
		const commands = commandsOf(PAGE);
		const settings = commands.filter(({ text }) => !text.startsWith("curl"));
		const calls = commands.filter(({ text }) => text.startsWith("curl"));
		assert.ok(settings.length > 0 && calls.length > 15, "the page has examples");
		const before = settings.map(({ text }) => text).join("\n");
		for (const { text, status } of calls) {
			assert.ok(status, `no status behind: ${text}`);
			const quiet = text.replace(/^curl/, "curl -s -o answer -w '%{http_code}'");
			const script = `${before}\n${quiet}`.replaceAll("https://example.org", server.http);
			const { stdout } = await run("sh", ["-c", script], { cwd });
			assert.equal(stdout, status, `${text}\n${readFileSync(join(cwd, "answer"), "utf8")}`);
		}
	});
});
