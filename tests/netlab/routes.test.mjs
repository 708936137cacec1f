// Two browsers in networks that let less and less through: the call finds the shortest way that is left.
import { after, afterEach, before, describe, it } from "node:test";
import { Couple, goesBy, part, talk } from "./couple.mjs";

/** The panel of connections names the route. */
async function shows(guest, words) {
	await guest.page.keyboard.press("?");
	await guest.sees("path", words);
	await guest.page.keyboard.press("Escape");
}

describe("a call through every NAT", () => {
	let couple;
	before(async () => {
		const site = { nat: "keeps" };
		couple = await Couple.open({ near: site, far: site, trusted: true });
	});
	afterEach(() => couple.near.unblock());
	after(() => couple?.close());

	it("goes directly between NATs that keep ports", async (t) => {
		const [ann, bob] = await couple.call(t, "keeps");
		await talk(ann, bob);
		await goesBy("reflexive udp", ann, bob);
		await shows(ann, "direct through a router, UDP");
		await part(ann, bob);
	});

	it("goes over the relay between symmetric NATs", async (t) => {
		couple.near.nat = "symmetric";
		couple.far.nat = "symmetric";
		const [ann, bob] = await couple.call(t, "symmetric");
		await talk(ann, bob);
		await goesBy("relay udp", ann, bob);
		await shows(ann, "relay by UDP");
		await part(ann, bob);
	});

	it("goes by TCP for who has no UDP", async (t) => {
		couple.near.block("udp");
		const [ann, bob] = await couple.call(t, "no-udp");
		await talk(ann, bob);
		await goesBy("relay tcp", ann);
		await shows(ann, "relay by TCP");
		await part(ann, bob);
	});

	it("goes by TLS for who has nothing but the HTTPS port, and a firewall that looks inside", async (t) => {
		couple.near.block("butTls", couple.server.port);
		const [ann, bob] = await couple.call(t, "https");
		await talk(ann, bob);
		await goesBy("relay tls", ann);
		await shows(ann, "relay by TLS");
		await part(ann, bob);
	});
});
