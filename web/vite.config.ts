import { defineConfig } from "vitest/config";

// The server serves one page for / and /r/{room} and everything else below /assets,
// under a content security policy without inline scripts or data: scripts.
export default defineConfig({
	root: "app",
	base: "/",
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
	},
});
