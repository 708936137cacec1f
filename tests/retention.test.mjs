// What is kept goes when it is old, or too much.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { roomOf } from "./lib/client.mjs";
import { serverFor } from "./lib/server.mjs";
import { poll } from "./lib/wait.mjs";

/** What the history has, once it fits. */
async function historyThat(client, fits) {
	let last;
	await poll(
		async () => {
			last = (await client.do({ type: "history", after: 0 })).messages;
			return fits(last);
		},
		() => `a history that fits: ${last.length} messages`,
	);
	return last;
}

describe("retention", () => {
	it("keeps the last messages of a room", async (t) => {
		const server = await serverFor(t, { args: ["--chat.keep-messages", "10"] });
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		for (let i = 0; i < 30; i++) await ann.do({ type: "chat", text: `line ${i}` });
		const left = await historyThat(ann, (messages) => messages.length === 10);
		assert.equal(left.at(-1).text, "line 29");
		assert.deepEqual((await ann.do({ type: "search", text: "5" })).messages, []);
		await ann.do({ type: "chat", text: "one more" });
	});

	it("lets old messages go, and visits", async (t) => {
		const server = await serverFor(t, { args: ["--chat.keep", "1s"] });
		const members = await roomOf(t, server, ["Ann", "Bob"]);
		const [ann, bob] = members;
		await ann.do({ type: "chat", text: "soon gone" });
		await bob.do({ type: "leave" });
		await historyThat(ann, (messages) => messages.length === 0);
		await poll(
			async () => (await ann.do({ type: "whowas" })).visits.length <= 1,
			() => "old visits to go",
		);
	});
});
