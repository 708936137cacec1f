const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * A random name of `length` characters, 5 bits each; no secret. `crypto.randomUUID` would do, but
 * pages of insecure origins do not have it, and they may join as viewers. Node 18 has no global
 * `crypto` at all.
 *
 * ```ts
 * const user = `u_${randomId()}`;
 * ```
 */
export function randomId(length = 16): string {
	const bytes = new Uint8Array(length);
	if (globalThis.crypto) crypto.getRandomValues(bytes);
	else for (let i = 0; i < length; i++) bytes[i] = Math.random() * 256;
	return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join("");
}
