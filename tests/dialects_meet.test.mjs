// Members of different dialects in one room: for each pair, whoever came first, one offer, one
// answer, and candidates both ways. The pages are simulated by lib/dialects.mjs.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { openPage, PAGES } from "./lib/dialects.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";

// "who is there > who comes": pairs whose own pages cannot call each other, or call twice.
const IMPOSSIBLE = {
	"D2 coach > D2 coach": "both offer to whoever is announced",
	"D2 client > D2 client": "both wait",
	"D2 coach > D3 coach": "both may offer: the newcomer goes by the ids, the other by none",
	"D2 client > D3 client": "both may wait: the newcomer goes by the ids, the other by none",
	"D2 client > D3 AI": "both wait",
	"D3 AI > D3 AI": "neither offers to its like: there is one AI in a call",
};

// Of some pairs the pages themselves say who offers; of the others the room does.
function offererOf(there, newcomer) {
	for (const [one, other] of [
		[there, newcomer],
		[newcomer, there],
	]) {
		if (one === "D2 coach" || other === "D2 client") {
			return one;
		}
	}
	if (there === newcomer) {
		return null;
	}
	if (there.startsWith("D3") && newcomer.startsWith("D3")) {
		const rank = ["D3 AI", "D3 client", "D3 coach"];
		return rank.indexOf(there) > rank.indexOf(newcomer) ? there : newcomer;
	}
	return null;
}

async function meet(t, server, there, newcomer, users = ["u1", "u2"]) {
	await metricIs(server, "members", 0);
	const room = freshRoom("meet");
	const ann = await openPage(t, server, there, { room, name: "Ann", user: users[0] });
	await metricIs(server, "members", 1);
	const bob = await openPage(t, server, newcomer, { room, name: "Bob", user: users[1] });
	await Promise.all([ann.meets(["Bob"]), bob.meets(["Ann"])]);
	// Whoever would offer once more has done so before its last candidate is heard.
	ann.mark(3);
	bob.mark(3);
	await Promise.all([ann.meets(["Bob"], 3), bob.meets(["Ann"], 3)]);
	assert.equal(ann.sent.offer + bob.sent.offer, 1, "one offer");
	assert.equal(ann.sent.answer + bob.sent.answer, 1, "one answer");
	for (const [page, other] of [
		[ann, "Bob"],
		[bob, "Ann"],
	]) {
		assert.equal(page.links.size, 1);
		const [link] = page.links.values();
		const heard = link.candidates.map((text) => text.replace(/ .* /, " "));
		const wanted = [1, 2, 3].map((n) => `candidate:${n} ${other}`);
		assert.deepEqual(heard, wanted, `${other}'s candidates, in order, once`);
		page.mustBeSound();
	}
	return ann.sent.offer === 1 ? there : newcomer;
}

for (const workers of [1, 2]) {
	describe(`dialects meet, with ${workers} worker${workers > 1 ? "s" : ""}`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers, args: ["--limit.messages=0"] });
		});
		after(() => server.stop());

		for (const there of Object.keys(PAGES)) {
			for (const newcomer of Object.keys(PAGES)) {
				const pair = `${there} > ${newcomer}`;
				const skip = IMPOSSIBLE[pair] ?? false;
				it(`${there} is there, ${newcomer} comes: one call`, { skip }, async (t) => {
					const offerer = await meet(t, server, there, newcomer);
					const wanted = offererOf(there, newcomer);
					assert.equal(offerer, wanted ?? offerer);
				});
			}
		}

		for (const kind of ["D3 coach", "D3 client"]) {
			for (const users of [
				["u1", "u2"],
				["u2", "u1"],
				["u10", "u9"],
				["u", "u1"],
			]) {
				it(`two of ${kind}, ${users[0]} there and ${users[1]} comes: one call`, async (t) => {
					await meet(t, server, kind, kind, users);
				});
			}
		}

		it("in a room of many kinds each pair makes one call", async (t) => {
			await metricIs(server, "members", 0);
			const room = freshRoom("many");
			const kinds = [
				"native",
				"D3 client",
				"coworking",
				"D3 coach",
				"native",
				"coworking",
				"D3 AI",
			];
			const pages = [];
			for (const [i, kind] of kinds.entries()) {
				pages.push(await openPage(t, server, kind, { room, name: `P${i}`, user: `u${i}` }));
				const names = pages.map(({ name }) => name);
				for (const page of pages) {
					await page.meets(names.filter((name) => name !== page.name));
				}
				await metricIs(server, "members", pages.length);
			}
			const total = (what) => pages.reduce((sum, { sent }) => sum + sent[what], 0);
			const pairs = (kinds.length * (kinds.length - 1)) / 2;
			assert.deepEqual([total("offer"), total("answer")], [pairs, pairs]);
		});

		for (const kind of ["D1", "D2 client", "D3 client", "coworking"]) {
			it(`what only native clients say is kept from a ${kind}`, async (t) => {
				await metricIs(server, "members", 0);
				const room = freshRoom("private");
				const ann = await openPage(t, server, "native", { room, name: "Ann", user: "u1" });
				await metricIs(server, "members", 1);
				const bob = await openPage(t, server, kind, { room, name: "Bob", user: "u2" });
				await Promise.all([ann.meets(["Bob"]), bob.meets(["Ann"])]);
				const before = bob.inbox.length;
				const [id] = ann.links.keys();
				const own = [
					{ type: "signal", data: { candidate: null } },
					{ type: "signal", data: { resume: true, pc: "a", peer: "b" } },
					{ type: "signal", data: { restart: true } },
					{ type: "signal", data: { description: { type: "rollback" } } },
					{ type: "signal", data: [1] },
					{ type: "signal", data: "offer" },
				];
				for (const message of own) {
					ann.tell({ ...message, room, to: id });
					ann.tell({ ...message, room });
				}
				ann.tell({ type: "chat", room, text: "hello" });
				ann.tell({ type: "update", room, hand: true });
				ann.mark(3);
				await bob.meets(["Ann"], 3);
				assert.equal(bob.inbox.length, before + 1, JSON.stringify(bob.inbox.slice(before)));
			});
		}

		for (const [there, comer] of Object.keys(PAGES).flatMap((kind) => [
			["native", kind],
			[kind, "native"],
		])) {
			it(`${there} forgets a ${comer} that goes, and meets it anew when it comes`, async (t) => {
				await metricIs(server, "members", 0);
				const room = freshRoom("again");
				const ann = await openPage(t, server, there, { room, name: "Ann", user: "u1" });
				await metricIs(server, "members", 1);
				for (const round of [1, 2, 3]) {
					const bob = await openPage(t, server, comer, { room, name: "Bob", user: "u2" });
					await Promise.all([ann.meets(["Bob"]), bob.meets(["Ann"])]);
					assert.equal(ann.sent.offer + ann.sent.answer, round);
					bob.vanish();
					await ann.wait(() => ann.links.size === 0, "Bob to be forgotten");
					await metricIs(server, "members", 1);
				}
			});
		}
	});
}
