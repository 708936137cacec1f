// Two people in browsers of their own, each behind a router of its own, and the server between them.
import { rmSync } from "node:fs";
import { callOf, Guest, launchBrowser, PATIENCE } from "../lib/browser.mjs";
import { trustedHome } from "../lib/certificate.mjs";
import { check } from "../lib/check.mjs";
import { freshRoom } from "../lib/client.mjs";
import { freshDir, startServer } from "../lib/server.mjs";
import { poll } from "../lib/wait.mjs";
import { Lab, SERVER } from "./lab.mjs";

/** Runs in the page: how each of its connections goes: {route, to}; route such as "relay tcp", where the transport is that
 * towards our own relay. */
async function readPaths() {
	const found = [];
	for (const { pc } of window.parleyDebug.peers) {
		const stats = [...(await pc.getStats()).values()];
		const selected = stats.find((s) => s.selectedCandidatePairId)?.selectedCandidatePairId;
		const pair = stats.find(({ id }) => id === selected);
		const local = stats.find(({ id }) => id === pair?.localCandidateId);
		const remote = stats.find(({ id }) => id === pair?.remoteCandidateId);
		const types = [local?.candidateType, remote?.candidateType];
		const reflexive = types.every((type) => type === "host") ? "host" : "reflexive";
		const type = types.includes("relay") ? "relay" : reflexive;
		const route = `${type} ${local?.relayProtocol ?? local?.protocol}`;
		found.push({ route, to: `${remote?.address}:${remote?.port}` });
	}
	return found;
}

export class Couple {
	#lab;
	#browsers = [];
	#home = freshDir();

	/** near, far: options of their sites. args: the server's. trusted: it has a certificate that the browsers trust. */
	static async open({ near = {}, far = {}, args = [], trusted = false } = {}) {
		const couple = new Couple();
		try {
			couple.#lab = await Lab.open();
			const { serverOptions } = couple.#lab;
			// Connections of addresses that are no more would be waited for.
			const own = ["--server.drain=1s", ...args];
			if (trusted) {
				const { cert, key } = trustedHome(couple.#home, SERVER);
				own.push("--tls.cert", cert, "--tls.key", key);
			}
			const home = trusted ? couple.#home : undefined;
			const server = { ...serverOptions, grace: "5m", workers: 2, args: own };
			couple.server = await startServer(server);
			couple.near = await couple.#lab.site(near);
			couple.far = await couple.#lab.site(far);
			for (const site of [couple.near, couple.far]) {
				const within = (program) => site.program(program);
				couple.#browsers.push(await launchBrowser({ within, home }));
			}
		} catch (error) {
			await couple.close();
			throw error;
		}
		return couple;
	}

	get origin() {
		return `https://${SERVER}:${this.server.port}`;
	}

	/** A call of Ann, who is near, and Bob, who is far, for the test; it ends with that. */
	call(t, hint, options = {}) {
		const settings = { origin: this.origin, ...options };
		return callOf(t, this.#browsers, this.server, freshRoom(hint), ["Ann", "Bob"], settings);
	}

	/** What /check finds near and far. */
	check(t) {
		const { server, origin } = this;
		return Promise.all(this.#browsers.map((browser) => check(t, browser, server, { origin })));
	}

	/** Somebody else in Bob's browser. */
	third(t, path, name) {
		const { server, origin } = this;
		return Guest.open(t, this.#browsers[1], server, path, name, { origin });
	}

	async close() {
		for (const browser of this.#browsers) {
			await browser.close();
		}
		await this.server?.stop();
		await this.#lab?.close();
		rmSync(this.#home, { recursive: true, force: true });
	}
}

/** Waits until media goes that way, as each of these people's browsers has it. */
export async function goesBy(route, ...guests) {
	let last;
	await poll(
		async () => {
			const found = await Promise.all(guests.map(({ page }) => page.evaluate(readPaths)));
			last = found.flat().map((path) => path.route);
			return last.length === guests.length && last.every((seen) => seen === route);
		},
		() => `media to go by ${route}; it goes by ${last}`,
		PATIENCE,
	);
}

/** Where a person's browser sends media to, as "address:port"; others: to where it does not, any more. */
export function sendsTo({ page, name }, other) {
	let last;
	return poll(
		async () => {
			[last] = await page.evaluate(readPaths);
			return last && last.to !== other && last.to;
		},
		() => `${name} to send elsewhere than to ${other}; it is ${JSON.stringify(last)}`,
		PATIENCE,
	);
}

/** Each sees and hears the other from now on. */
export function talk(ann, bob) {
	return Promise.all([ann.hearsAndSees(bob), bob.hearsAndSees(ann)]);
}

/** Both leave: what one test leaves behind, the next would have to wait for. */
export function part(...guests) {
	return Promise.all(guests.map((guest) => guest.press("leave-button")));
}
