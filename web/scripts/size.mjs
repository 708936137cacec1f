// Fails when the SDK has outgrown its promise. What it loads later counts apart: few calls need it.

import { gzipSync } from "node:zlib";
import { bundleSdk } from "./sdk-bundle.mjs";

const LIMITS = { "parley.js": 25_000, "voice-engine.js": 4_000, "voice-worklet.js": 2_000 };

for (const [name, code] of Object.entries(await bundleSdk())) {
	const size = gzipSync(code, { level: 9 }).length;
	const limit = LIMITS[name];
	console.log(`sdk: ${name}: ${code.length} bytes, ${size} gzip, limit ${limit}`);
	if (!limit || size > limit) process.exitCode = 1;
}
