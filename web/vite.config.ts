import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** The SDK goes along at an address of its own, for pages that are built by nobody. */
const sdkModule = {
	name: "sdk-module",
	generateBundle(this: { emitFile(file: object): void }) {
		const dist = new URL("sdk/dist/", import.meta.url);
		for (const name of readdirSync(dist).filter((entry) => entry.endsWith(".js"))) {
			const source = readFileSync(new URL(name, dist));
			this.emitFile({ type: "asset", fileName: `sdk/${name}`, source });
		}
	},
};

// The server serves one page for / and /r/{room} and everything else below /assets,
// under a content security policy without inline scripts or data: scripts.
export default defineConfig({
	root: "app",
	base: "/",
	plugins: [sdkModule],
	esbuild: { jsx: "automatic", jsxImportSource: "preact" },
	build: {
		outDir: "../dist",
		emptyOutDir: true,
		target: "es2022",
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
	},
	server: {
		proxy: {
			"/v1": { target: "http://localhost:8443", ws: true },
			"/api": "http://localhost:8443",
		},
	},
	test: {
		root: ".",
		include: ["sdk/src/**/*.test.ts", "app/src/**/*.test.ts"],
		environment: "node",
		setupFiles: ["scripts/test-setup.mjs"],
		testTimeout: 60_000, // machines are busy
	},
});
