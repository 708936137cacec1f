// The SDK as ES modules, for browsers without a bundler as for node: parley.js, and what it loads when that is
// needed: voice-engine.js, and voice-worklet.js into the audio thread.

import { fileURLToPath } from "node:url";
import { build, transformWithEsbuild } from "vite";

/** The modules' texts by name. */
export async function bundleSdk() {
	return { ...(await bundle("parley", "index.ts")), ...(await bundle("voice-worklet")) };
}

async function bundle(fileName, source = `${fileName}.ts`) {
	const result = await build({
		root: fileURLToPath(new URL("..", import.meta.url)),
		configFile: false,
		logLevel: "error",
		build: {
			write: false,
			target: "es2022",
			minify: "esbuild",
			lib: { entry: `sdk/src/${source}`, formats: ["es"], fileName },
			rollupOptions: { output: { chunkFileNames: "[name].js" } },
		},
	});
	const { output } = Array.isArray(result) ? result[0] : result;
	return Object.fromEntries(await Promise.all(output.map(minified)));
}

/** Vite leaves the spaces in libraries, for bundlers; most of our readers are browsers. */
async function minified({ fileName, code }) {
	const small = await transformWithEsbuild(code, fileName, { minify: true, target: "es2022" });
	return [fileName, small.code];
}
