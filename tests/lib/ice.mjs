// What a server says of its STUN and TURN.

/** The URLs that who asks at `place` is told of; tls: by a server with a certificate of its own. */
export function iceUrls(place, { tls = false } = {}) {
	const plain = [`stun:${place}`, `turn:${place}?transport=udp`, `turn:${place}?transport=tcp`];
	return tls ? [...plain, `turns:${place}?transport=tcp`] : plain;
}

/** Those for a client at 127.0.0.1, of a server without. */
export function ownIceUrls(server) {
	return iceUrls(`127.0.0.1:${server.port}`);
}

/** The credential for a client without a session. */
export async function iceCredential(server) {
	const answer = await fetch(`${server.http}/api/turn-credentials`);
	const { iceServers } = await answer.json();
	return iceServers.find(({ credential }) => credential);
}
