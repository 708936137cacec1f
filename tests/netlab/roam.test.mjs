// RFC 8016 behind routers: a client whose address changes takes its relay along, whosever address it is and whatever it goes on
// by, and those who talk to it notice nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startServer } from "../lib/server.mjs";
import { Lab } from "./lab.mjs";
import { Roamer } from "./roamers.mjs";

describe("a relay of somebody whose address changes", () => {
	let lab;
	let server;
	let site;
	let ann;
	let bob;
	before(async () => {
		lab = await Lab.open();
		const args = ["--turn.user", "ann:secret", "--turn.self-check=false", "--server.drain=1s"];
		server = await startServer({ ...lab.serverOptions, workers: 2, args });
		site = await lab.site({ nat: "keeps" });
		ann = Roamer.open(site, server);
		bob = Roamer.open(await lab.site({ nat: "symmetric" }), server);
	});
	after(async () => {
		await ann?.close();
		await bob?.close();
		await server?.stop();
		await lab?.close();
	});

	/** There and back, by the relays of both. */
	async function talk(relays, text) {
		await ann.do("say", { peer: relays.bob, text });
		assert.deepEqual((await bob.do("hear", { text })).from, relays.ann);
		await bob.do("say", { peer: relays.ann, text: `${text}, back` });
		assert.deepEqual((await ann.do("hear", { text: `${text}, back` })).from, relays.bob);
	}

	const changes = {
		"the router's": () => site.moveRouter(),
		"the device's own": () => site.moveClient(),
	};
	for (const transport of ["udp", "tcp", "tls", "dtls"]) {
		it(`goes along: by ${transport}`, async () => {
			const relays = {
				ann: (await ann.do("allocate", { transport })).relay,
				bob: (await bob.do("allocate", { transport })).relay,
			};
			await ann.do("permit", { peer: relays.bob });
			await bob.do("permit", { peer: relays.ann });
			await talk(relays, "before");
			for (const [what, change] of Object.entries(changes)) {
				change();
				await ann.do("move", { transport });
				await talk(relays, `after ${what}`);
			}
			await ann.do("release");
			await bob.do("release");
		});
	}

	it("goes along from the same socket, where only the router knows of it", async () => {
		const transport = "udp";
		const relays = {
			ann: (await ann.do("allocate", { transport })).relay,
			bob: (await bob.do("allocate", { transport: "tls" })).relay,
		};
		await ann.do("permit", { peer: relays.bob });
		await bob.do("permit", { peer: relays.ann });
		for (let i = 0; i < 3; i++) {
			site.moveRouter();
			await ann.do("move");
			await talk(relays, `change ${i}`);
		}
		// From one kind of way to another, as from Wi-Fi to a mobile network that lets no UDP through.
		for (const next of ["tls", "dtls", "tcp", "udp"]) {
			site.moveRouter();
			await ann.do("move", { transport: next });
			await talk(relays, `on by ${next}`);
		}
		await ann.do("release");
		await bob.do("release");
	});
});
