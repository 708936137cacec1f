// Makes tokens as an application's backend would, independently of the server's own code.
import { createHmac, sign as signWith } from "node:crypto";

export const KEY = "devkey";
export const SECRET = "a-secret-of-some-length-0123";
/** What a server that asks for tokens is started with. */
export const KEY_ARGS = [`--auth.key=${KEY}:${SECRET}`];

const part = (value) =>
	Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Signs by the header's algorithm: a secret for HS256, a private key for the others. */
export function jwt(claims, { key = SECRET, header = {} } = {}) {
	const whole = { alg: "HS256", typ: "JWT", ...header };
	const input = `${part(whole)}.${part(claims)}`;
	const signature = whole.alg.startsWith("HS")
		? createHmac("sha256", key).update(input).digest()
		: signWith("sha256", input, { key, dsaEncoding: "ieee-p1363" });
	return `${input}.${signature.toString("base64url")}`;
}

export const now = () => Math.floor(Date.now() / 1000);

/** The claims of livekit-server-sdk for somebody who joins a room. */
export function claimsFor(identity, room, { video = {}, ...claims } = {}) {
	return {
		iss: KEY,
		sub: identity,
		nbf: now() - 10,
		exp: now() + 600,
		video: { roomJoin: true, ...(room ? { room } : {}), ...video },
		...claims,
	};
}

export function tokenFor(identity, room, claims) {
	return jwt(claimsFor(identity, room, claims));
}
