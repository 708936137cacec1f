// What `parley doctor` finds.
import assert from "node:assert/strict";
import { runParley } from "./server.mjs";

// A port that swallows everything takes it seconds.
const PATIENCE = 120_000;

/** Its findings by name: {name: {verdict, measured or cause, cure}}; of a name told twice the last. prefix: the words that run
 * it elsewhere. */
export async function examine(url, { args = [], env, prefix } = {}) {
	const words = ["doctor", "--url", url, "--json", ...args];
	const { code, stdout, stderr } = await runParley(words, env, { prefix, ms: PATIENCE });
	assert.equal(stderr, "");
	const report = JSON.parse(stdout);
	assert.equal(code, report.failed > 0 ? 1 : 0);
	return Object.fromEntries(report.findings.map((finding) => [finding.check, finding]));
}

/** {check: verdict} of all that did not pass. */
export function troubles(found) {
	const bad = Object.values(found).filter(({ verdict }) => verdict !== "pass");
	return Object.fromEntries(bad.map(({ check, verdict }) => [check, verdict]));
}
