// build-sdk.mjs: makes what the package @parley/client consists of: the modules in sdk/dist, their types
// beside them, and the licence. `npm pack` in sdk/ runs it.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { bundleSdk } from "./sdk-bundle.mjs";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

execFileSync(process.execPath, [at("scripts/wire-types.mjs")], { stdio: "inherit" });
rmSync(at("sdk/dist"), { recursive: true, force: true });
mkdirSync(at("sdk/dist"), { recursive: true });
for (const [name, code] of Object.entries(await bundleSdk())) {
	writeFileSync(at(`sdk/dist/${name}`), code);
}
execFileSync(process.execPath, [tsc, "-p", at("sdk/tsconfig.json")], { stdio: "inherit" });
copyFileSync(at("../LICENSE"), at("sdk/LICENSE"));
