// Uploads and downloads of files.
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { within } from "./wait.mjs";

export const bearer = (key) => ({ Authorization: `Bearer ${key}` });

/** {status, headers, bytes, json, continued} of a request whose body is `body`, or is written by `write(request)`. */
export function exchange(server, method, path, { headers = {}, body, write, tls } = {}) {
	const answer = new Promise((resolve, reject) => {
		const request = (tls ? https : http).request({
			rejectUnauthorized: false,
			host: "127.0.0.1",
			port: server.port,
			method,
			path,
			headers,
			agent: false,
		});
		let continued = false;
		request.on("continue", () => {
			continued = true;
		});
		request.on("error", reject);
		request.on("response", (response) => {
			const parts = [];
			response.on("data", (part) => parts.push(part));
			response.on("error", reject);
			response.on("end", () => {
				const bytes = Buffer.concat(parts);
				const isJson = response.headers["content-type"]?.startsWith("application/json");
				resolve({
					...{ status: response.statusCode, headers: response.headers, bytes, continued },
					json: isJson ? JSON.parse(bytes.toString()) : undefined,
				});
			});
		});
		if (write) write(request);
		else request.end(body);
	});
	return within(answer, `${method} ${path}`, 30_000);
}

const pathOf = (room, name) =>
	`/api/v1/rooms/${encodeURIComponent(room)}/files?name=${encodeURIComponent(name)}`;

/** Uploads; the whole answer. `by`: headers that say who. */
export function upload(server, room, by, body, { name = "a.bin", type, headers, ...rest } = {}) {
	return exchange(server, "POST", pathOf(room, name), {
		headers: {
			"Content-Length": body.length,
			...(type && { "Content-Type": type }),
			...by,
			...headers,
		},
		body,
		...rest,
	});
}

/** The same for a member, by the key of its seat; the file. */
export async function uploaded(server, member, body, options) {
	const { room, upload: key } = member.joinData;
	const answer = await upload(server, room, bearer(key), body, options);
	if (answer.status !== 201) throw new Error(`${answer.status} ${answer.bytes}`);
	return answer.json.file;
}

export const download = (server, id, headers = {}, method = "GET", options = {}) =>
	exchange(server, method, `/files/${id}`, { headers, ...options });

/** Bytes that no compression and no luck reproduces. */
export const noise = (size) => randomBytes(size);
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Names of all files below the depot: half uploads are below `new`. */
export function depotFiles(dataDir) {
	const root = join(dataDir, "files");
	if (!existsSync(root)) return [];
	return readdirSync(root)
		.filter((folder) => statSync(join(root, folder)).isDirectory())
		.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
}

/** Where the bytes of that hash lie. */
export const depotPath = (dataDir, hash) => join(dataDir, "files", hash.slice(0, 2), hash);
