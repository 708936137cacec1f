// Calls of the server API.
import { request } from "./http.mjs";
import { KEY, SECRET } from "./token.mjs";

export const BY_KEY = { Authorization: `Bearer ${KEY}:${SECRET}` };

/** {status, headers, json}; `body` is sent as JSON, or as it is when it is text. */
export async function call(server, method, path, body, headers = BY_KEY) {
	const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
	const type = text === undefined ? {} : { "Content-Type": "application/json" };
	const answer = await request(server, path, {
		method,
		headers: { ...type, "Content-Length": Buffer.byteLength(text ?? ""), ...headers },
		body: text,
	});
	return {
		status: answer.status,
		headers: answer.headers,
		json: answer.text === "" ? undefined : JSON.parse(answer.text),
	};
}
