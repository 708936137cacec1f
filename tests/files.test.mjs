// Files in the chat: who may upload, what is refused before the body is read, what is kept and for
// how long, how it comes back.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, statSync, utimesSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { BY_KEY, call } from "./lib/api.mjs";
import { connect, freshRoom, roomOf } from "./lib/client.mjs";
import {
	bearer,
	depotFiles,
	depotPath,
	download,
	exchange,
	noise,
	sha256,
	upload,
	uploaded,
} from "./lib/files.mjs";
import { metricIs, metrics } from "./lib/metrics.mjs";
import { RawSocket } from "./lib/rawhttp.mjs";
import { freshDir, serverFor, startServer } from "./lib/server.mjs";
import { heard, stock } from "./lib/socketio.mjs";
import { KEY_ARGS, jwt, claimsFor, tokenFor } from "./lib/token.mjs";
import { poll } from "./lib/wait.mjs";

const MIB = 1 << 20;
const id = "a".repeat(26);

describe("files", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 2, args: ["--files.size=8M", "--files.room=0"] });
	});
	after(() => server.stop());

	for (const size of [0, 1, 65_536, 300_000, 8 * MIB]) {
		it(`a file of ${size} bytes comes back as it went`, async (t) => {
			const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
			const bytes = noise(size);
			const file = await uploaded(server, ann, bytes, { name: "über uns.png", type: "image/png" });
			assert.deepEqual({ ...file, id: "" }, { id: "", name: "über uns.png", type: "image/png", size });
			const { n } = await ann.do({ type: "chat", text: "look", files: [file.id] });
			const said = await bob.next("chat", { n });
			assert.deepEqual(said.files, [file]);
			assert.equal(said.text, "look");
			const got = await download(server, said.files[0].id);
			assert.equal(got.status, 200);
			assert.ok(got.bytes.equals(bytes));
			assert.equal(statSync(depotPath(server.dataDir, sha256(bytes))).size, size);
		});
	}

	it("needs no text, and is in the history and for who comes later", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann", "Bob"]);
		const files = [];
		for (let i = 0; i < 8; i++) files.push(await uploaded(server, ann, noise(100)));
		const ids = files.map((file) => file.id);
		await ann.do({ type: "chat", files: ids });
		const { messages } = await ann.do({ type: "history" });
		assert.deepEqual(messages.at(-1).files, files);
		assert.equal(messages.at(-1).text, "");
		const cleo = await connect(t, server);
		const { chat } = await cleo.join(ann.joinData.room, { name: "Cleo" });
		assert.deepEqual(chat.at(-1).files, files);
	});

	it("a direct message has files too, for the two", async (t) => {
		const [ann, bob, cleo] = await roomOf(t, server, ["Ann", "Bob", "Cleo"]);
		const file = await uploaded(server, ann, noise(10));
		await ann.do({ type: "chat", text: "psst", to: bob.id, files: [file.id] });
		assert.deepEqual((await bob.next("chat")).files, [file]);
		await cleo.settled();
		assert.ok(cleo.inbox.every((message) => message.type !== "chat"));
	});

	it("a repeated key is one message, and does not need the file again", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const file = await uploaded(server, ann, noise(10));
		const say = { type: "chat", text: "", files: [file.id], key: "k1" };
		delete say.text;
		const first = await ann.do(say);
		const second = await ann.do(say);
		assert.equal(second.n, first.n);
		assert.equal(second.known, true);
	});

	it("only who uploaded it can send it, once, and in its room", async (t) => {
		const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
		const other = freshRoom();
		await ann.join(other);
		const file = await uploaded(server, ann, noise(10));
		const room = ann.joinData.room;
		await bob.refused({ type: "chat", files: [file.id] }, "not_found");
		await ann.refused({ type: "chat", room: other, files: [file.id] }, "not_found");
		await ann.refused({ type: "chat", room, files: [file.id, id] }, "not_found");
		await ann.refused({ type: "chat", room, files: [file.id, file.id] }, "bad_field");
		// Nothing of the refused ones is left.
		await ann.do({ type: "chat", room, files: [file.id] });
		await ann.refused({ type: "chat", room, text: "again", files: [file.id] }, "not_found");
		const { messages } = await bob.do({ type: "history" });
		assert.equal(messages.length, 1);
	});

	it("files of a wrong form: bad_field", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const wrong = ["x", {}, [1], ["x"], [id.toUpperCase()], Array(9).fill(id), [{ id }]];
		for (const files of wrong) {
			const ask = { type: "chat", text: "hi", files };
			const error = await ann.refused(ask, "bad_field", { valid: false });
			assert.equal(error.detail, "files");
		}
		await ann.refused({ type: "chat" }, "bad_field", { valid: false });
	});

	it("names lose what is no name of a file", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const cases = {
			"../../../etc/passwd": "passwd",
			"..": "file",
			"a: y\u202Egnp.html": "a_ ygnp.html",
			"a\r\nX: y.html": "file",
			"C:\\temp\\x.doc": "x.doc",
			"%2e%2e%2fy": "%2e%2e%2fy",
		};
		for (const [name, kept] of Object.entries(cases)) {
			const answer = await upload(
				server,
				ann.joinData.room,
				bearer(ann.joinData.upload),
				noise(1),
				{ name },
			);
			assert.equal(answer.json.file.name, kept);
			const { headers } = await download(server, answer.json.file.id);
			assert.doesNotMatch(headers["content-disposition"], /[\r\n/\\]/);
		}
		assert.ok(depotFiles(server.dataDir).every((name) => /^([0-9a-f]{2}\/[0-9a-f]{64})$/.test(name)));
	});

	it("what a browser could run is never called so", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const cases = [
			["image/png", "image/png", /^inline; filename="x"; filename\*=UTF-8''x$/],
			["text/plain; charset=x", "text/plain; charset=utf-8", /^inline/],
			["text/html", "application/octet-stream", /^attachment/],
			["image/svg+xml", "application/octet-stream", /^attachment/],
			["text/javascript", "application/octet-stream", /^attachment/],
			[undefined, "application/octet-stream", /^attachment/],
		];
		for (const [type, sent, disposition] of cases) {
			const file = await uploaded(server, ann, Buffer.from("<script>alert(1)</script>"), {
				name: "x",
				type,
			});
			const { headers } = await download(server, file.id);
			assert.equal(headers["content-type"], sent);
			assert.match(headers["content-disposition"], disposition);
			assert.equal(headers["x-content-type-options"], "nosniff");
			assert.equal(headers["content-security-policy"], "sandbox");
		}
	});

	it("are found by what they are called, and by what is said with them", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const send = async (names, text) => {
			const files = [];
			for (const name of names) files.push((await uploaded(server, ann, noise(3), { name })).id);
			return (await ann.do({ type: "chat", files, ...(text && { text }) })).n;
		};
		const found = async (text) =>
			(await ann.do({ type: "search", text })).messages.map(({ n }) => n);
		const one = await send(["Übersicht-2024.pdf"], "the numbers");
		const two = await send(["photo of ann.jpg", 'with "quotes".jpg']);
		for (const words of ["ubersicht", "2024.pdf", "numbers pdf", "Übersicht-2024.pdf"])
			assert.deepEqual(await found(words), [one], words);
		for (const words of ["ANN", "photo quotes"]) assert.deepEqual(await found(words), [two], words);
		assert.deepEqual(await found("photo pdf"), []);
		await ann.do({ type: "edit", n: one, text: "the sums" });
		assert.deepEqual(await found("numbers"), []);
		assert.deepEqual(await found("sums 2024"), [one]);
		for (const n of [one, two]) await ann.do({ type: "delete", n });
		for (const words of ["sums", "2024", "photo", "jpg"]) assert.deepEqual(await found(words), []);
	});

	it("ranges, entity tags, HEAD", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const bytes = noise(200_000);
		const file = await uploaded(server, ann, bytes);
		const whole = await download(server, file.id);
		const etag = whole.headers.etag;
		assert.equal(whole.headers["accept-ranges"], "bytes");
		const cases = [
			["bytes=0-0", 0, 1],
			["bytes=100000-", 100_000, 200_000],
			["bytes=-70000", 130_000, 200_000],
			["bytes=1-199999999", 1, 200_000],
		];
		for (const [range, from, to] of cases) {
			const part = await download(server, file.id, { Range: range });
			assert.equal(part.status, 206);
			assert.equal(part.headers["content-range"], `bytes ${from}-${to - 1}/200000`);
			assert.ok(part.bytes.equals(bytes.subarray(from, to)));
		}
		const outside = await download(server, file.id, { Range: "bytes=200000-" });
		assert.deepEqual([outside.status, outside.headers["content-range"]], [416, "bytes */200000"]);
		const other = await download(server, file.id, { Range: "bytes=0-1", "If-Range": '"x"' });
		assert.equal(other.status, 200);
		assert.equal((await download(server, file.id, { "If-None-Match": etag })).status, 304);
		const head = await download(server, file.id, {}, "HEAD");
		assert.deepEqual([head.status, head.headers["content-length"], head.bytes.length], [200, "200000", 0]);
		const named = await exchange(server, "GET", `/files/${file.id}/any%20name.bin`);
		assert.ok(named.bytes.equals(bytes));
		for (const wrong of [id, "x", "..%2f..%2fetc%2fpasswd", file.id.slice(1)]) {
			assert.equal((await download(server, wrong)).status, 404);
		}
	});

	it("chunks, and connections that are used again", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const { room, upload: key } = ann.joinData;
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		const head = `POST /api/v1/rooms/${room}/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
		for (let i = 0; i < 2; i++) {
			raw.write(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n`);
			const answer = await raw.response();
			assert.equal(answer.status, 201);
			const { file } = JSON.parse(answer.body);
			assert.equal(file.size, 19);
			assert.equal(String((await download(server, file.id)).bytes), "abc0123456789abcdef");
		}
		raw.write(`${head}Content-Length: 2\r\n\r\nhiGET /livez HTTP/1.1\r\nHost: x\r\n\r\n`);
		assert.equal((await raw.response()).status, 201);
		assert.equal((await raw.response()).status, 200);
	});

	it("goes over TLS both ways", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const bytes = noise(5 * MIB);
		const file = await uploaded(server, ann, bytes, { tls: true });
		const got = await download(server, file.id, {}, "GET", { tls: true });
		assert.ok(got.bytes.equals(bytes));
	});

	it("a body is asked for only when it is wanted", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const { room, upload: key } = ann.joinData;
		const bytes = noise(100_000);
		const expecting = (by) =>
			upload(server, room, by, bytes, {
				headers: { Expect: "100-continue" },
				write: (request) => request.on("continue", () => request.end(bytes)),
			});
		const wanted = await expecting(bearer(key));
		assert.deepEqual([wanted.status, wanted.continued], [201, true]);
		const refused = await expecting(bearer(key.replace(/.$/, (last) => (last === "a" ? "b" : "a"))));
		assert.deepEqual([refused.status, refused.continued], [401, false]);
		assert.equal(refused.headers.connection, "close");
	});

	it("an upload that breaks off leaves nothing", async (t) => {
		const [ann] = await roomOf(t, server, ["Ann"]);
		const { room, upload: key } = ann.joinData;
		const broken = (await metrics(server)).get("files_broken_total");
		const raw = await RawSocket.connect(server);
		raw.write(
			`POST /api/v1/rooms/${room}/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 1000000\r\n\r\n`,
		);
		raw.write(noise(200_000));
		const half = () => depotFiles(server.dataDir).filter((name) => name.startsWith("new/"));
		await poll(
			() => half().length === 1,
			() => "the half of it on the disk",
		);
		raw.close();
		await metricIs(server, "files_broken_total", broken + 1);
		await poll(
			() => half().length === 0,
			() => "nothing of it on the disk",
		);
		await metricIs(server, "files_transfers", 0);
	});

	it("clients of other dialects get a line for each", async (t) => {
		const url = "https://chat.example.org";
		const own = await serverFor(t, { args: [`--files.url=${url}`] });
		const [ann] = await roomOf(t, own, ["Ann"]);
		const duo = await stock(t, own);
		duo.emit("room:join", { room: ann.joinData.room, userName: "Duo" });
		await heard(duo, "room:joined");
		const file = await uploaded(own, ann, noise(1), { name: "ä b.txt" });
		const line = `ä b.txt: ${url}/files/${file.id}`;
		const told = heard(duo, "chat:message");
		await ann.do({ type: "chat", text: "look", files: [file.id] });
		assert.equal((await told)[0].text, `look\n${line}`);
		const another = await uploaded(own, ann, noise(1), { name: "c" });
		const alone = heard(duo, "chat:message");
		await ann.do({ type: "chat", files: [another.id] });
		assert.equal((await alone)[0].text, `c: ${url}/files/${another.id}`);
	});

	it("OpenAPI has it", async () => {
		const { json } = await call(server, "GET", "/openapi.json");
		const post = json.paths["/api/v1/rooms/{room}/files"].post;
		assert.equal(post.operationId, "uploadFile");
		assert.ok(post.requestBody.content["*/*"]);
		assert.deepEqual(json.paths["/files/{file}"].get.security, []);
	});
});

describe("what is refused", () => {
	let server;
	before(async () => {
		server = await startServer({
			args: [
				...KEY_ARGS,
				"--files.size=100k",
				"--files.room=250k",
				"--files.rate=300k",
				"--files.transfers=2",
			],
		});
	});
	after(() => server.stop());

	const member = async (t, user, room, claims) => {
		const client = await connect(t, server, {
			headers: { Authorization: `Bearer ${tokenFor(user, undefined, claims)}` },
		});
		client.joinData = await client.join(room, { name: user });
		return client;
	};

	it("the table of refusals, each before the body is read", async (t) => {
		const room = freshRoom();
		const ann = await member(t, "ann", room);
		const mute = await member(t, "mute", room, { video: { canPublishData: false } });
		const gone = await member(t, "gone", room);
		await gone.do({ type: "leave" });
		const key = ann.joinData.upload;
		const table = [
			["nobody", {}, 401, "unauthorized"],
			["a wrong seat", bearer(`${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`), 401, "unauthorized"],
			["another room's", bearer(key), 401, "unauthorized", { room: freshRoom() }],
			["a token that has run out", bearer(jwt({ ...claimsFor("x", room), exp: 1000 })), 401, "unauthorized"],
			["a token of another room", bearer(tokenFor("x", "elsewhere")), 403, "denied"],
			["a token that may not chat", bearer(tokenFor("x", room, { video: { canPublishData: false } })), 403, "denied"],
			["a member who may not chat", bearer(mute.joinData.upload), 403, "denied"],
			["who has left", bearer(gone.joinData.upload), 404, "no_such_member"],
			["a wrong key", { Authorization: "Bearer devkey:wrong-wrong-wrong-wrong" }, 401, "unauthorized"],
			["too large", bearer(key), 413, "too_large", { size: 102_401 }],
			["a long name", bearer(key), 400, "bad_field", { name: "x".repeat(5000) }],
		];
		for (const [what, by, status, code, { room: to = room, size = 10, name = "a" } = {}] of table) {
			const raw = await RawSocket.connect(server);
			const lines = Object.entries(by).map(([field, value]) => `${field}: ${value}\r\n`);
			raw.write(
				`POST /api/v1/rooms/${to}/files?name=${name} HTTP/1.1\r\nHost: x\r\n${lines.join("")}Content-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`,
			);
			const answer = await raw.response();
			assert.equal(answer.status, status, what);
			assert.equal(JSON.parse(answer.body).error.code, code, what);
			assert.equal(answer.headers.connection, "close", what);
			await raw.hungUp();
			raw.close();
		}
		assert.deepEqual(depotFiles(server.dataDir), []);
	});

	it("a chunked body over the limit: 413, and nothing is left", async (t) => {
		const ann = await member(t, "ann2", freshRoom());
		const { room, upload: key } = ann.joinData;
		const raw = await RawSocket.connect(server);
		t.after(() => raw.close());
		raw.write(
			`POST /api/v1/rooms/${room}/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nTransfer-Encoding: chunked\r\n\r\n`,
		);
		raw.write(Buffer.concat([Buffer.from("20000\r\n"), noise(0x20000)]));
		const answer = await raw.response();
		assert.equal(answer.status, 413);
		await metricIs(server, "files_transfers", 0);
		assert.deepEqual(depotFiles(server.dataDir), []);
	});

	it("over files.room: 413 limit, at once; deleting a message gives the room back", async (t) => {
		const room = freshRoom();
		const by = { ...BY_KEY };
		const files = [];
		for (let i = 0; i < 2; i++) {
			const answer = await upload(server, room, by, noise(100_000));
			assert.equal(answer.status, 201);
			files.push(answer.json.file);
		}
		const full = await upload(server, room, by, noise(60_000));
		assert.equal(full.status, 413);
		assert.deepEqual([full.json.error.code, full.json.error.detail], ["limit", "space"]);
		const ann = await member(t, "owner", room, { video: { roomAdmin: true } });
		for (const { id: file } of files) {
			const said = await call(server, "POST", `/api/v1/rooms/${room}/messages`, { file });
			assert.equal(said.status, 204);
		}
		const message = await ann.next("chat", { files: [files[0]] });
		await ann.next("chat", { files: [files[1]] });
		await ann.do({ type: "delete", n: message.n });
		assert.equal((await download(server, files[0].id)).status, 404);
		assert.equal((await upload(server, room, by, noise(60_000))).status, 201);
		const { messages } = await ann.do({ type: "history" });
		assert.equal(messages.find(({ n }) => n === message.n).files, undefined);
	});

	it("over files.rate: 429 with Retry-After", async (t) => {
		const room = freshRoom();
		const by = bearer(tokenFor("hasty", room));
		for (const size of [100_000, 100_000, 50_000]) {
			await upload(server, room, by, noise(size)).then(({ status }) => assert.ok(status < 300 || status === 413));
		}
		const limited = await upload(server, freshRoom(), bearer(tokenFor("hasty")), noise(100_000));
		assert.equal(limited.status, 429);
		assert.ok(Number(limited.headers["retry-after"]) >= 1);
		// Others are not concerned, nor is the same room.
		assert.equal((await upload(server, freshRoom(), bearer(tokenFor("calm")), noise(10))).status, 201);
		assert.ok((await metrics(server)).get("files_refused_total") > 0);
	});

	it("over files.transfers: 503 with Retry-After; slow ones are let go at last", async (t) => {
		const room = freshRoom();
		const slow = [];
		for (let i = 0; i < 2; i++) {
			const raw = await RawSocket.connect(server);
			t.after(() => raw.close());
			raw.write(
				`POST /api/v1/rooms/${room}/files HTTP/1.1\r\nHost: x\r\nAuthorization: ${BY_KEY.Authorization}\r\nContent-Length: 10\r\n\r\nhalf`,
			);
			slow.push(raw);
		}
		await metricIs(server, "files_transfers", 2);
		const busy = await upload(server, room, BY_KEY, noise(1));
		assert.equal(busy.status, 503);
		assert.equal(busy.headers["retry-after"], "1");
		assert.equal((await download(server, id)).status, 503);
		slow[0].write("ending");
		assert.equal((await slow[0].response()).status, 201);
		await poll(
			async () => (await upload(server, room, BY_KEY, noise(1))).status === 201,
			() => "a free place",
		);
	});
});

it("a body that does not come on: 408", async (t) => {
	const server = await serverFor(t, { args: ["--http.body-timeout=300ms"] });
	const [ann] = await roomOf(t, server, ["Ann"]);
	const raw = await RawSocket.connect(server);
	t.after(() => raw.close());
	raw.write(
		`POST /api/v1/rooms/${ann.joinData.room}/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.joinData.upload}\r\nContent-Length: 10\r\n\r\nhalf`,
	);
	assert.equal((await raw.response()).status, 408);
	await metricIs(server, "files_transfers", 0);
	await poll(
		() => depotFiles(server.dataDir).length === 0,
		() => "nothing on the disk",
	);
});

describe("over a restart", () => {
	it("files are there, half ones are not, seats upload on, what no message has goes", async (t) => {
		const dataDir = freshDir();
		let server = await startServer({ dataDir, grace: "30s" });
		const [ann] = await roomOf(t, server, ["Ann"]);
		const room = ann.joinData.room;
		const [kept, lost] = [noise(100_000), noise(100_000)];
		const file = await uploaded(server, ann, kept);
		const gone = await uploaded(server, ann, lost);
		await ann.do({ type: "chat", files: [file.id] });
		const { n } = await ann.do({ type: "chat", files: [gone.id] });
		await ann.do({ type: "delete", n });
		// The same bytes as in a message that stays.
		const twin = await uploaded(server, ann, kept);
		await ann.do({ type: "delete", n: (await ann.do({ type: "chat", files: [twin.id] })).n });
		assert.equal((await download(server, twin.id)).status, 404);
		const half = await RawSocket.connect(server);
		t.after(() => half.close());
		half.write(
			`POST /api/v1/rooms/${room}/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.joinData.upload}\r\nContent-Length: 100000\r\n\r\nhalf`,
		);
		await poll(
			() => depotFiles(dataDir).some((name) => name.startsWith("new/")),
			() => "the half of it",
		);
		await server.kill();
		for (const hash of [sha256(kept), sha256(lost)]) {
			utimesSync(depotPath(dataDir, hash), 1, 1);
		}
		server = await serverFor(t, { dataDir, grace: "30s" });
		assert.ok((await download(server, file.id)).bytes.equals(kept));
		await poll(
			() => !existsSync(depotPath(dataDir, sha256(lost))),
			() => "the file of no message to go",
			20_000,
		);
		assert.ok((await download(server, file.id)).bytes.equals(kept));
		assert.ok(depotFiles(dataDir).every((name) => !name.startsWith("new/")));
		// The seat is kept, and so is what it uploads by.
		const again = await upload(server, room, bearer(ann.joinData.upload), noise(5));
		assert.equal(again.status, 201);
	});

	it("retention takes files with their messages", async (t) => {
		const server = await serverFor(t, { args: ["--chat.keep-messages=2"] });
		const [ann] = await roomOf(t, server, ["Ann"]);
		const file = await uploaded(server, ann, noise(10));
		await ann.do({ type: "chat", files: [file.id] });
		assert.equal((await download(server, file.id)).status, 200);
		for (let i = 0; i < 3; i++) await ann.do({ type: "chat", text: "more" });
		await poll(
			async () => (await download(server, file.id)).status === 404,
			() => "the file to go",
		);
	});
});

describe("without a store, or without files", () => {
	for (const args of [["--store.url=none"], ["--files.size=0"]]) {
		it(`${args}: nothing is offered, and uploads are refused`, async (t) => {
			const server = await serverFor(t, { args });
			const [ann] = await roomOf(t, server, ["Ann"]);
			assert.equal(ann.hello.limits.file, undefined);
			assert.equal(ann.joinData.upload, undefined);
			assert.equal((await upload(server, ann.joinData.room, {}, Buffer.from(""))).status, 503);
			assert.equal((await download(server, id)).status, 404);
		});
	}
});

const isRoot = process.getuid?.() === 0;
it("a full disk: 503, nothing is left, calls and smaller files go on", { skip: !isRoot && "needs root" }, async (t) => {
	const dataDir = freshDir();
	execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", dataDir]);
	t.after(() => execFileSync("umount", ["-l", dataDir]));
	const server = await serverFor(t, { dataDir, args: ["--files.reserve=0"] });
	const [ann, bob] = await roomOf(t, server, ["Ann", "Bob"]);
	const { room, upload: key } = ann.joinData;
	assert.equal((await upload(server, room, bearer(key), noise(3 * MIB))).status, 201);
	// The answer comes while the body does: what a client makes of that differs.
	const raw = await RawSocket.connect(server);
	t.after(() => raw.close());
	raw.write(
		`POST /api/v1/rooms/${room}/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${6 * MIB}\r\n\r\n`,
	);
	raw.write(noise(6 * MIB));
	const full = await raw.response();
	assert.equal(full.status, 503);
	assert.ok(Number(full.headers["retry-after"]) > 0);
	assert.deepEqual(depotFiles(dataDir).filter((name) => name.startsWith("new/")), []);
	assert.ok((await metrics(server)).get("files_failed_total") > 0);
	ann.send({ type: "signal", data: "still here" });
	await bob.next("signal");
	assert.equal((await upload(server, room, bearer(key), noise(1000))).status, 201);
});

it("less free than files.reserve: 503 before the body is read, and chat goes on", { skip: !isRoot && "needs root" }, async (t) => {
	const dataDir = freshDir();
	execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", dataDir]);
	t.after(() => execFileSync("umount", ["-l", dataDir]));
	const server = await serverFor(t, { dataDir, args: ["--files.reserve=10M"] });
	const [ann] = await roomOf(t, server, ["Ann"]);
	const { room, upload: key } = ann.joinData;
	assert.equal((await upload(server, room, bearer(key), noise(2 * MIB))).status, 201);
	const refused = await upload(server, room, bearer(key), noise(5 * MIB), {
		headers: { Expect: "100-continue" },
		write: (request) => request.on("continue", () => request.end()).flushHeaders(),
	});
	assert.deepEqual([refused.status, refused.json.error.detail, refused.continued], [503, "space", false]);
	await ann.do({ type: "chat", text: "x".repeat(8000) });
});

it("a slow client gets its file in the end, and holds nobody up", async (t) => {
	const server = await serverFor(t, {});
	const [ann] = await roomOf(t, server, ["Ann"]);
	const bytes = noise(4 * MIB);
	const file = await uploaded(server, ann, bytes);
	const raw = await RawSocket.connect(server);
	t.after(() => raw.close());
	raw.socket.pause();
	raw.write(`GET /files/${file.id} HTTP/1.1\r\nHost: x\r\n\r\n`);
	await metricIs(server, "files_transfers", 1);
	assert.ok((await download(server, file.id)).bytes.equals(bytes));
	// Little of it waits in the server.
	assert.ok((await metrics(server)).get("write_queue_bytes") <= 256 * 1024);
	raw.socket.resume();
	assert.ok((await raw.response()).body.equals(bytes));
	await metricIs(server, "files_transfers", 0);
});
