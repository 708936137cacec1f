// Pages, assets and their caching; security headers; CORS and the origin rules.
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, describe, it } from "node:test";
import zlib from "node:zlib";
import { connect } from "./lib/client.mjs";
import { get, request } from "./lib/http.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { upgradeRequest } from "./lib/rawws.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { undisturbed } from "./lib/witness.mjs";

/** The scripts and styles that the page names. */
async function assetsOf(server) {
	const page = await get(server, "/");
	const paths = [...page.text.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)];
	assert.ok(paths.length > 0, "the page names its assets");
	return paths.map(([, path]) => path);
}

describe("the page", () => {
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	it("is the same for / and for every room, and is asked for anew each time", async () => {
		const home = await get(server, "/");
		assert.equal(home.status, 200);
		assert.match(home.headers["content-type"], /^text\/html; ?charset=utf-8/i);
		for (const path of ["/r/amber-fox", "/r/%F0%9F%A6%8A", "/r/a?name=x"]) {
			const page = await get(server, path);
			assert.equal(page.status, 200);
			assert.deepEqual(page.body, home.body);
			assert.match(page.headers["cache-control"], /no-cache/);
		}
	});

	it("comes with headers that keep others from using it", async () => {
		const { headers } = await get(server, "/r/amber-fox");
		assert.equal(headers["x-content-type-options"], "nosniff");
		assert.match(headers["content-security-policy"], /default-src 'self'/);
		assert.match(headers["content-security-policy"], /frame-ancestors/);
		assert.ok(!/script-src[^;]*'unsafe/.test(headers["content-security-policy"]));
		assert.ok(headers["referrer-policy"]);
		assert.match(headers["permissions-policy"], /camera/);
		assert.match(headers["permissions-policy"], /microphone/);
	});

	it("names assets that are cached for ever", async () => {
		for (const path of await assetsOf(server)) {
			const { status, headers } = await get(server, path);
			assert.equal(status, 200, path);
			assert.match(headers["cache-control"], /max-age=31536000/);
			assert.match(headers["cache-control"], /immutable/);
			assert.match(headers["content-type"], /^text\/(javascript|css)/);
			assert.equal(headers["x-content-type-options"], "nosniff");
		}
	});

	it("does not answer for assets that there are not", async () => {
		assert.equal((await get(server, "/assets/index-00000000.js")).status, 404);
		assert.equal((await get(server, "/r/a/b")).status, 404);
	});

	it("is shown to people where there is none, as 404; programs get the error", async () => {
		const home = await get(server, "/");
		const accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
		for (const coding of ["identity", "br"]) {
			const lost = await get(server, "/rooms", { Accept: accept, "Accept-Encoding": coding });
			assert.equal(lost.status, 404);
			assert.match(lost.headers["content-type"], /^text\/html/);
			assert.match(lost.headers["content-security-policy"], /default-src 'self'/);
			assert.equal(lost.headers["cache-control"], "no-store");
			const body = coding === "br" ? zlib.brotliDecompressSync(lost.body) : lost.body;
			assert.deepEqual(body, home.body);
		}
		for (const headers of [{}, { Accept: "*/*" }, { Accept: "application/json" }]) {
			const error = await get(server, "/rooms", headers);
			assert.equal(error.status, 404);
			assert.equal(JSON.parse(error.text).error.code, "not_found");
		}
		const posted = await request(server, "/rooms", { method: "POST", headers: { Accept: accept } });
		assert.equal(JSON.parse(posted.text).error.code, "not_found");
	});
});

describe("an asset", () => {
	let server;
	let path;
	let plain;
	before(async () => {
		server = await startServer();
		[path] = await assetsOf(server);
		plain = await get(server, path);
	});
	after(() => server.stop());

	for (const [accept, coding, decode] of [
		["gzip", "gzip", zlib.gunzipSync],
		["br", "br", zlib.brotliDecompressSync],
		["gzip, deflate, br", "br", zlib.brotliDecompressSync],
		["br;q=0, gzip;q=0.5", "gzip", zlib.gunzipSync],
		["*", "br", zlib.brotliDecompressSync],
		["identity", undefined, (bytes) => bytes],
		["deflate", undefined, (bytes) => bytes],
		["gzip;q=0, br;q=0", undefined, (bytes) => bytes],
	]) {
		it(`comes as ${coding ?? "it is"} for Accept-Encoding: ${accept}`, async () => {
			const got = await get(server, path, { "Accept-Encoding": accept });
			assert.equal(got.headers["content-encoding"], coding);
			assert.match(got.headers.vary, /accept-encoding/i);
			assert.deepEqual(decode(got.body), plain.body);
			assert.ok(coding === undefined || got.body.length < plain.body.length);
		});
	}

	it("is not sent again to who has it: 304", async () => {
		for (const accept of ["identity", "gzip", "br"]) {
			const first = await get(server, path, { "Accept-Encoding": accept });
			const { etag } = first.headers;
			assert.match(etag, /^"[^"]+"$/);
			for (const value of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
				const headers = { "Accept-Encoding": accept, "If-None-Match": value };
				const again = await get(server, path, headers);
				assert.equal(again.status, 304, value);
				assert.equal(again.body.length, 0);
				assert.equal(again.headers.etag, etag);
			}
			const headers = { "Accept-Encoding": accept, "If-None-Match": '"other"' };
			assert.equal((await get(server, path, headers)).status, 200);
		}
	});

	it("has another ETag in each coding", async () => {
		const tags = new Set();
		for (const accept of ["identity", "gzip", "br"]) {
			tags.add((await get(server, path, { "Accept-Encoding": accept })).headers.etag);
		}
		assert.equal(tags.size, 3);
	});

	it("comes in one range", async () => {
		const n = plain.body.length;
		for (const [range, from, to] of [
			["bytes=0-9", 0, 10],
			["bytes=10-", 10, n],
			["bytes=-5", n - 5, n],
			[`bytes=5-${n + 100}`, 5, n],
			[`bytes=-${n + 100}`, 0, n],
		]) {
			const part = await get(server, path, { Range: range });
			assert.equal(part.status, 206, range);
			assert.deepEqual(part.body, plain.body.subarray(from, to));
			assert.equal(part.headers["content-range"], `bytes ${from}-${to - 1}/${n}`);
		}
	});

	it("answers 416 for a range outside, and all of it for one that makes no sense", async () => {
		const n = plain.body.length;
		for (const range of [`bytes=${n}-`, "bytes=-0", "bytes=99999999999999999999-"]) {
			const answer = await get(server, path, { Range: range });
			assert.equal(answer.status, 416, range);
			assert.equal(answer.headers["content-range"], `bytes */${n}`);
		}
		for (const range of ["bytes=5-2", "bytes=x-", "lines=1-2", "bytes=0-1,3-4", "bytes="]) {
			const answer = await get(server, path, { Range: range });
			assert.equal(answer.status, 200, range);
			assert.deepEqual(answer.body, plain.body);
		}
	});

	it("heeds If-Range", async () => {
		const { etag } = plain.headers;
		const same = await get(server, path, { Range: "bytes=0-9", "If-Range": etag });
		assert.equal(same.status, 206);
		const other = await get(server, path, { Range: "bytes=0-9", "If-Range": '"other"' });
		assert.equal(other.status, 200);
	});

	it("has the same headers for HEAD, without the body", async () => {
		const head = await request(server, path, { method: "HEAD" });
		assert.equal(head.status, 200);
		assert.equal(head.body.length, 0);
		for (const name of ["content-length", "content-type", "etag", "cache-control"]) {
			assert.equal(head.headers[name], plain.headers[name], name);
		}
	});
});

describe("a page asked for in plain by another machine", () => {
	const others = Object.values(networkInterfaces())
		.flat()
		.filter(({ internal, family, address }) => !internal && family === "IPv4" && address);
	// A client with an address of the network is not on loopback, though the server is.
	const options = { localAddress: others[0]?.address };
	const skip = others.length === 0 && "this machine has no address but loopback";
	let server;
	before(async () => {
		server = await startServer();
	});
	after(() => server.stop());

	it("is sent to https on the same port", { skip }, async () => {
		for (const path of ["/", "/r/amber-fox", "/r/a?x=1"]) {
			const { status, headers } = await get(server, path, {}, options);
			assert.equal(status, 307, path);
			assert.equal(headers.location, `https://127.0.0.1:${server.port}${path}`);
		}
	});

	it("is the only thing that is: health, API and sockets come as asked", { skip }, async () => {
		for (const path of ["/livez", "/health", "/metrics", "/ice-servers"]) {
			assert.equal((await get(server, path, {}, options)).status, 200, path);
		}
		const raw = await RawSocket.connect(server, options);
		raw.write(upgradeRequest("/v1/connect", { "Sec-WebSocket-Protocol": "parley.v1" }));
		assert.equal((await raw.response()).status, 101);
		raw.close();
	});

	it("is served over TLS", { skip }, async () => {
		const page = await get(server, "/r/amber-fox", {}, { ...options, tls: true });
		assert.equal(page.status, 200);
	});
});

describe("an origin", () => {
	let server;
	before(async () => {
		server = await startServer({
			args: [
				"--http.allowed-origins=https://app.example.org",
				"--http.allowed-origins=https://other.example.org:8443",
			],
		});
	});
	after(() => server.stop());

	const ALLOWED = [
		"http://localhost:3000",
		"http://127.0.0.1:5173",
		"https://[::1]:8443",
		"https://app.example.org",
		"https://other.example.org:8443",
		"same",
	];
	const FOREIGN = [
		"https://evil.example.org",
		"http://app.example.org",
		"https://app.example.org:444",
		"https://app.example.org.evil.org",
		"https://evil-app.example.org",
		"https://localhost.evil.org",
		"http://127.0.0.1.evil.org",
		"null",
		"file://",
	];
	const real = (origin) => (origin === "same" ? server.http : origin);

	for (const origin of ALLOWED) {
		it(`may connect and use the API: ${origin}`, async (t) => {
			const ann = await connect(t, server, { origin: real(origin) });
			await ann.join("origin", {});
			await ann.close();
			const answer = await get(server, "/api/turn-credentials", { Origin: real(origin) });
			assert.equal(answer.status, 200);
			assert.equal(answer.headers["access-control-allow-origin"], real(origin));
			assert.match(answer.headers.vary, /origin/i);
		});
	}

	for (const origin of FOREIGN) {
		it(`may not connect nor read the API: ${origin}`, async () => {
			await undisturbed(server, "http_origin_denied_total", async () => {
				const raw = await RawSocket.connect(server);
				const protocol = { "Sec-WebSocket-Protocol": "parley.v1" };
				raw.write(upgradeRequest("/v1/connect", { ...protocol, Origin: origin }));
				assert.equal((await raw.response()).status, 403);
				raw.close();
			});
			const answer = await get(server, "/api/turn-credentials", { Origin: origin });
			assert.ok(!("access-control-allow-origin" in answer.headers));
		});
	}

	it("is not asked of what is no browser", async (t) => {
		const ann = await connect(t, server);
		await ann.join("no-origin");
		const answer = await get(server, "/ice-servers");
		assert.equal(answer.status, 200);
		assert.ok(!("access-control-allow-origin" in answer.headers));
	});

	it("gets its preflight answered, with the methods there are", async () => {
		const answer = await request(server, "/api/turn-credentials", {
			method: "OPTIONS",
			headers: {
				Origin: "https://app.example.org",
				"Access-Control-Request-Method": "GET",
				"Access-Control-Request-Headers": "content-type",
			},
		});
		assert.equal(answer.status, 204);
		assert.equal(answer.headers["access-control-allow-origin"], "https://app.example.org");
		assert.match(answer.headers["access-control-allow-methods"], /GET/);
		assert.ok(answer.headers["access-control-max-age"]);
	});

	it("that is foreign gets no leave from a preflight", async () => {
		const answer = await request(server, "/api/turn-credentials", {
			method: "OPTIONS",
			headers: { Origin: "https://evil.example.org", "Access-Control-Request-Method": "GET" },
		});
		assert.ok(!("access-control-allow-origin" in answer.headers));
	});

	it("is any when http.allowed-origins is *", async (t) => {
		const open = await serverFor(t, { args: ["--http.allowed-origins=*"] });
		await connect(t, open, { origin: "https://anything.example.org" });
		const answer = await get(open, "/ice-servers", { Origin: "https://anything.example.org" });
		const allowed = answer.headers["access-control-allow-origin"];
		assert.ok(["*", "https://anything.example.org"].includes(allowed));
	});
});
