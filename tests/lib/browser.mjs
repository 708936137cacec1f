// Real Chromium with a fake camera and a tone as its microphone, and people who use the page.
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { loadPlaywright } from "./deps.mjs";
import { freshDir, startServer } from "./server.mjs";
import { writeTone } from "./tone.mjs";
import { poll } from "./wait.mjs";

// Pictures are encoded on a CPU that many share, and a path that was lost is looked for every half minute at the least.
export const PATIENCE = 90_000;
const SHOTS = process.env.PARLEY_SHOTS;

const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = {
	viewport: { width: 390, height: 844 },
	deviceScaleFactor: 2,
	isMobile: true,
	hasTouch: true,
};
// A name that is not localhost: the browser then has no reason to trust plain http.
export const FAR = "parley.test";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** deny: camera and microphone are refused to every page. within: wraps the program (netlab). home: a home directory with a
 * certificate store. */
export async function launchBrowser({ deny = false, within = (program) => program, home } = {}) {
	const dir = freshDir();
	const wav = join(dir, "tone.wav");
	writeTone(wav);
	const browser = await loadPlaywright().chromium.launch({
		executablePath: within(CHROMIUM),
		env: home ? { ...process.env, HOME: home } : process.env,
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			"--autoplay-policy=no-user-gesture-required",
			"--use-fake-device-for-media-stream=fps=12", // each frame is encoded on the CPU
			deny ? "--use-fake-ui-for-media-stream=deny" : "--use-fake-ui-for-media-stream",
			`--use-file-for-fake-audio-capture=${wav}`,
			// The second: pages that tests serve themselves have no address, so are taken for foreign.
			"--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks",
			`--host-resolver-rules=MAP ${FAR} 127.0.0.1`,
		],
	});
	const close = browser.close.bind(browser);
	browser.close = async () => {
		await close();
		rmSync(dir, { recursive: true, force: true });
	};
	return browser;
}

/** Energy of the voices that come through the server, per person: {name: energy}. Runs in the page. */
function readVoices() {
	const peers = (window.parleyDebug?.peers ?? []).filter(({ voice }) => voice);
	return Object.fromEntries(peers.map(({ name, voice }) => [name, voice.energy]));
}

/** Counters of what comes in, per person: {name: {frames, energy, state}}. Runs in the page. */
async function readPeers() {
	const found = {};
	for (const { name, pc, state } of window.parleyDebug?.peers ?? []) {
		const entry = { frames: 0, energy: 0, state };
		for (const report of (await pc.getStats()).values()) {
			if (report.type !== "inbound-rtp") {
				continue;
			}
			entry.frames += report.framesDecoded ?? 0;
			entry.energy += report.totalAudioEnergy ?? 0;
		}
		found[name] = entry;
	}
	return found;
}

/** The counters began anew: they are another connection's. */
export const isAnother = (before, now) => now.frames < before.frames || now.energy < before.energy;

/** Somebody with a browser of their own (a context shares nothing with the others). */
export class Guest {
	complaints = [];

	constructor(page, name) {
		this.page = page;
		this.name = name;
		page.setDefaultTimeout(PATIENCE);
		page.on("pageerror", (error) => this.complaints.push(String(error)));
	}

	/**
	 * Opens `path` of the server; options of the context, origin (default http on loopback), and
	 * `init`, which runs in the page before its own scripts.
	 */
	static async open(
		t,
		browser,
		server,
		path,
		name,
		{ origin = server.http, init, ...options } = {},
	) {
		const context = await browser.newContext({
			...DESKTOP,
			ignoreHTTPSErrors: true,
			...options,
		});
		if (init) {
			await context.addInitScript(init);
		}
		const guest = new Guest(await context.newPage(), name);
		t.after(async () => {
			await context.close();
			assert.deepEqual(guest.complaints, [], `scripts failed in ${name}'s page`);
		});
		await guest.page.goto(origin + path);
		return guest;
	}

	/** The element with that data-testid. */
	find(id) {
		return this.page.getByTestId(id);
	}

	/** Resolves when it is seen (or gone). */
	async sees(id, text) {
		const wanted = text === undefined ? this.find(id) : this.find(id).filter({ hasText: text });
		await wanted.first().waitFor();
	}

	async seesNo(id) {
		await this.find(id).waitFor({ state: "hidden" });
	}

	async press(id) {
		await this.find(id).click();
	}

	/** The preview shows what the camera sees. */
	async seesItself() {
		await this.find("preview").locator("video").waitFor();
	}

	/** From the preview into the call. */
	async join() {
		await this.find("name-input").fill(this.name);
		await this.press("join-button");
		await this.page.locator('[data-testid="call"]:not([data-phase="joining"])').waitFor();
	}

	/** Waits until the page counts so many people in the call, this one included. */
	async counts(people) {
		await this.sees("people-count", people === 1 ? /^1 person$/ : new RegExp(`^${people} people$`));
	}

	tile(name) {
		return this.find("tile").filter({ has: this.page.getByText(name, { exact: true }) });
	}

	peers() {
		return this.page.evaluate(readPeers);
	}

	/** Picture and sound of each of `others` come in from now on: frames decoded, energy rising. */
	async hearsAndSees(...others) {
		const names = others.map(({ name }) => name).sort();
		let first;
		let last;
		await poll(
			async () => {
				last = await this.peers();
				if (Object.keys(last).sort().join() !== names.join()) {
					first = undefined;
					return false;
				}
				if (!first || names.some((name) => isAnother(first[name], last[name]))) {
					first = last;
				}
				return names.every(
					(name) =>
						last[name].frames > first[name].frames + 3 &&
						last[name].energy > first[name].energy + 0.001,
				);
			},
			() => `${this.name} to see and hear ${names}: ${JSON.stringify({ first, last })}`,
			PATIENCE,
		);
	}

	/** The page shows that the voice of `other` comes through the server, and it does: energy rises. */
	async hearsRelayed(other) {
		await this.tile(other.name).getByTestId("tile-relayed").waitFor();
		let first;
		let last;
		await poll(
			async () => {
				last = (await this.page.evaluate(readVoices))[other.name];
				if (!(last >= first)) {
					first = last; // at first, and when it begins anew
				}
				// Some 70 a second, after the browser has taken the fake microphone's tone for a noise.
				return last > first + 100;
			},
			() => `${this.name} to hear ${other.name} through the server: ${first}, ${last}`,
			PATIENCE,
		);
	}

	/** Nothing but silence comes from `other`: its energy stands still while pictures go on. */
	async hearsNothingOf(other) {
		let last;
		await poll(
			async () => {
				const before = (await this.peers())[other.name];
				last = before;
				await poll(
					async () => {
						last = (await this.peers())[other.name];
						return last.frames > before.frames + 5;
					},
					() => `more frames of ${other.name}`,
					PATIENCE,
				);
				return last.energy - before.energy < 1e-5;
			},
			() => `silence of ${other.name}: ${JSON.stringify(last)}`,
			PATIENCE,
		);
	}

	/** Keeps hold of the RTCPeerConnections, so that kept() can tell whether they are the same. */
	async remember() {
		await this.page.evaluate(() => {
			window.keptForTest = window.parleyDebug.peers.map(({ pc }) => pc);
		});
	}

	kept() {
		return this.page.evaluate(() =>
			window.keptForTest.every((pc) => window.parleyDebug.peers.some((peer) => peer.pc === pc)),
		);
	}

	/** Its connection to the server breaks; resolves when it has noticed, and is in the room again. */
	async breaksOff() {
		await this.page.evaluate(async () => {
			window.parleyDebug.dropConnection();
			while (window.parleyDebug.roomState === "in") {
				await new Promise((resolve) => setTimeout(resolve));
			}
		});
		await this.page.waitForFunction(() => window.parleyDebug.roomState === "in");
	}

	/** Tries to reach the server at once, until it has: an attempt of the page's own may come between. */
	async retries() {
		await poll(
			() =>
				this.page.evaluate(() => {
					const button = document.querySelector('[data-testid="retry-button"]');
					button?.click();
					return !button;
				}),
			() => `${this.name} to reach the server`,
			PATIENCE,
		);
	}

	/** Resolves when the page says it aloud. */
	async announces(text) {
		await this.find("announcement").filter({ hasText: text }).waitFor({ state: "attached" });
	}

	/** The meter of the microphone shows something, or nothing. */
	async meterMoves(wanted) {
		const fill = this.find("level-meter").locator("span").first();
		await poll(
			async () => wanted === !/scaleX\(0(\.000)?\)/.test(await fill.getAttribute("style")),
			() => `${this.name}'s meter ${wanted ? "to move" : "to rest"}`,
			PATIENCE,
		);
	}

	/** A picture for people to look at, where PARLEY_SHOTS says. */
	async shot(name) {
		if (SHOTS) {
			mkdirSync(SHOTS, { recursive: true });
			await this.page.screenshot({ path: join(SHOTS, `${name}.png`) });
		}
	}
}

/** From now on leaves() tells how many people the page of `guest` sees leave. */
export function countLeaves(guest) {
	return guest.page.evaluate(() => {
		window.leavesForTest = 0;
		window.parleyDebug.session.room.on("left", () => {
			window.leavesForTest += 1;
		});
	});
}

export function leaves(guest) {
	return guest.page.evaluate(() => window.leavesForTest);
}

/** People in one call, all of whom see each other. `browsers`: one for all, or one for each. */
export async function callOf(t, browsers, server, room, names, options = {}) {
	const guests = [];
	for (const [i, name] of names.entries()) {
		const browser = Array.isArray(browsers) ? browsers[i] : browsers;
		const guest = await Guest.open(t, browser, server, `/r/${room}`, name, options);
		await guest.join();
		guests.push(guest);
	}
	for (const guest of guests) {
		await guest.counts(names.length);
	}
	return guests;
}

/** A server and a browser, for all tests of a suite. */
class House {
	/** See Guest.open(). */
	open(t, path, name, options) {
		return Guest.open(t, this.browser, this.server, path, name, options);
	}

	/** See callOf(). */
	call(t, room, names, options) {
		return callOf(t, this.browser, this.server, room, names, options);
	}
}

/** Within describe(): a House from before its first test until after its last; options of the server. */
export function keepHouse(options) {
	const house = new House();
	before(async () => {
		house.server = await startServer(options);
		house.browser = await launchBrowser();
	});
	after(async () => {
		await house.browser?.close();
		await house.server?.stop();
	});
	return house;
}
