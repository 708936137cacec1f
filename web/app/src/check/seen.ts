import { within } from "./finding.js";

export type Seen = RTCIceCandidate | "own" | null;

/**
 * How a STUN server sees the sockets of a connection: the first candidate with another address than our own; "own": the
 * server has answered, and sees just that; null: no answer came in time. Ask before the connection gathers.
 */
export async function seenBy(pc: RTCPeerConnection, ms: number): Promise<Seen> {
	const tellsErrors = "onicecandidateerror" in pc; // else the end of gathering says little
	let failed = false;
	let direct = false;
	pc.addEventListener("icecandidateerror", ({ errorText }) => {
		// Who has both families asks by both, and one of them does not lead there.
		failed ||= !/incompatible/.test(errorText);
	});
	const found = new Promise<Seen | "late">((resolve) => {
		pc.addEventListener("icecandidate", ({ candidate }) => {
			if (candidate?.type === "srflx") {
				resolve(candidate);
			} else if (candidate?.candidate) {
				direct ||= candidate.type === "host" && candidate.protocol === "udp";
			} else {
				// One equal to the host's is left out (RFC 8445, 5.1.3).
				const answered = tellsErrors && direct && !failed;
				resolve(answered || hasPublicHost(pc) ? "own" : null);
			}
		});
	});
	const seen = await within(found, ms, "late");
	if (seen !== "late") return seen;
	return hasPublicHost(pc) ? "own" : null;
}

function hasPublicHost(pc: RTCPeerConnection): boolean {
	const sdp = pc.localDescription?.sdp ?? "";
	const found = /^a=candidate:\S+ \d udp \d+ ([\d.]+) \d+ typ host/im.exec(sdp)?.[1];
	return found !== undefined && !isPrivate(found);
}

/** An IPv4 address that only its own network knows. */
export function isPrivate(address: string): boolean {
	return /^(10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
		address,
	);
}
