// Plain HTTP requests with every header in the test's hands, and no connection shared.
import http from "node:http";
import https from "node:https";
import { within } from "./wait.mjs";

/** {status, headers, body (bytes), text}; `to` is a server or {port}. */
export function request(to, path, { tls = false, body, ...options } = {}) {
	const answer = new Promise((resolve, reject) => {
		const client = tls ? https : http;
		const settings = { host: "127.0.0.1", port: to.port, path, agent: false, ...options };
		if (tls) {
			settings.rejectUnauthorized = false;
		}
		const req = client.request(settings, (res) => {
			const parts = [];
			res.on("data", (part) => parts.push(part));
			res.on("error", reject);
			res.on("end", () => {
				const bytes = Buffer.concat(parts);
				resolve({
					status: res.statusCode,
					headers: res.headers,
					body: bytes,
					get text() {
						return bytes.toString("utf8");
					},
				});
			});
		});
		req.on("error", reject);
		req.end(body);
	});
	return within(answer, `the answer to ${options.method ?? "GET"} ${path}`);
}

export function get(to, path, headers = {}, options = {}) {
	return request(to, path, { headers, ...options });
}
