// The package @parley/client as somebody would install it: packed by npm and unpacked elsewhere.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freshDir } from "./server.mjs";
import { run } from "./wait.mjs";

const SDK = fileURLToPath(new URL("../../web/sdk", import.meta.url));

/** A directory whose node_modules hold the package and nothing else; gone after the test. */
export function installSdk(t) {
	assert.ok(existsSync(join(SDK, "dist/parley.js")), "npm run build in web/ makes the SDK");
	const dir = freshDir();
	t.after(() => rmSync(dir, { recursive: true, force: true }));
	const [packed] = JSON.parse(
		run("npm", "pack", SDK, "--ignore-scripts", "--json", "--pack-destination", dir),
	);
	const home = join(dir, "node_modules/@parley/client");
	mkdirSync(home, { recursive: true });
	run("tar", "-xzf", join(dir, packed.filename), "-C", home, "--strip-components=1");
	return { dir, home, files: packed.files.map(({ path }) => path) };
}
