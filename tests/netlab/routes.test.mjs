// Two browsers in networks that let less and less through: the call finds the shortest way that is left.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { trustedHome } from "../lib/certificate.mjs";
import { freshDir } from "../lib/server.mjs";
import { Couple, goesBy, part, talk } from "./couple.mjs";
import { SERVER } from "./lab.mjs";

describe("a call through every NAT", () => {
	let couple;
	let home;
	before(async () => {
		home = freshDir();
		const { cert, key } = trustedHome(home, SERVER);
		const args = ["--tls.cert", cert, "--tls.key", key];
		couple = await Couple.open({
			near: { nat: "keeps" },
			far: { nat: "keeps" },
			args,
			home,
		});
	});
	afterEach(() => {
		couple.near.unblock();
		couple.far.unblock();
	});
	after(async () => {
		await couple?.close();
		rmSync(home, { recursive: true, force: true });
	});

	it("goes directly between NATs that keep ports", async (t) => {
		const [ann, bob] = await couple.call(t, "keeps");
		await talk(ann, bob);
		await goesBy("reflexive udp", ann, bob);
		await part(ann, bob);
	});

	it("goes over the relay between symmetric NATs", async (t) => {
		couple.near.nat = "symmetric";
		couple.far.nat = "symmetric";
		const [ann, bob] = await couple.call(t, "symmetric");
		await talk(ann, bob);
		await goesBy("relay udp", ann, bob);
		await part(ann, bob);
	});

	it("goes by TCP for who has no UDP", async (t) => {
		couple.near.block("udp");
		const [ann, bob] = await couple.call(t, "no-udp");
		await talk(ann, bob);
		await goesBy("relay tcp", ann);
		await part(ann, bob);
	});

	it("goes by TLS for who has nothing but the HTTPS port, and a firewall that looks inside", async (t) => {
		couple.near.block("butTls", couple.server.port);
		const [ann, bob] = await couple.call(t, "https");
		await talk(ann, bob);
		await goesBy("relay tls", ann);
		await part(ann, bob);
	});

	it("is explained by /check: what fails, and what is left", async (t) => {
		const { port } = couple.server;
		couple.near.block("udp");
		couple.far.block("butTls", port);
		const place = `${SERVER}:${port}`;
		const ways = [
			...[`stun:${place}`, `turn:${place}?transport=udp`, `turn:${place}?transport=tcp`],
			`turns:${place}?transport=tcp`,
		];
		const found = await couple.check(t);
		const verdicts = found.map((one) => ways.map((way) => one.found[way].state));
		assert.deepEqual(verdicts, [
			["fail", "fail", "pass", "pass"],
			["fail", "fail", "fail", "pass"],
		]);
		const [near, far] = found.map((one) => one.found);
		assert.match(near[ways[0]].text, /No answer came by UDP.*through the relay by TCP/s);
		assert.match(
			near[ways[1]].text,
			new RegExp(`Nothing answers at ${SERVER}, port ${port}, by UDP`),
		);
		assert.match(
			far[ways[2]].text,
			new RegExp(`Nothing answers at ${SERVER}, port ${port}, by TCP`),
		);
		assert.match(far.websocket.text, /hello in/);
	});
});
