// What the application's backend is told: LiveKit's event names and signature, tried again, in order.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import http from "node:http";
import { describe, it } from "node:test";
import { BY_KEY, call } from "./lib/api.mjs";
import { connect, freshRoom } from "./lib/client.mjs";
import { upload } from "./lib/files.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { freshDir, runParley, serverFor } from "./lib/server.mjs";
import { KEY, KEY_ARGS, now, SECRET, tokenFor } from "./lib/token.mjs";
import { Waiters } from "./lib/wait.mjs";

/** A backend that keeps what it is told; `answer(i)` is the status of its i-th answer. */
class Backend extends Waiters {
	told = [];

	static async start(t, answer = () => 200) {
		const backend = new Backend();
		const server = http.createServer((req, res) => {
			const parts = [];
			req.on("data", (part) => parts.push(part));
			req.on("end", () => {
				const body = Buffer.concat(parts);
				const status = answer(backend.told.length);
				backend.told.push({ req, body, event: JSON.parse(body), at: Date.now() });
				res.writeHead(status).end("thank you");
				backend.poke();
			});
		});
		await new Promise((resolve) => {
			server.listen(0, "127.0.0.1", resolve);
		});
		t.after(() => server.close());
		backend.url = `http://127.0.0.1:${server.address().port}/hook`;
		return backend;
	}

	/** The first `count` events. */
	async events(count) {
		await this.until(
			() => this.told.length >= count,
			() => `${count} events; told: ${this.told.map(({ event }) => event.event)}`,
		);
		return this.told.slice(0, count).map(({ event }) => event);
	}
}

function mustBeSigned({ req, body }) {
	assert.equal(req.method, "POST");
	assert.equal(req.headers["content-type"], "application/webhook+json");
	const [header, claims, signature] = req.headers.authorization.split(".");
	const mac = createHmac("sha256", SECRET).update(`${header}.${claims}`).digest("base64url");
	assert.equal(signature, mac);
	const { iss, exp, sha256 } = JSON.parse(Buffer.from(claims, "base64url"));
	assert.equal(iss, KEY);
	assert.ok(exp > now() && exp <= now() + 300);
	assert.equal(sha256, createHash("sha256").update(body).digest("base64"));
}

const serverWith = (t, backend, args = []) =>
	serverFor(t, {
		workers: 2,
		args: [...KEY_ARGS, "--webhook.url", backend.url, "--webhook.retry=20ms", ...args],
	});

const join = async (t, server, room, identity) => {
	const headers = { Authorization: `Bearer ${tokenFor(identity, room, { name: identity })}` };
	const client = await connect(t, server, { headers });
	await client.join(room);
	return client;
};

describe("webhooks", () => {
	it("are signed by the key that is there now", async (t) => {
		const backend = await Backend.start(t);
		const path = `${freshDir()}/keys`;
		writeFileSync(path, `${KEY}:an-older-secret-than-this\n`);
		const server = await serverFor(t, {
			args: [`--auth.key-file=${path}`, `--webhook.key=${KEY}`, `--webhook.url=${backend.url}`],
		});
		writeFileSync(path, `other:${SECRET}\n`);
		server.reload();
		await server.logged(/error +auth +keys-kept +why="webhook\.key: /);
		writeFileSync(path, `${KEY}:${SECRET}\n`);
		server.reload();
		await server.logged(/info +auth +keys +keys=1/);
		await join(t, server, freshRoom(), "ann");
		await backend.events(2);
		for (const told of backend.told) mustBeSigned(told);
	});

	it("tell of rooms, participants and messages, signed, in their order", async (t) => {
		const backend = await Backend.start(t);
		const server = await serverWith(t, backend);
		const room = freshRoom();
		const ann = await join(t, server, room, "ann");
		await ann.do({ type: "chat", text: "hello" });
		await ann.do({ type: "leave" });
		const events = await backend.events(5);
		assert.deepEqual(
			events.map(({ event }) => event),
			["room_started", "participant_joined", "chat_message", "participant_left", "room_finished"],
		);
		for (const [i, event] of events.entries()) {
			mustBeSigned(backend.told[i]);
			assert.match(event.id, /^EV_[a-z2-7]{16}$/);
			assert.ok(Math.abs(Number(event.createdAt) - now()) < 60);
			assert.equal(event.room.name, room);
			assert.ok(Math.abs(Number(event.room.creationTime) - now()) < 60);
		}
		assert.equal(new Set(events.map(({ id }) => id)).size, 5);
		const { sid, identity, name } = events[1].participant;
		assert.deepEqual([sid, identity, name], [ann.id, "ann", "ann"]);
		assert.equal(events[1].room.numParticipants, 1);
		assert.equal(events[2].message.text, "hello");
		assert.equal(events[3].participant.identity, "ann");
		await metricIs(server, "webhooks_sent_total", 5);
		assert.ok(!server.stderr.includes(SECRET));
	});

	it("tell of the files of a message", async (t) => {
		const backend = await Backend.start(t);
		const server = await serverWith(t, backend);
		const room = freshRoom();
		const sent = await upload(server, room, BY_KEY, Buffer.from("hello"), { name: "a.txt" });
		const ann = await join(t, server, room, "ann");
		const { file } = sent.json;
		await call(server, "POST", `/api/v1/rooms/${room}/messages`, { file: file.id });
		await ann.next("chat", { files: [file] });
		const message = (await backend.events(3))[2].message;
		assert.deepEqual([message.text, message.files], ["", [file]]);
	});

	it("are tried again, with the same id, before the next is told", async (t) => {
		const answers = [500, 503, 429, 200];
		const backend = await Backend.start(t, (i) => answers[i] ?? 200);
		const server = await serverWith(t, backend);
		await join(t, server, freshRoom(), "ann");
		const events = await backend.events(5);
		const kinds = events.map(({ event }) => event);
		assert.deepEqual(kinds, [...Array(4).fill("room_started"), "participant_joined"]);
		assert.equal(new Set(events.slice(0, 4).map(({ id }) => id)).size, 1);
		const times = backend.told.map(({ at }) => at);
		for (const i of [0, 1, 2]) {
			assert.ok(times[i + 1] - times[i] >= 20 * 2 ** i - 2, "later and later"); // in whole milliseconds
		}
		assert.equal((await metrics(server)).get("webhooks_failed_total"), 3);
	});

	it("are given up after six tries, and the next is told", async (t) => {
		const backend = await Backend.start(t, (i) => (i < 6 ? 500 : 200));
		const server = await serverWith(t, backend, ["--webhook.retry=1ms"]);
		await join(t, server, freshRoom(), "ann");
		const events = await backend.events(7);
		assert.equal(events[5].event, "room_started");
		assert.equal(events[6].event, "participant_joined");
		assert.equal((await metrics(server)).get("webhooks_dropped_total"), 1);
		await server.logged(/error +webhook +given-up/);
	});

	it("wait in a bounded queue while nobody answers, and disturb no call", async (t) => {
		const server = await serverFor(t, {
			args: [
				...KEY_ARGS,
				"--webhook.url=http://127.0.0.1:1/nobody",
				"--webhook.queue=3",
				"--webhook.retry=60s",
			],
		});
		const room = freshRoom();
		const ann = await join(t, server, room, "ann");
		for (let i = 0; i < 10; i++) {
			await ann.do({ type: "chat", text: `${i}` });
		}
		await metricIs(server, "webhooks_dropped_total", (count) => count >= 6);
	});

	it("follow no redirect", async (t) => {
		const backend = await Backend.start(t);
		const door = http.createServer((_, res) => {
			res.writeHead(307, { Location: backend.url }).end();
		});
		await new Promise((resolve) => {
			door.listen(0, "127.0.0.1", resolve);
		});
		t.after(() => door.close());
		const server = await serverWith(t, {
			url: `http://127.0.0.1:${door.address().port}/`,
		});
		await join(t, server, freshRoom(), "ann");
		await metricIs(server, "webhooks_failed_total", (count) => count >= 1);
		assert.equal(backend.told.length, 0);
	});

	it("need a key to sign with, and a URL of http", async () => {
		const start = (...args) =>
			runParley(["--listen=127.0.0.1:0", `--data-dir=${freshDir()}`, ...args]);
		const keyless = await start("--webhook.url=http://127.0.0.1:1/");
		assert.equal(keyless.code, 1);
		assert.match(keyless.stderr, /webhook\.url: an auth\.key is needed/);
		for (const url of ["file:///etc/passwd", "ftp://x/", "localhost"]) {
			const { code, stderr } = await start(...KEY_ARGS, "--webhook.url", url);
			assert.equal(code, 1);
			assert.match(stderr, /no http or https URL/);
		}
	});
});
