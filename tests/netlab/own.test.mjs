// Public addresses of the server's machine that no neighbour uses: on its loopback interface, as a service that is announced from
// several places has one, and on a bridge of containers. A relay does not reach them either.
import assert from "node:assert/strict";
import { it } from "node:test";
import { startServer } from "../lib/server.mjs";
import { Lab } from "./lab.mjs";
import { Roamer } from "./roamers.mjs";

it("relays take no address of the server's own machine, whatever it is on", async (t) => {
	const lab = await Lab.open();
	t.after(() => lab.close());
	lab.addOwn("198.51.100.1/32", "lo");
	lab.addOwn("198.51.101.1/24", "docker0");
	const args = ["--turn.user", "ann:secret", "--turn.self-check=false"];
	const server = await startServer({ ...lab.serverOptions, args });
	t.after(() => server.stop());
	const ann = Roamer.open(await lab.site(), server);
	t.after(() => ann.close());
	await ann.do("allocate", { transport: "udp" });
	const code = async (address) => (await ann.ask("permit", { peer: { address, port: 9 } })).code;
	assert.equal(await code("198.51.100.1"), 403);
	assert.equal(await code("198.51.101.1"), 403);
	assert.equal(await code("198.51.101.2"), 0); // somebody beside it
});
