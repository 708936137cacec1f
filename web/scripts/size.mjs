// Fails when the SDK has outgrown its promise.

import { gzipSync } from "node:zlib";
import { bundleSdk } from "./sdk-bundle.mjs";

const LIMIT = 25_000;

const code = await bundleSdk();
const size = gzipSync(code, { level: 9 }).length;
console.log(`sdk: ${code.length} bytes, ${size} gzip, limit ${LIMIT}`);
if (size > LIMIT) process.exit(1);
