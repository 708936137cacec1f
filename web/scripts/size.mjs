// Builds the SDK alone, minified, and fails when it has outgrown its promise.

import { gzipSync } from "node:zlib";
import { build } from "vite";

const LIMIT = 25_000;

const result = await build({
	configFile: false,
	logLevel: "error",
	build: {
		write: false,
		target: "es2022",
		minify: "esbuild",
		lib: { entry: "sdk/src/index.ts", formats: ["es"], fileName: "parley" },
	},
});
const output = (Array.isArray(result) ? result[0] : result).output;
const code = output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("");
const size = gzipSync(code, { level: 9 }).length;
console.log(`sdk: ${code.length} bytes, ${size} gzip, limit ${LIMIT}`);
if (size > LIMIT) process.exit(1);
