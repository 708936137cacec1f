// The endpoints beside the socket: health, metrics, ICE servers.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeAuthority, makeCertificate } from "./lib/certificate.mjs";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import { get } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";

describe("the endpoints for machines", () => {
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	it("/livez says ok", async () => {
		const { status, text, headers } = await get(server, "/livez");
		assert.deepEqual([status, text.trim()], [200, "ok"]);
		assert.match(headers["content-type"], /^text\/plain/);
		assert.match(headers["cache-control"], /no-store/);
	});

	it("/readyz says ready", async () => {
		const { status, text } = await get(server, "/readyz");
		assert.deepEqual([status, text.trim()], [200, "ready"]);
	});

	it("/health says what is going on", async (t) => {
		await roomOf(t, server, ["Ann", "Bob"]);
		const { status, text, headers } = await get(server, "/health");
		assert.equal(status, 200);
		assert.match(headers["content-type"], /^application\/json/);
		const health = JSON.parse(text);
		assert.equal(health.status, "healthy");
		assert.match(health.version, /^\d+\.\d+\.\d+/);
		assert.ok(health.uptime > 0);
		assert.ok(health.connections >= 2);
		assert.equal(health.rooms, 1);
		assert.equal(health.members, 2);
		assert.match(health.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
		assert.ok(Math.abs(Date.parse(health.timestamp) - Date.now()) < 60_000);
	});

	it("/metrics counts connections, requests, messages, bytes and deliveries", async (t) => {
		await metricIs(server, "websockets", 0); // those of the test before
		const before = await metrics(server);
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		for (let i = 0; i < 10; i++) {
			await ann.do({ type: "signal", to: bob.id, data: "x".repeat(1000) });
		}
		const after = await metrics(server);
		const rose = (name) => after.get(name) - before.get(name);
		assert.ok(rose("connects_total") >= 2);
		assert.ok(rose("http_requests_total") >= 1);
		assert.equal(rose("websocket_messages_received_total"), 12);
		assert.equal(rose("commands_total"), 12);
		assert.ok(rose("websocket_messages_sent_total") >= 25);
		assert.ok(rose("received_bytes_total") > 10_000);
		assert.ok(rose("sent_bytes_total") > 10_000);
		assert.ok(rose("room_events_total") >= 11);
		assert.ok(rose("deliveries_total") >= 11);
		assert.equal(rose("websockets"), 2);
		assert.equal(rose("sessions"), 2);
	});

	it("/metrics shows loop lag, turns and memory", async () => {
		const all = await metrics(server);
		assert.ok(all.get("loop_turns_total") > 0);
		assert.ok(all.get("loop_busy_microseconds_total") > 0);
		assert.ok(all.has("loop_lag_max_microseconds"));
		assert.ok(all.get("resident_memory_bytes") > 1_000_000);
		assert.ok(all.get("write_queue_bytes") === 0);
	});

	it("an empty list is the answer for ICE servers when there is none", async (t) => {
		const alone = await serverFor(t, { args: ["--turn.enabled=false"] });
		for (const path of ["/api/turn-credentials", "/ice-servers"]) {
			const { status, text, headers } = await get(alone, path);
			assert.equal(status, 200);
			assert.match(headers["content-type"], /^application\/json/);
			assert.match(headers["cache-control"], /no-store/);
			assert.deepEqual(JSON.parse(text), { iceServers: [] });
		}
	});

	it("room and room name do not turn up in /metrics", async (t) => {
		const ann = await connect(t, server);
		const room = freshRoom("secret");
		await ann.join(room);
		await metricIs(server, "rooms", (count) => count > 0);
		assert.ok(!(await get(server, "/metrics")).text.includes(room));
	});
});

describe("ICE servers", () => {
	it("are told once more as TURN REST has it", async (t) => {
		const server = await serverFor(t, { args: ["--turn.credential-lifetime", "1h"] });
		for (const path of ["/api/turn-credentials", "/ice-servers"]) {
			const { iceServers, ...rest } = JSON.parse((await get(server, path)).text);
			const { urls, username, credential } = iceServers.find((each) => each.credential);
			assert.deepEqual(rest, { username, password: credential, ttl: 3600, uris: urls });
		}
	});

	it("are offered by TLS with a certificate that somebody else has signed", async (t) => {
		const offered = async ({ cert, key }) => {
			const server = await serverFor(t, { args: ["--tls.cert", cert, "--tls.key", key] });
			const { uris } = JSON.parse((await get(server, "/ice-servers")).text);
			return { server, byTls: uris.filter((uri) => uri.startsWith("turns:")).length };
		};
		const dir = freshDir();
		assert.equal((await offered(makeAuthority(dir, "localhost"))).byTls, 1);
		const { server, byTls } = await offered(makeCertificate(dir, "own"));
		assert.equal(byTls, 0);
		await server.logged(/turn +no-turns cert=.+own\.crt is signed by itself/);
	});

	it("are what --ice.server says, in hello and in both endpoints", async (t) => {
		const server = await serverFor(t, {
			args: [
				"--turn.enabled=false",
				"--ice.server=stun:stun.example.org:3478",
				"--ice.server=turn:turn.example.org,turns:turn.example.org username=ann credential=x",
			],
		});
		const ann = await connect(t, server);
		assert.deepEqual(ann.hello.iceServers, [
			{ urls: ["stun:stun.example.org:3478"] },
			{
				urls: ["turn:turn.example.org", "turns:turn.example.org"],
				username: "ann",
				credential: "x",
			},
		]);
		for (const path of ["/api/turn-credentials", "/ice-servers"]) {
			const answer = JSON.parse((await get(server, path)).text);
			assert.deepEqual(answer, { iceServers: ann.hello.iceServers });
		}
	});
});
