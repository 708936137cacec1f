// What the page says of the ways a call can take: /check, and the connections within a call.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { rmSync } from "node:fs";
import { describe, it } from "node:test";
import { keepHouse, launchBrowser, PHONE } from "../lib/browser.mjs";
import { trustedHome } from "../lib/certificate.mjs";
import { check, readChecks } from "../lib/check.mjs";
import { freshRoom } from "../lib/client.mjs";
import { iceUrls } from "../lib/ice.mjs";
import { proxyFor } from "../lib/proxy.mjs";
import { freePort, freshDir, serverFor } from "../lib/server.mjs";

describe("the ways of a call", () => {
	const house = keepHouse();

	it("are tried on /check, each with what was measured", async (t) => {
		const { guest, found } = await check(t, house.browser, house.server, PHONE);
		await guest.shot("check-phone");
		for (const id of ["secure", "server", "clock", "websocket", "microphone", "camera"]) {
			assert.equal(found[id]?.state, "pass", `${id}: ${found[id]?.text}`);
		}
		await guest.sees("check-sum");
		await guest.press("check-again");
		await guest.page.locator('[data-testid="check-lines"][aria-busy="true"]').waitFor();
	});

	it("are all in order on /check with a certificate that the browser trusts, relays by TLS too", async (t) => {
		const home = freshDir();
		const { cert, key } = trustedHome(home, "localhost");
		const trusting = await launchBrowser({ home });
		t.after(async () => {
			await trusting.close();
			rmSync(home, { recursive: true, force: true });
		});
		const server = await serverFor(t, { args: ["--tls.cert", cert, "--tls.key", key] });
		const origin = `https://localhost:${server.port}`;
		const { guest, found } = await check(t, trusting, server, { origin });
		const ways = iceUrls(`localhost:${server.port}`, { tls: true });
		assert.deepEqual(Object.keys(found), [
			...["secure", "server", "clock", "websocket", "polling", "certificate"],
			...ways,
			...["nat", "microphone", "camera"],
		]);
		const bad = Object.values(found).filter(({ state }) => state !== "pass");
		assert.deepEqual(bad, []);
		for (const way of ways) {
			assert.match(found[way].text, /\d+ ms|your own address is the one/);
		}
		assert.match(found.nat.text, /none: others see your own address/);
		assert.match(await guest.find("check-sum").innerText(), /Everything that was tried works/);
	});

	it("say on /check that a self-made certificate is one", async (t) => {
		const { found } = await check(t, house.browser, house.server, {
			origin: `https://127.0.0.1:${house.server.port}`,
		});
		assert.equal(found.certificate.state, "fail");
		assert.match(found.certificate.text, /signed by itself.*tls\.cert/s);
	});

	it("say on /check that a proxy lets no WebSocket through, and a clock is wrong", async (t) => {
		const server = await serverFor(t, { args: ["--turn.enabled=false"] });
		const origin = await proxyFor(t, server, { ahead: 3600 });
		const { found } = await check(t, house.browser, server, { origin });
		assert.equal(found.websocket.state, "fail");
		assert.match(found.websocket.text, /A proxy in between must pass WebSockets/);
		assert.equal(found.polling.state, "pass");
		assert.equal(found.clock.state, "fail");
		assert.match(found.clock.text, /The server's clock is 3[56]\d\d s ahead of yours/);
	});

	it("say on /check why a relay refuses", async (t) => {
		const relay = await serverFor(t, { args: ["--turn.user", "ann:secret"] });
		const url = `turn:127.0.0.1:${relay.port}?transport=udp`;
		const listed = `${url} username=ann credential=wrong`;
		const server = await serverFor(t, { args: ["--turn.enabled=false", "--ice.server", listed] });
		const { found } = await check(t, house.browser, server);
		assert.equal(found[url].state, "fail");
		assert.match(found[url].text, /The relay refused: 401.*turn\.static-auth-secret/s);
		assert.equal(found.nat.state, "left-out");
	});

	it("say on /check that the devices are refused, and later that the server is gone", async (t) => {
		const deaf = await launchBrowser({ deny: true });
		t.after(() => deaf.close());
		const server = await serverFor(t);
		const { guest, found } = await check(t, deaf, server);
		for (const thing of ["microphone", "camera"]) {
			assert.equal(found[thing].state, "fail");
			assert.match(found[thing].text, new RegExp(`does not let this page use the ${thing}`));
			assert.match(found[thing].text, /allow it there/);
		}
		server.signal("SIGTERM");
		await server.ended;
		await guest.press("check-again");
		const again = await readChecks(guest);
		for (const id of ["server", "clock", "polling"]) {
			assert.match(again[id].text, /The server does not answer/);
		}
		assert.equal(again.websocket.state, "fail");
		assert.equal(again.ice.state, "left-out");
	});

	it("say on /check why a relay refused, which browsers do not", async (t) => {
		const port = await freePort();
		const soon = Math.floor(Date.now() / 1000) + 600;
		const refused = {
			tcp: [`${soon - 660}:web`, "north", /expired \d+ s before/, /NTP/],
			udp: [`${soon}:web`, "south", /made with another secret/, /turn\.static-auth-secret/],
		};
		const place = `127.0.0.1:${port}`; // which the server itself does not hand out without a certificate
		const args = ["--turn.static-auth-secret", "north", "--turn.tls-listen", place];
		for (const [by, [username, secret]] of Object.entries(refused)) {
			const credential = createHmac("sha1", secret).update(username).digest("base64");
			const url = `turn:${place}?transport=${by}`;
			args.push("--ice.server", `${url} username=${username} credential=${credential}`);
		}
		const server = await serverFor(t, { args });
		const { found } = await check(t, house.browser, server);
		for (const [by, [, , cause, cure]] of Object.entries(refused)) {
			const line = found[`turn:${place}?transport=${by}`];
			assert.equal(line.state, "fail", line.text);
			assert.match(line.text, cause);
			assert.match(line.text, cure);
		}
	});

	it("are shown within a call: route, time there and back, loss", async (t) => {
		const [ann, bob] = await house.call(t, freshRoom("paths"), ["Ann", "Bob"]);
		await ann.hearsAndSees(bob);
		await ann.page.keyboard.press("?");
		await ann.page.locator('[data-testid="path"][data-route]').waitFor();
		await ann.shot("paths");
		const text = await ann.find("path").innerText();
		assert.match(text, /Bob\s+direct, UDP, \d+ ms, [\d.]+ % lost/);
	});

	it("lead through the server's own relay when one wants to hide its address", async (t) => {
		const { found } = await check(t, house.browser, house.server);
		const relays = Object.entries(found).filter(([id]) => id.startsWith("turn:"));
		assert.equal(relays.length, 2, Object.keys(found).join());
		for (const [id, { state, text }] of relays) {
			assert.equal(state, "pass", `${id}: ${text}`);
		}
		const [ann, bob] = await house.call(t, freshRoom("hide"), ["Ann", "Bob"]);
		await ann.hearsAndSees(bob);
		await ann.page.keyboard.press("?");
		await ann.find("relay-only").check();
		await ann.page.locator('[data-testid="path"][data-route="relay"]').waitFor();
		await ann.shot("paths-relay");
		await Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
	});
});
