// TLS on the same port as plain HTTP: versions, the certificate that is kept, and its reload.
import assert from "node:assert/strict";
import { copyFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeCertificate } from "./lib/certificate.mjs";
import { allQuiet, Client, connect, freshRoom, roomOf } from "./lib/client.mjs";
import { get } from "./lib/http.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { frame, OP, RawWebSocket } from "./lib/rawws.mjs";
import { freshDir, runParley, serverFor, startServer } from "./lib/server.mjs";
import { poll } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

/** What the server shows of itself to a new client. */
async function certificateOf(server) {
	const raw = await RawSocket.connect(server, { tls: true });
	const certificate = raw.socket.getPeerCertificate();
	raw.close();
	return certificate;
}

const WEAK = "DEFAULT@SECLEVEL=0"; // else the client itself will not speak TLS 1.1

describe("TLS", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ["--debug.echo=true", "--limit.messages=0"] });
	});
	after(() => server.stop());

	it("and plain HTTP share the port", async () => {
		for (const tls of [false, true, false, true]) {
			assert.equal((await get(server, "/livez", {}, { tls })).text.trim(), "ok");
		}
	});

	for (const version of ["TLSv1.2", "TLSv1.3"]) {
		it(`is spoken as ${version}`, async (t) => {
			const tls = { minVersion: version, maxVersion: version };
			const raw = await RawSocket.connect(server, { tls });
			t.after(() => raw.close());
			assert.equal(raw.socket.getProtocol(), version);
			raw.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
			assert.equal((await raw.response()).status, 200);
		});
	}

	for (const version of ["TLSv1", "TLSv1.1"]) {
		it(`is refused as ${version}`, async () => {
			await undisturbed(server, "tls_failures_total", async () => {
				const tls = { minVersion: version, maxVersion: version, ciphers: WEAK };
				await assert.rejects(RawSocket.connect(server, { tls }), /protocol version|alert/i);
			});
		});
	}

	it("is refused without forward secrecy", async () => {
		await undisturbed(server, "tls_failures_total", async () => {
			const tls = { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256" };
			await assert.rejects(RawSocket.connect(server, { tls }), /handshake failure|alert/i);
		});
	});

	it("speaks http/1.1 to who offers it, and refuses who offers something else only", async (t) => {
		const good = { ALPNProtocols: ["h2", "http/1.1"] };
		const raw = await RawSocket.connect(server, { tls: good });
		t.after(() => raw.close());
		assert.equal(raw.socket.alpnProtocol, "http/1.1");
		const bad = { ALPNProtocols: ["h2"] };
		await assert.rejects(RawSocket.connect(server, { tls: bad }));
	});

	it("closes for bytes that only begin like TLS", async (t) => {
		for (const bytes of [
			Buffer.concat([Buffer.from([0x16, 3, 1, 0, 5]), Buffer.from("hello")]),
			Buffer.concat([Buffer.from([0x16]), Buffer.alloc(1000, 0xff)]),
			Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(70_000)]),
		]) {
			await undisturbed(server, "tls_failures_total", async () => {
				const raw = await RawSocket.connect(server);
				t.after(() => raw.close());
				raw.write(bytes);
				await raw.hungUp();
			});
		}
	});

	it("ends without harm when the client breaks off in the handshake", async (t) => {
		await undisturbed(server, "connects_total", async () => {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0]));
			raw.socket.end();
			await raw.hungUp();
		});
	});

	it("carries rooms, also from one worker to the other", async (t) => {
		for (let i = 0; i < 8; i++) {
			const connection = i % 2 ? { tls: true } : { tls: true, room: `tls-${i}` };
			const members = await roomOf(t, server, ["Ann", "Bob"], { connection, room: `tls-${i}` });
			const [ann, bob] = members;
			const data = "over TLS ".repeat(10_000);
			await ann.do({ type: "signal", to: bob.id, data });
			await bob.next("signal", { data });
			await allQuiet(members);
		}
	});

	it("and plain connections meet in one room", async (t) => {
		const room = freshRoom();
		const ann = await connect(t, server);
		const bob = await connect(t, server, { tls: true });
		await ann.join(room);
		await bob.join(room);
		await ann.next("joined");
		await bob.do({ type: "chat", text: "from the inside" });
		await ann.next("chat", { from: bob.id });
	});

	it("carries 16 MiB there and back", async (t) => {
		const ws = await RawWebSocket.connect(server, "/v1/echo", { tls: true });
		t.after(() => ws.close());
		const payload = Buffer.alloc(16 << 20, "0123456789abcdef");
		ws.send(frame(OP.binary, payload));
		const got = await ws.frame();
		assert.ok(got.payload.equals(payload));
	});

	it("comes back by ticket, on any worker", async (t) => {
		const tls = { maxVersion: "TLSv1.2" };
		const first = await RawSocket.connect(server, { tls });
		const session = first.socket.getSession();
		first.close();
		for (let i = 0; i < 6; i++) {
			const again = await RawSocket.connect(server, { tls: { ...tls, session } });
			t.after(() => again.close());
			assert.ok(again.socket.isSessionReused());
		}
	});

	it("counts its handshakes", async () => {
		const before = (await metrics(server)).get("tls_handshakes_total");
		await get(server, "/livez", {}, { tls: true });
		await metricIs(server, "tls_handshakes_total", before + 1);
	});
});

describe("the certificate", () => {
	it("that the server made itself is kept over a restart, and names the machine", async (t) => {
		const dataDir = freshDir();
		t.after(() => rmSync(dataDir, { recursive: true, force: true }));
		const first = await startServer({ dataDir });
		const made = await certificateOf(first);
		assert.match(made.subjectaltname, /DNS:localhost/);
		assert.match(made.subjectaltname, /IP Address:127\.0\.0\.1/);
		const days = (Date.parse(made.valid_to) - Date.now()) / 86_400_000;
		assert.ok(days > 300 && days < 826, `${days} days`);
		await first.stop();
		const second = await serverFor(t, { dataDir });
		assert.equal((await certificateOf(second)).fingerprint256, made.fingerprint256);
	});

	it("has a key that only its owner may read", async (t) => {
		const server = await serverFor(t);
		const key = join(server.dataDir, "self-signed.key");
		assert.equal(statSync(key).mode & 0o777, 0o600);
	});

	async function withFiles(t) {
		const dir = freshDir();
		t.after(() => rmSync(dir, { recursive: true, force: true }));
		const first = makeCertificate(dir, "first", "first.example.org");
		const second = makeCertificate(dir, "second", "second.example.org");
		const live = { cert: join(dir, "live.crt"), key: join(dir, "live.key") };
		const put = ({ cert, key }) => {
			// As tools do it that renew certificates: written beside, then renamed.
			for (const [from, to] of [
				[key, live.key],
				[cert, live.cert],
			]) {
				copyFileSync(from, `${to}.new`);
				renameSync(`${to}.new`, to);
			}
		};
		put(first);
		return { first, second, live, put };
	}

	it("of --tls.cert is shown, and a changed one to whoever connects later", async (t) => {
		const { first, second, live, put } = await withFiles(t);
		const server = await serverFor(t, {
			workers: 2,
			args: [`--tls.cert=${live.cert}`, `--tls.key=${live.key}`],
		});
		assert.equal((await certificateOf(server)).fingerprint256, first.fingerprint);
		const ann = await connect(t, server, { tls: true });
		await ann.join(freshRoom());
		put(second);
		let inRow = 0;
		await poll(
			async () => {
				const { fingerprint256 } = await certificateOf(server);
				inRow = fingerprint256 === second.fingerprint ? inRow + 1 : 0;
				return inRow >= 16;
			},
			() => "the second certificate on both workers",
		);
		await ann.do({ type: "chat", text: "still here" });
	});

	it("that does not load leaves the old one in use, with a line in the log", async (t) => {
		const { first, second, live, put } = await withFiles(t);
		const server = await serverFor(t, {
			args: [`--tls.cert=${live.cert}`, `--tls.key=${live.key}`],
		});
		writeFileSync(live.cert, "no certificate");
		await server.logged(/certificate/i);
		assert.equal((await certificateOf(server)).fingerprint256, first.fingerprint);
		put(second);
		await poll(
			async () => (await certificateOf(server)).fingerprint256 === second.fingerprint,
			() => "the second certificate",
		);
	});

	it("is read anew at SIGHUP, whether it has changed or not, and nobody is disturbed", async (t) => {
		const { first, live } = await withFiles(t);
		const server = await serverFor(t, {
			workers: 2,
			args: [`--tls.cert=${live.cert}`, `--tls.key=${live.key}`],
		});
		const ann = await connect(t, server, { tls: true });
		await ann.join(freshRoom());
		server.reload();
		await server.logged(/info +main +reloading /);
		for (const worker of [0, 1]) {
			await server.logged(new RegExp(`certificate-reloaded .*worker=${worker} `));
		}
		writeFileSync(live.cert, "no certificate");
		server.reload();
		for (const worker of [0, 1]) {
			await server.logged(new RegExp(`certificate-kept .*worker=${worker} `));
		}
		assert.equal((await certificateOf(server)).fingerprint256, first.fingerprint);
		await ann.do({ type: "chat", text: "still here" });
	});

	it("that is not there, or does not fit its key, is refused at start with a clear line", async (t) => {
		const { first, second } = await withFiles(t);
		for (const [cert, key, says] of [
			["/nonexistent/tls.crt", first.key, /\/nonexistent\/tls\.crt/],
			[first.cert, "/nonexistent/tls.key", /\/nonexistent\/tls\.key/],
			[first.cert, second.key, /key/],
		]) {
			const dir = freshDir();
			t.after(() => rmSync(dir, { recursive: true, force: true }));
			const args = ["--listen", "127.0.0.1:0", "--data-dir", dir];
			const { code, stderr } = await runParley([...args, "--tls.cert", cert, "--tls.key", key]);
			assert.notEqual(code, 0);
			assert.match(stderr, says);
		}
	});

	it("is asked for by browsers' sockets as by pages: wss works with it", async (t) => {
		const server = await serverFor(t);
		const client = await Client.connect(server, {
			tls: true,
			origin: `https://127.0.0.1:${server.port}`,
		});
		await client.join(freshRoom());
		await client.close();
	});
});
