// What a server without a certificate of its own says of its STUN and TURN.

/** The URLs that a client at 127.0.0.1 is told of. */
export function ownIceUrls(server) {
	const place = `127.0.0.1:${server.port}`;
	return [`stun:${place}`, `turn:${place}?transport=udp`, `turn:${place}?transport=tcp`];
}

/** The credential for a client without a session. */
export async function iceCredential(server) {
	const answer = await fetch(`${server.http}/api/turn-credentials`);
	const { iceServers } = await answer.json();
	return iceServers.find(({ credential }) => credential);
}
