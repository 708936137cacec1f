// Malformed and hostile HTTP (RFC 9110, RFC 9112): one clear answer, one counter, the connection
// closed so that nothing after the mistake is taken for a request, and nobody else disturbed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { RawSocket } from "./lib/rawhttp.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { within } from "./lib/wait.mjs";
import { undisturbed } from "./lib/witness.mjs";

const HOST = "Host: localhost\r\n";
const GET = `GET /livez HTTP/1.1\r\n${HOST}`;
// What an attacker hopes to have taken for a second request.
const SECOND = `GET /livez?smuggled HTTP/1.1\r\n${HOST}\r\n`;

const SMUGGLING = {
	"Content-Length beside Transfer-Encoding": `${GET}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECOND}`,
	"Transfer-Encoding beside Content-Length": `${GET}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SECOND}`,
	"two lengths that differ": `${GET}Content-Length: 0\r\nContent-Length: 5\r\n\r\n${SECOND}`,
	"two lengths in one field": `${GET}Content-Length: 0, 0\r\n\r\n${SECOND}`,
	"a length with a sign": `${GET}Content-Length: +0\r\n\r\n${SECOND}`,
	"a negative length": `${GET}Content-Length: -1\r\n\r\n${SECOND}`,
	"a length in hexadecimal": `${GET}Content-Length: 0x0\r\n\r\n${SECOND}`,
	"an empty length": `${GET}Content-Length:\r\n\r\n${SECOND}`,
	"a length with a space in it": `${GET}Content-Length: 0 0\r\n\r\n${SECOND}`,
	"a length beyond 64 bits": `${GET}Content-Length: 18446744073709551616\r\n\r\n${SECOND}`,
	"a coding that is not chunked": `${GET}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n${SECOND}`,
	"a coding after chunked": `${GET}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SECOND}`,
	"chunked twice": `${GET}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${SECOND}`,
	"a misspelt chunked": `${GET}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SECOND}`,
	"chunked behind a control byte": `${GET}Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n${SECOND}`,
	"space before the colon of the length": `${GET}Content-Length : 0\r\n\r\n${SECOND}`,
	"space before the colon of the coding": `${GET}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SECOND}`,
	"a folded coding": `${GET}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SECOND}`,
	"chunked in HTTP/1.0": `POST /livez HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECOND}`,
	"a chunk size with a prefix": `${GET}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${SECOND}`,
	"a chunk size with a sign": `${GET}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n${SECOND}`,
	"no chunk size": `${GET}Transfer-Encoding: chunked\r\n\r\n\r\n\r\n${SECOND}`,
	"a chunk size beyond 64 bits": `${GET}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n${SECOND}`,
	"a chunk longer than it says": `${GET}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${SECOND}`,
	"a chunk head that ends in LF": `${GET}Transfer-Encoding: chunked\r\n\r\n0\n\r\n${SECOND}`,
	"a chunk that ends in LF": `${GET}Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n${SECOND}`,
};

const FORM = {
	"lines that end in LF": `GET /livez HTTP/1.1\nHost: localhost\n\n${SECOND}`,
	"one line that ends in LF": `${GET}X-A: 1\nX-B: 2\r\n\r\n`,
	"a bare CR in a value": `${GET}X-A: 1\rX-B: 2\r\n\r\n`,
	"a CR before CRLF": `${GET}X-A: 1\r\r\n\r\n`,
	"space before a colon": `${GET}X-A : 1\r\n\r\n`,
	"a tab before a colon": `${GET}X-A\t: 1\r\n\r\n`,
	"a folded line": `${GET}X-A: 1\r\n 2\r\n\r\n`,
	"a line that starts with space": `GET /livez HTTP/1.1\r\n ${HOST}\r\n`,
	"a line without a colon": `${GET}X-A\r\n\r\n`,
	"an empty name": `${GET}: 1\r\n\r\n`,
	"NUL in a value": `${GET}X-A: a\0b\r\n\r\n`,
	"NUL in a name": `${GET}X\0A: 1\r\n\r\n`,
	"a control byte in a value": `${GET}X-A: a\x01b\r\n\r\n`,
	"DEL in a value": `${GET}X-A: a\x7fb\r\n\r\n`,
	"a bracket in a name": `${GET}X[A]: 1\r\n\r\n`,
	"a name beyond ASCII": `${GET}X-\xe4: 1\r\n\r\n`,
	"no Host": "GET /livez HTTP/1.1\r\n\r\n",
	"two Hosts": `${GET}Host: other\r\n\r\n`,
	"two Hosts in one field": "GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n",
	"a Host with a path": "GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n",
	"a Host with a user": "GET /livez HTTP/1.1\r\nHost: a@b\r\n\r\n",
	"a Host with a bad port": "GET /livez HTTP/1.1\r\nHost: a:b\r\n\r\n",
	"no target": `GET HTTP/1.1\r\n${HOST}\r\n`,
	"two spaces": `GET  /livez HTTP/1.1\r\n${HOST}\r\n`,
	"a tab for a space": `GET\t/livez\tHTTP/1.1\r\n${HOST}\r\n`,
	"a space in the target": `GET /li vez HTTP/1.1\r\n${HOST}\r\n`,
	"space before the method": ` GET /livez HTTP/1.1\r\n${HOST}\r\n`,
	"space after the version": `GET /livez HTTP/1.1 \r\n${HOST}\r\n`,
	"no version": `GET /livez\r\n${HOST}\r\n`,
	"a target without a slash": `GET livez HTTP/1.1\r\n${HOST}\r\n`,
	"a fragment": `GET /livez#a HTTP/1.1\r\n${HOST}\r\n`,
	"NUL in the target": `GET /li\0vez HTTP/1.1\r\n${HOST}\r\n`,
	"a control byte in the target": `GET /li\x01vez HTTP/1.1\r\n${HOST}\r\n`,
	"a target beyond ASCII": `GET /\xe4 HTTP/1.1\r\n${HOST}\r\n`,
	"a half percent escape": `GET /r/%4 HTTP/1.1\r\n${HOST}\r\n`,
	"a percent escape of no digits": `GET /r/%zz HTTP/1.1\r\n${HOST}\r\n`,
	"a room that is not UTF-8": `GET /r/%ff%fe HTTP/1.1\r\n${HOST}\r\n`,
	"a room with NUL": `GET /r/a%00b HTTP/1.1\r\n${HOST}\r\n`,
	"a version that is none": `GET /livez HTTP/x.y\r\n${HOST}\r\n`,
	words: "hello, is this a server?\r\n\r\n",
	zeros: "\0".repeat(100),
};

/** Sends the bytes; {status, rest: what came after the one answer}. The server must hang up. */
async function say(t, server, bytes) {
	const raw = await RawSocket.connect(server);
	t.after(() => raw.close());
	raw.write(bytes);
	const response = await raw.response();
	await raw.hungUp();
	return { ...response, rest: raw.input.toString("latin1") };
}

describe("malformed HTTP", () => {
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	for (const [what, bytes] of Object.entries({ ...SMUGGLING, ...FORM })) {
		it(`is answered 400 and closed: ${what}`, async (t) => {
			await undisturbed(server, "http_bad_requests_total", async () => {
				const { status, headers, rest } = await say(t, server, bytes);
				const allowed = [400];
				if (what.includes("coding") || what.includes("chunked")) {
					allowed.push(501); // RFC 9112, 6.1: a transfer coding it does not know
				}
				if (what.includes("version")) {
					allowed.push(505);
				}
				assert.ok(allowed.includes(status), `${status}`);
				assert.equal(headers.connection?.toLowerCase(), "close");
				assert.equal(rest, "", "one answer only");
			});
		});
	}

	it("has its mistake found wherever the bytes are cut", async (t) => {
		const bytes = SMUGGLING["Content-Length beside Transfer-Encoding"];
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.socket.setNoDelay(true);
		for (const byte of bytes) {
			if (raw.ended || raw.input.length) {
				break;
			}
			raw.write(byte);
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.equal((await raw.response()).status, 400);
		await raw.hungUp();
		assert.equal(raw.input.length, 0);
	});

	for (const [version, status] of [
		["HTTP/2.0", 505],
		["HTTP/3.0", 505],
		["HTTP/0.9", 505],
	]) {
		it(`is answered ${status} in ${version}`, async (t) => {
			const { status: got } = await say(t, server, `GET /livez ${version}\r\n${HOST}\r\n`);
			assert.equal(got, status);
		});
	}

	it("is answered 505 for the preface of HTTP/2", async (t) => {
		const { status } = await say(t, server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
		assert.equal(status, 505);
	});

	it("is answered 501 for a method nobody knows", async (t) => {
		const { status } = await say(t, server, `BREW /livez HTTP/1.1\r\n${HOST}\r\n`);
		assert.equal(status, 501);
	});

	it("is answered in JSON with the code malformed", async (t) => {
		const { headers, body } = await say(t, server, FORM["space before a colon"]);
		assert.match(headers["content-type"], /^application\/json/);
		assert.equal(JSON.parse(body).error.code, "malformed");
	});

	it("cannot reach files by any path", async (t) => {
		for (const path of [
			"/../../etc/passwd",
			"/assets/../../../etc/passwd",
			"/%2e%2e/%2e%2e/etc/passwd",
			"/assets/..%2f..%2f..%2fetc%2fpasswd",
			"//etc/passwd",
			"/assets/..\\..\\etc\\passwd",
		]) {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(`GET ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
			const { status } = await raw.response();
			assert.ok([400, 404].includes(status), `${path}: ${status}`);
			assert.ok(!raw.input.includes("root:"));
		}
	});
});

describe("a request over a limit", () => {
	let server;
	before(async () => {
		server = await startServer({
			args: ["--http.max-line=1k", "--http.max-headers=2k", "--http.max-body=4k"],
		});
	});
	after(() => server.stop());

	const CASES = {
		"line is answered 414": [`GET /${"a".repeat(2000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
		"line without end is answered 414": [`GET /${"a".repeat(2000)}`, 414],
		"header is answered 431": [`${GET}X-A: ${"a".repeat(3000)}\r\n\r\n`, 431],
		"header without end is answered 431": [`${GET}X-A: ${"a".repeat(3000)}`, 431],
		"header name without end is answered 431": [`${GET}${"X".repeat(3000)}`, 431],
		"number of headers is answered 431": [`${GET}${"X: 1\r\n".repeat(600)}\r\n`, 431],
		"body is answered 413 before it comes": [`${GET}Content-Length: 4097\r\n\r\n`, 413],
		"chunked body is answered 413": [
			`${GET}Transfer-Encoding: chunked\r\n\r\n1001\r\n${"a".repeat(4097)}\r\n0\r\n\r\n`,
			413,
		],
	};
	for (const [what, [bytes, status]] of Object.entries(CASES)) {
		it(what, async (t) => {
			await undisturbed(server, "http_bad_requests_total", async () => {
				const answer = await say(t, server, bytes);
				assert.equal(answer.status, status);
				assert.equal(answer.rest, "");
			});
		});
	}

	it("is no such thing while it just fits", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		const line = "GET /livez? HTTP/1.1\r\n";
		raw.write(`GET /livez?${"a".repeat(1024 - line.length)} HTTP/1.1\r\n${HOST}\r\n`);
		assert.equal((await raw.response()).status, 200);
	});

	it("is closed quietly when it never reads the answer", async (t) => {
		await undisturbed(server, "http_bad_requests_total", async () => {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.socket.pause();
			raw.write(`GET /${"a".repeat(1_000_000)}`);
		});
	});
});

// All of them wait for the same time, which is long enough for a busy machine to say in what it has to.
describe("a slow request", { concurrency: 10 }, () => {
	let server;
	before(async () => {
		server = await startServer({
			args: [
				"--http.head-timeout=3s",
				"--http.body-timeout=3s",
				"--http.idle-timeout=3s",
				"--tls.handshake-timeout=3s",
			],
		});
	});
	after(() => server.stop());

	for (const [what, bytes] of Object.entries({
		"half a line": "GET /li",
		"half a header": `${GET}X-A: `,
		"all but the last line": GET,
	})) {
		it(`is answered 408 after http.head-timeout: ${what}`, async (t) => {
			await undisturbed(server, "http_timeouts_total", async () => {
				const { status } = await say(t, server, bytes);
				assert.equal(status, 408);
			});
		});
	}

	it("is answered 408 after http.body-timeout when its body stays away", async (t) => {
		await undisturbed(server, "http_timeouts_total", async () => {
			const { status } = await say(t, server, `${GET}Content-Length: 10\r\n\r\n12345`);
			assert.equal(status, 408);
		});
	});

	it("is closed when it never gets through the TLS handshake", async (t) => {
		await undisturbed(server, "tls_failures_total", async () => {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0]));
			await raw.hungUp();
		});
	});

	it("gains no time by dripping bytes", async (t) => {
		await undisturbed(server, "http_timeouts_total", async () => {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(GET);
			const drip = setInterval(() => raw.write("X-A: 1\r\n"), 100);
			t.after(() => clearInterval(drip));
			const { status } = await raw.response().finally(() => clearInterval(drip));
			assert.equal(status, 408);
			await raw.hungUp();
		});
	});

	// 0x00 and 0x01 begin STUN as well.
	it("is closed after http.head-timeout when it may still become one, or something else", async (t) => {
		const patient = await serverFor(t, {
			args: ["--http.head-timeout=1s", "--http.idle-timeout=1h"],
		});
		const begun = async (...bytes) => {
			const raw = await RawSocket.connect(patient);
			t.after(() => raw.close());
			raw.write(Buffer.from(bytes));
			await raw.hungUp();
			assert.equal(raw.input.length, 0);
		};
		await Promise.all([begun(0), begun(1), begun(0, 1, 0, 0, 0x21, 0x12, 0xa4)]);
	});

	it("is closed without an answer when it never began", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		await raw.hungUp();
		assert.equal(raw.input.length, 0);
	});

	it("is closed after http.idle-timeout when none follows the first", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(`${GET}\r\n`);
		assert.equal((await raw.response()).status, 200);
		await raw.hungUp();
		assert.equal(raw.input.length, 0);
	});

	it("does not end a WebSocket", async (t) => {
		// The witnesses of the other tests lived through theirs; here the wait is longer.
		await undisturbed(server, "http_requests_total", async () => {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			await raw.hungUp();
		});
	});
});

describe("connections over net.max-connections", () => {
	it("are closed at once, and the others live on", async (t) => {
		const server = await serverFor(t, { args: ["--net.max-connections=8"] });
		await undisturbed(server, "connections_refused_total", async () => {
			// The reset may come before the client takes itself for connected.
			const knock = () => RawSocket.connect(server).catch(() => null);
			const raws = [];
			for (let i = 0; i < 10; i++) {
				raws.push(await knock());
			}
			if (raws.every(Boolean)) {
				await within(Promise.any(raws.map((raw) => raw.hungUp())), "one to be closed");
			}
			for (const raw of raws) {
				raw?.close();
			}
			// The seats are free again when the server has seen them go.
			for (;;) {
				const raw = await knock();
				raw?.write(`${GET}Connection: close\r\n\r\n`);
				await raw?.hungUp();
				if (raw?.input.includes("200 OK")) {
					break;
				}
			}
		});
	});
});

describe("well-formed HTTP", () => {
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	it("is answered in order when it comes in a row", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(`${GET}\r\nGET /nowhere HTTP/1.1\r\n${HOST}\r\n${GET}\r\n`);
		assert.equal((await raw.response()).status, 200);
		assert.equal((await raw.response()).status, 404);
		assert.equal((await raw.response()).status, 200);
	});

	it("keeps the connection in 1.1, closes it in 1.0 and when asked to", async (t) => {
		for (const [head, keeps] of [
			[GET, true],
			[`${GET}Connection: close\r\n`, false],
			[`GET /livez HTTP/1.0\r\n${HOST}`, false],
			[`GET /livez HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n`, true],
		]) {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(`${head}\r\n`);
			assert.equal((await raw.response()).status, 200);
			if (keeps) {
				raw.write(`${head}\r\n`);
				assert.equal((await raw.response()).status, 200);
			} else {
				await raw.hungUp();
			}
		}
	});

	it("may have bodies that nobody asked for, and they are no requests", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(`${GET}Content-Length: ${SECOND.length}\r\n\r\n${SECOND}`);
		assert.equal((await raw.response()).status, 200);
		raw.write(`${GET}Transfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n${GET}\r\n`);
		assert.equal((await raw.response()).status, 200);
		assert.equal((await raw.response()).status, 200);
		assert.equal(raw.input.length, 0);
	});

	it("has its body passed over where the method is refused", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		const head = `POST /livez HTTP/1.1\r\n${HOST}Content-Length: ${SECOND.length}\r\n`;
		raw.write(`${head}Connection: close\r\n\r\n${SECOND}`);
		assert.equal((await raw.response()).status, 405);
		await raw.hungUp();
		assert.equal(raw.input.length, 0);
	});

	it("is told to go on when it expects 100-continue", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(`${GET}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
		assert.equal((await raw.response()).status, 100);
		raw.write("ok");
		assert.equal((await raw.response()).status, 200);
	});

	it("may come in single bytes", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.socket.setNoDelay(true);
		for (const byte of `${GET}\r\n`) {
			raw.write(byte);
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.equal((await raw.response()).status, 200);
	});

	it("is answered without a body for HEAD, with the same headers", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(`${GET}\r\n`);
		const got = await raw.response();
		raw.write(`HEAD /livez HTTP/1.1\r\n${HOST}\r\n`);
		const head = await raw.response({ head: true });
		assert.equal(head.headers["content-length"], got.headers["content-length"]);
		raw.write(`${GET}\r\n`);
		assert.equal((await raw.response()).status, 200);
	});

	it("is answered 405 with Allow for a method that the path does not have", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(`DELETE /livez HTTP/1.1\r\n${HOST}\r\n`);
		const { status, headers } = await raw.response();
		assert.equal(status, 405);
		assert.match(headers.allow, /\bGET\b/);
		assert.match(headers.allow, /\bHEAD\b/);
	});

	it("is answered 404 in JSON where there is nothing", async (t) => {
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(`GET /api/nothing HTTP/1.1\r\n${HOST}\r\n`);
		const { status, body } = await raw.response();
		assert.equal(status, 404);
		assert.equal(JSON.parse(body).error.code, "not_found");
	});
});
