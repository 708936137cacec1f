// The pages of other families in real browsers, as their own authors wrote them (tests/pages), call
// each other and our page: pictures are decoded and voices heard on both sides.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Guest, isAnother, keepHouse, PATIENCE } from "../lib/browser.mjs";
import { freshRoom } from "../lib/client.mjs";
import { metricIs } from "../lib/metrics.mjs";
import { poll } from "../lib/wait.mjs";

const PAGES = fileURLToPath(new URL("../pages/", import.meta.url));
const STOCK_CLIENT = fileURLToPath(
	new URL("../../web/node_modules/socket.io-client/dist/socket.io.js", import.meta.url),
);

const KINDS = {
	native: null,
	D1: { file: "coach_simple" },
	"D2 coach": { file: "coach_hybrid", role: "coach" },
	"D2 client": { file: "coach_hybrid", role: "client" },
	"D3 coach": { file: "coach_tri", role: "coach" },
	"D3 client": { file: "coach_tri", role: "client" },
	coworking: { file: "coworking", voiceOnly: true, origin: "http://localhost:5173" },
	duo: { file: "duo", origin: "http://localhost:5174" },
};

// [who is there, who comes]: each family with ours, each with itself, and two that are foreign to each other.
const PAIRS = [
	...Object.keys(KINDS).flatMap((kind) =>
		kind === "native"
			? []
			: [
					["native", kind],
					[kind, "native"],
				],
	),
	["D1", "D1"],
	["D2 coach", "D2 client"],
	["D2 client", "D2 coach"],
	["D3 coach", "D3 client"],
	["D3 client", "D3 coach"],
	["coworking", "coworking"],
	["coworking", "D3 client"],
	["D2 coach", "D1"],
	["duo", "duo"],
	["duo", "coworking"],
	["D1", "duo"],
];

/** What comes in over each peer connection: [{frames, energy, state}]. Runs in the page. */
async function readCalls() {
	const links = typeof calls === "undefined" ? parleyDebug.peers.map(({ pc }) => pc) : calls;
	const found = [];
	for (const pc of links) {
		const entry = { frames: 0, energy: 0, state: pc.connectionState };
		for (const report of (await pc.getStats()).values()) {
			if (report.type === "inbound-rtp") {
				entry.frames += report.framesDecoded ?? 0;
				entry.energy += report.totalAudioEnergy ?? 0;
			}
		}
		found.push(entry);
	}
	return found;
}

/** Opens the page of that kind; it serves itself where the family's pages come from. */
async function enter(t, browser, server, kind, { room, name, transports = "polling,websocket" }) {
	if (kind === "native") {
		const guest = await Guest.open(t, browser, server, `/r/${room}`, name);
		guest.kind = kind;
		await guest.join();
		return guest;
	}
	const { file, role, origin = server.http } = KINDS[kind];
	const context = await browser.newContext();
	const guest = new Guest(await context.newPage(), name);
	guest.kind = kind;
	t.after(async () => {
		await context.close();
		assert.deepEqual(guest.complaints, [], `scripts failed in ${name}'s page`);
	});
	await context.route(`${origin}/pages/socket.io.js`, (route) =>
		route.fulfill({ path: STOCK_CLIENT, contentType: "text/javascript" }),
	);
	await context.route(`${origin}/pages/*.html*`, (route) =>
		route.fulfill({ path: `${PAGES}${file}.html`, contentType: "text/html; charset=utf-8" }),
	);
	const query = new URLSearchParams({ room, name, user: `user-${name}`, token: "a.b.c" });
	if (role) {
		query.set("role", role);
	}
	query.set("server", kind === "duo" ? server.http : server.ws);
	query.set("transports", transports);
	await guest.page.goto(`${origin}/pages/${file}.html?${query}`);
	return guest;
}

/** Sound, and a picture unless one of the two has none, come in over `count` connections. */
async function receives(guest, count, picture) {
	let first;
	let last;
	await poll(
		async () => {
			last = await guest.page.evaluate(readCalls);
			const same = last.length === count && first?.length === count;
			if (!same || last.some((now, i) => isAnother(first[i], now))) {
				first = last;
				return false;
			}
			return last.every(
				({ frames, energy }, i) =>
					energy > first[i].energy + 0.001 && (!picture || frames > first[i].frames + 3),
			);
		},
		() => `${guest.name} (${guest.kind}) to receive: ${JSON.stringify({ first, last })}`,
		PATIENCE,
	);
}

/** The page's own elements show what came: all its pages set srcObject to the track's first stream. */
async function shows(guest) {
	if (guest.kind === "native" || KINDS[guest.kind].voiceOnly) {
		return;
	}
	const playing = () =>
		[...document.querySelectorAll("video:not(#local)")].every(
			({ videoWidth, srcObject }) => videoWidth > 2 && srcObject.getAudioTracks().length === 1,
		);
	await guest.page.waitForFunction(playing);
}

describe("pages of other families", () => {
	// A page that is closed takes its session with it: there is nothing to recover.
	const house = keepHouse({ workers: 2, args: ["--socketio.recovery=false"] });

	for (const [there, comer] of PAIRS) {
		it(`${there} is there, ${comer} comes: they call`, async (t) => {
			await metricIs(house.server, "members", 0);
			const room = freshRoom("pages");
			const ann = await enter(t, house.browser, house.server, there, { room, name: "Ann" });
			await metricIs(house.server, "members", 1);
			const bob = await enter(t, house.browser, house.server, comer, { room, name: "Bob" });
			const picture = !KINDS[there]?.voiceOnly && !KINDS[comer]?.voiceOnly;
			await Promise.all([receives(ann, 1, picture), receives(bob, 1, picture)]);
			if (picture) {
				await Promise.all([shows(ann), shows(bob)]);
			}
			for (const guest of [ann, bob].filter(({ kind }) => kind === "native")) {
				await guest.counts(2);
			}
			await bob.page.close();
			await metricIs(house.server, "members", 1);
			const alone = () => ann.page.evaluate(readCalls).then(({ length }) => length === 0);
			await poll(alone, () => "Bob's connection to be gone", PATIENCE);
		});
	}

	for (const transports of ["polling", "websocket", "polling,websocket"]) {
		it(`two duo pages over ${transports} call each other, a third is refused`, async (t) => {
			await metricIs(house.server, "members", 0);
			const room = freshRoom("pages");
			const come = (name) =>
				enter(t, house.browser, house.server, "duo", { room, name, transports });
			const ann = await come("Ann");
			await metricIs(house.server, "members", 1);
			const bob = await come("Bob");
			await Promise.all([receives(ann, 1, true), receives(bob, 1, true)]);
			await Promise.all([shows(ann), shows(bob)]);
			const eve = await come("Eve");
			await eve.page.locator("#notice", { hasText: "full" }).waitFor();
			await eve.page.close();
			await Promise.all([receives(ann, 1, true), receives(bob, 1, true)]);
			await metricIs(house.server, "members", 2);
			await bob.page.close();
			const alone = () => ann.page.evaluate(readCalls).then(({ length }) => length === 0);
			await poll(alone, () => "Bob's connection to be gone", PATIENCE);
		});
	}

	it("four kinds in one room call each other", async (t) => {
		await metricIs(house.server, "members", 0);
		const room = freshRoom("pages");
		const guests = [];
		for (const [i, kind] of ["native", "D3 coach", "coworking", "D3 client"].entries()) {
			guests.push(await enter(t, house.browser, house.server, kind, { room, name: `Guest${i}` }));
			await metricIs(house.server, "members", i + 1);
		}
		await Promise.all(guests.map((guest) => receives(guest, 3, false)));
		await guests[0].counts(4);
	});
});
