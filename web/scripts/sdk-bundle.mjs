// The SDK as one ES module, for browsers without a bundler as for node.

import { fileURLToPath } from "node:url";
import { build } from "vite";

/** The module's text. */
export async function bundleSdk() {
	const result = await build({
		root: fileURLToPath(new URL("..", import.meta.url)),
		configFile: false,
		logLevel: "error",
		build: {
			write: false,
			target: "es2022",
			minify: "esbuild",
			lib: { entry: "sdk/src/index.ts", formats: ["es"], fileName: "parley" },
		},
	});
	const { output } = Array.isArray(result) ? result[0] : result;
	return output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("");
}
