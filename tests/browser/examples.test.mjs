// examples/html and examples/react in Chromium against the real server, with the packed SDK.
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { launchBrowser, PATIENCE } from "../lib/browser.mjs";
import { connect, freshRoom } from "../lib/client.mjs";
import { installSdk } from "../lib/sdk.mjs";
import { freshDir, serverFor } from "../lib/server.mjs";
import { run } from "../lib/wait.mjs";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
const MODULES = fileURLToPath(new URL("../../web/node_modules", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** Serves a folder as any static server would; its address. */
async function serveFolder(t, folder) {
	const server = createServer((request, response) => {
		const path = new URL(request.url, "http://x").pathname;
		const file = join(folder, path === "/" ? "index.html" : path);
		try {
			const body = readFileSync(file);
			response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" }).end(body);
		} catch {
			response.writeHead(404).end();
		}
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${server.address().port}`;
}

function folder(t) {
	const dir = freshDir();
	t.after(() => rmSync(dir, { recursive: true, force: true }));
	return dir;
}

function htmlExample(t) {
	const dir = folder(t);
	const { home } = installSdk(t);
	cpSync(join(EXAMPLES, "html"), dir, { recursive: true });
	cpSync(join(home, "dist"), dir, { recursive: true });
	return dir;
}

/** What `npm install && npx vite build` makes of the example, without a registry. */
async function reactExample(t) {
	const dir = folder(t);
	const { home } = installSdk(t);
	cpSync(join(EXAMPLES, "react"), dir, {
		recursive: true,
		filter: (path) => !path.includes("node_modules"),
	});
	cpSync(home, join(dir, "node_modules/@parley/client"), { recursive: true });
	for (const name of ["react", "react-dom", "scheduler", "@types"]) {
		symlinkSync(join(MODULES, name), join(dir, "node_modules", name));
	}
	run(process.execPath, join(MODULES, "typescript/bin/tsc"), "-p", dir, "--preserveSymlinks");
	const { build } = await import(pathToFileURL(join(MODULES, "vite/dist/node/index.js")));
	await build({
		root: dir,
		configFile: false,
		logLevel: "error",
		resolve: { preserveSymlinks: true },
	});
	return join(dir, "dist");
}

describe("the examples in a browser", () => {
	let browser;
	before(async () => {
		browser = await launchBrowser();
	});
	after(() => browser?.close());

	for (const [name, make] of [
		["plain HTML", htmlExample],
		["React", reactExample],
	]) {
		it(`${name}: people see and write to each other`, async (t) => {
			const server = await serverFor(t);
			const origin = await serveFolder(t, await make(t));
			const room = freshRoom("example");
			const address = `${origin}/?${new URLSearchParams({ room, server: server.http })}`;
			const complaints = [];
			const pages = [];
			for (const who of ["Ann", "Bob"]) {
				const context = await browser.newContext();
				t.after(() => context.close());
				const page = await context.newPage();
				page.setDefaultTimeout(PATIENCE);
				page.on("pageerror", (error) => complaints.push(String(error)));
				await page.goto(address);
				await page.getByLabel("Your name").fill(who);
				await page.getByRole("button", { name: "Join" }).click();
				pages.push(page);
			}
			const [ann, bob] = pages;
			await ann.getByRole("status").filter({ hasText: "With Bob" }).waitFor();
			await bob.getByRole("status").filter({ hasText: "With Ann" }).waitFor();
			await ann.waitForFunction(() =>
				[...document.querySelectorAll("figure")].some(
					(tile) => tile.textContent === "Bob" && tile.querySelector("video").videoWidth > 0,
				),
			);
			await ann.getByLabel("Message", { exact: true }).fill("hello Bob");
			await ann.getByRole("button", { name: "Send" }).click();
			await bob.getByText("Ann: hello Bob").waitFor();
			const cem = await connect(t, server);
			await cem.join(room, { name: "Cem" });
			cem.send({ type: "chat", text: "hello both" });
			await ann.getByText("Cem: hello both").waitFor();
			assert.deepEqual(complaints, []);
		});
	}
});
