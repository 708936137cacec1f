// Voice through the server: it goes to those who asked for it, in the moment or not at all.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { OP, RawWebSocket } from "./lib/rawws.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { voice } from "./lib/voice.mjs";
import { undisturbed } from "./lib/witness.mjs";

const MIC = { state: { mic: true } };

/** Two in a room; the second hears the first, whose microphone is on. */
async function pairOf(t, server) {
	const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
	await ann.do({ type: "update", mic: true });
	await bob.next("updated");
	await bob.do({ type: "relay", member: ann.id, codec: "opus" });
	await ann.next("relay", { from: bob.id, codec: "opus" });
	return [ann, bob];
}

/** Everything that `speaker` has sent is at the server, and passed on. */
async function settled(speaker, ...listeners) {
	for (const client of [speaker, ...listeners]) {
		await client.settled();
	}
}

for (const workers of [1, 2, 4]) {
	describe(`voice through the server, ${workers} workers`, () => {
		let server;
		before(async () => {
			server = await startServer({ workers });
		});
		after(() => server.stop());

		it("is offered in hello", async (t) => {
			const ann = await connect(t, server);
			assert.deepEqual(ann.hello.limits.voice, { size: 2048, listeners: 16, frames: 100 });
		});

		it("goes to who asked for it and for whom it is, byte for byte", async (t) => {
			const [ann, bob, cem] = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
			await ann.do({ type: "update", mic: true });
			await bob.do({ type: "relay", member: ann.id, codec: "pcm" });
			await ann.next("relay", { from: bob.id, codec: "pcm" });
			const sound = { codec: "pcm", sequence: 65535, timestamp: 4294967295, payload: "\x00\xff" };
			ann.raw(voice([bob.id, cem.id], sound));
			const piece = await bob.nextVoice();
			assert.deepEqual(piece, {
				room: bob.joinData.room,
				from: ann.id,
				...sound,
				payload: Buffer.from(sound.payload).toString("latin1"),
			});
			await settled(ann, bob, cem);
			assert.deepEqual(cem.voices, [], "who did not ask gets nothing");
			await cem.do({ type: "relay", member: ann.id, codec: "opus" });
			await ann.next("relay", { from: cem.id });
			ann.raw(voice([bob.id, cem.id], { payload: "both" }));
			assert.equal((await bob.nextVoice()).payload, "both");
			assert.equal((await cem.nextVoice()).payload, "both");
			ann.raw(voice([cem.id], { payload: "one" }));
			assert.equal((await cem.nextVoice()).payload, "one");
			await bob.do({ type: "relay", member: ann.id, codec: "none" });
			await ann.next("relay", { from: bob.id, codec: "none" });
			ann.raw(voice([bob.id, cem.id], { payload: "late" }));
			await cem.nextVoice();
			await settled(ann, bob);
			assert.deepEqual(bob.voices, []);
		});

		it("passes between sessions whose first rooms are elsewhere", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			for (let i = 0; i < 6; i++) {
				const room = freshRoom("second");
				const speaker = await ann.do({ type: "join", room, name: "Ann", ...MIC });
				const listener = await bob.do({ type: "join", room, name: "Bob" });
				await bob.do({ type: "relay", room, member: speaker.you.id, codec: "opus" });
				await ann.next("relay", { room });
				ann.raw(voice([listener.you.id], { room, payload: `in ${room}` }));
				const piece = await bob.nextVoice();
				assert.deepEqual([piece.room, piece.payload], [room, `in ${room}`]);
				await ann.do({ type: "leave", room });
				await bob.do({ type: "leave", room });
			}
		});

		it("is not heard of who is muted or may not speak", async (t) => {
			const [ann, bob] = await pairOf(t, server);
			const before = (await metrics(server)).get("voice_refused_total");
			await ann.do({ type: "update", mic: false });
			ann.raw(voice([bob.id]));
			await settled(ann, bob);
			await ann.do({ type: "role", member: bob.id, role: "listener" });
			await ann.do({ type: "relay", member: bob.id, codec: "opus" });
			bob.raw(voice([ann.id]));
			await settled(bob, ann);
			assert.deepEqual([...ann.voices, ...bob.voices], []);
			await metricIs(server, "voice_refused_total", before + 2);
		});

		it("goes on when the listener resumes, and what it missed is not sent later", async (t) => {
			const patient = await serverFor(t, { workers, grace: "20s" });
			const [ann, bob] = await pairOf(t, patient);
			const ticket = bob.ticket();
			bob.vanish();
			await ann.next("updated", { changes: { away: true } });
			ann.raw(voice([bob.id], { payload: "missed" }));
			await ann.settled();
			const again = await connect(t, patient);
			await again.resume(ticket);
			ann.raw(voice([bob.id], { payload: "heard" }));
			assert.equal((await again.nextVoice()).payload, "heard");
		});

		it("asked of nobody, oneself or in a wrong way is refused", async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const ask = (fields) => ({ type: "relay", member: bob.id, codec: "opus", ...fields });
			await ann.refused(ask({ member: ann.id }), "no_such_member");
			await ann.refused(ask({ member: "m_aaaaaaab" }), "no_such_member");
			await ann.refused(ask({ codec: "mp3" }), "bad_field", { valid: false });
			await ann.refused(ask({ codec: undefined }), "bad_field", { valid: false });
			await bob.nothing();
		});
	});
}

describe("voice that does not fit", () => {
	it("is answered malformed or too_large, counted, and closed at last", async (t) => {
		const server = await serverFor(t, { args: ["--voice.listeners=2"] });
		await undisturbed(server, "malformed_messages_total", async () => {
			const ann = await connect(t, server);
			await ann.join(freshRoom(), MIC);
			const whole = voice([ann.id, ann.id]);
			const bad = [
				["malformed", Buffer.alloc(0)],
				["malformed", Buffer.from('{"type":"ping"}')],
				["malformed", whole.subarray(0, 5)],
				["malformed", voice([])],
				["malformed", voice([ann.id], { codec: "none" })],
				["malformed", voice([ann.id], { payload: "" })],
				["too_large", voice([ann.id, ann.id, ann.id])],
				["too_large", voice([ann.id], { payload: "x".repeat(2049) })],
			];
			for (const [code, bytes] of bad) {
				ann.raw(bytes);
				assert.equal((await ann.next("error")).error.code, code);
			}
			for (let i = bad.length; i < 32; i++) {
				ann.raw(Buffer.from("nonsense"));
			}
			assert.equal((await ann.ended()).code, 1008);
		});
	});

	it("for a room that one is not in is not_joined", async (t) => {
		const server = await serverFor(t);
		const ann = await connect(t, server);
		ann.raw(voice(["m_aaaaaaab"], { room: "elsewhere" }));
		assert.equal((await ann.next("error")).error.code, "not_joined");
	});

	it("comes faster than voice.frames: rate_limited, then closed; messages are not touched", async (t) => {
		const server = await serverFor(t, { args: ["--voice.frames=10"] });
		await undisturbed(server, "rate_limited_total", async () => {
			const [ann, bob] = await pairOf(t, server);
			for (let i = 0; i < 60; i++) {
				ann.raw(voice([bob.id], { sequence: i }));
			}
			assert.equal((await ann.next("error")).error.code, "rate_limited");
			await settled(ann, bob);
			assert.ok(bob.voices.length >= 10 && bob.voices.length < 60, `${bob.voices.length}`);
			for (let i = 0; i < 150; i++) {
				ann.raw(voice([bob.id]));
			}
			assert.equal((await ann.ended()).code, 1008);
		});
	});

	it("is not wanted: with voice.frames 0 nobody is told that there is any", async (t) => {
		const server = await serverFor(t, { args: ["--voice.frames=0"] });
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		assert.equal(ann.hello.limits.voice.frames, 0);
		await ann.refused({ type: "relay", member: bob.id, codec: "opus" }, "denied");
	});

	it("is more than voice.listeners voices: limit", async (t) => {
		const server = await serverFor(t, { args: ["--voice.listeners=1"] });
		const [ann, bob, cem] = await roomOf(t, server, ["Ann", "Bob", "Cem"]);
		await ann.do({ type: "relay", member: bob.id, codec: "opus" });
		await ann.refused({ type: "relay", member: cem.id, codec: "opus" }, "limit");
		await ann.do({ type: "relay", member: bob.id, codec: "none" });
		await ann.do({ type: "relay", member: cem.id, codec: "opus" });
	});

	it("would queue up for a slow listener: it is dropped there, and comes again afterwards", async (t) => {
		const server = await serverFor(t, { args: ["--voice.frames=1000", "--limit.messages=0"] });
		const room = freshRoom("slow");
		const ann = await connect(t, server);
		await ann.join(room, MIC);
		const slow = await RawWebSocket.connect(server, "/v1/connect", { protocol: "parley.v1" });
		t.after(() => slow.close());
		await slow.expect(OP.text);
		slow.json({ type: "join", id: 1, room, name: "Slow" });
		const { you } = JSON.parse((await slow.expect(OP.text)).payload).data;
		slow.json({ type: "relay", member: ann.id, codec: "pcm" });
		await ann.next("relay");
		slow.raw.socket.pause();
		const dropped = async () => (await metrics(server)).get("voice_dropped_total");
		const payload = "x".repeat(2000);
		let sequence = 0;
		while ((await dropped()) < 5) {
			for (let i = 0; i < 20; i++) {
				ann.raw(voice([you.id], { sequence, payload }));
				sequence += 1;
			}
			await ann.settled();
		}
		const queued = (await metrics(server)).get("write_queue_bytes");
		assert.ok(queued < 20_000, `${queued} bytes wait`);
		await metricIs(server, "write_queue_drops_total", 0);
		slow.raw.socket.resume();
		const kept = (await metrics(server)).get("voice_copies_total");
		for (let i = 0; i < kept; i++) {
			await slow.expect(OP.binary);
		}
		ann.raw(voice([you.id], { payload: "again" }));
		assert.match((await slow.expect(OP.binary)).payload.toString("latin1"), /again$/);
	});
});
