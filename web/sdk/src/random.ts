const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * A random name of `length` characters, 5 bits each. `crypto.randomUUID` would do, but pages
 * of insecure origins do not have it, and they may join as viewers.
 */
export function randomId(length = 16): string {
	const bytes = crypto.getRandomValues(new Uint8Array(length));
	return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join("");
}
