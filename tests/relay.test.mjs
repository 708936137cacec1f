// The blind relay, /ws/relay/{room} and whatever path is given to it: every text goes as it is to all
// others; and what a table of the data directory adds or replaces.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { freshRoom } from "./lib/client.mjs";
import { WebSocket } from "./lib/deps.mjs";
import { openPage, talkTo } from "./lib/dialects.mjs";
import { metricIs } from "./lib/metrics.mjs";
import { freshDir, serverFor } from "./lib/server.mjs";
import { within } from "./lib/wait.mjs";

/** A client that keeps texts. */
async function plain(t, server, path) {
	const socket = new WebSocket(server.ws + path, [], { perMessageDeflate: false });
	const heard = [];
	let wake = () => {};
	socket.on("message", (bytes, binary) => {
		heard.push(binary ? bytes : bytes.toString());
		wake();
	});
	t.after(() => socket.terminate());
	const closed = new Promise((resolve) => socket.on("close", resolve));
	await within(new Promise((resolve) => socket.on("open", resolve)), "open");
	const hears = async (text) => {
		const came = (async () => {
			while (!heard.includes(text)) {
				await new Promise((resolve) => {
					wake = resolve;
				});
			}
		})();
		await within(came, `${text}; heard ${JSON.stringify(heard)}`);
	};
	return { socket, heard, hears, closed };
}

for (const workers of [1, 2]) {
	it(`texts go to all others on the path, word for word, with ${workers} workers`, async (t) => {
		const server = await serverFor(t, {
			workers,
			args: ["--limit.messages=0", "--dialect.route=/my/{room}/socket=relay"],
		});
		const room = freshRoom("blind");
		const paths = [`/ws/relay/${room}`, `/my/${room}/socket`, `/ws/relay/${room}`];
		const people = [];
		for (const path of paths) {
			people.push(await plain(t, server, path));
			await metricIs(server, "members", people.length);
		}
		const [ann, bob, cem] = people;
		const other = await plain(t, server, `/ws/relay/${freshRoom("blind")}`);
		const texts = ["hello", '{"a": 1,\n"type":"join"}', "{not json", "ä🦊", "[1]", "last"];
		for (const text of texts) {
			ann.socket.send(text);
		}
		await bob.hears("last");
		await cem.hears("last");
		bob.socket.send("answer");
		await ann.hears("answer");
		await cem.hears("answer");
		assert.deepEqual(bob.heard, texts);
		assert.deepEqual(cem.heard, [...texts, "answer"]);
		assert.deepEqual(ann.heard, ["answer"]);
		assert.deepEqual(other.heard, []);
		ann.socket.send(Buffer.from([1]));
		assert.equal(await within(ann.closed, "the end"), 1003);
	});
}

it("a native member gets what a relay says as data, and is not heard", async (t) => {
	const server = await serverFor(t);
	const room = freshRoom("blind");
	const ann = await openPage(t, server, "native", { room, name: "Ann" });
	await metricIs(server, "members", 1);
	const bob = await plain(t, server, `/ws/relay/${room}`);
	await metricIs(server, "members", 2);
	bob.socket.send('{"x":[1]}');
	bob.socket.send("plain");
	const first = await ann.next("signal");
	assert.deepEqual(first.data, { x: [1] });
	assert.deepEqual((await ann.next("signal")).data, "plain");
	assert.deepEqual(bob.heard, []);
});

const MINE = `# relay, but an envelope
dialect relay
speaks  json action
route   /mine/{room}
on connect
    join room=$room
on say
    relay others as said {*, by: $id}
on *
    send what {code: "unknown"}
`;

it("a table of the data directory takes the place of the shipped one of its name", async (t) => {
	const dir = freshDir();
	mkdirSync(join(dir, "dialects"));
	writeFileSync(join(dir, "dialects", "mine.dialect"), MINE);
	writeFileSync(join(dir, "dialects", "notes.txt"), "not a table");
	const server = await serverFor(t, { dataDir: dir });
	const room = freshRoom("mine");
	const ann = await talkTo(t, server, `/mine/${room}`);
	await metricIs(server, "members", 1);
	const bob = await talkTo(t, server, `/mine/${room}`);
	await metricIs(server, "members", 2);
	const heard = (member) =>
		member.wait(
			() => member.inbox.shift(),
			() => "a message",
		);
	ann.send({ action: "say", words: "hi" });
	const got = await heard(bob);
	assert.match(got.by, /^m_/);
	assert.deepEqual(got, { action: "said", words: "hi", by: got.by });
	ann.send({ action: "dance" });
	assert.deepEqual(await heard(ann), { action: "what", code: "unknown" });
	const response = await fetch(`${server.http}/ws/relay/x`);
	assert.equal(response.status, 404, "the shipped relay is gone");
});
