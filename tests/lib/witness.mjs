// Whatever one client does wrong: a counter says so, and two others in a room notice nothing.
import assert from "node:assert/strict";
import { Client, freshRoom } from "./client.mjs";
import { metricIs, metrics } from "./metrics.mjs";

async function talk(ann, bob, room) {
	const data = { mark: Math.random() };
	await ann.do({ type: "signal", room, to: bob.id, data });
	await bob.next("signal", { from: ann.id, data });
}

/** Runs `harm` and then holds that each counter of `counters` rose by one or more. */
export async function undisturbed(server, counters, harm) {
	const room = freshRoom("witness");
	const ann = await Client.connect(server);
	const bob = await Client.connect(server);
	try {
		await ann.join(room);
		await bob.join(room);
		await ann.next("joined");
		await talk(ann, bob, room);
		const before = await metrics(server);
		await harm();
		await talk(ann, bob, room);
		await talk(bob, ann, room);
		assert.deepEqual([...ann.inbox, ...bob.inbox], [], "the witnesses saw nothing of it");
		for (const name of [counters].flat()) {
			await metricIs(server, name, (value) => value > before.get(name));
		}
	} finally {
		await ann.close();
		await bob.close();
	}
}
