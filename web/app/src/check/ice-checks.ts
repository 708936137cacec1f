import { type Check, type Finding, fail, leftOut, pass, since, within } from "./finding.js";
import { natCheck } from "./nat-check.js";
import { askRefusals, refusalFinding } from "./refusals.js";
import { seenBy } from "./seen.js";

/**
 * The STUN and TURN servers that the server hands out. A relay is tried by itself: two connections of this
 * page that may use nothing but that one URL send each other a message through it.
 */
const PATIENCE = 12_000;
const GATHER = 6000;

interface IceServer {
	urls: string | string[];
	username?: string;
	credential?: string;
}

/** A check per transport; one that is left out when the server hands out nothing. */
export async function iceChecks(signal: AbortSignal): Promise<Check[]> {
	const servers = await askServers(signal);
	if (!servers) return [noServers("The server did not say which STUN and TURN servers it has.")];
	const each = servers.flatMap((server) =>
		[server.urls].flat().map((url) => ({ ...server, urls: url })),
	);
	if (each.length === 0) return [noServers("The server hands out no STUN or TURN server.")];
	const ways = each.map((server) =>
		server.urls.startsWith("stun") ? stunCheck(server.urls) : relayCheck(server),
	);
	const work = new Set<string>();
	const byUdp = each.find(({ urls }) => urls.startsWith("turn:") && transportOf(urls) === "UDP");
	return [
		certificateCheck(each.map(({ urls }) => urls)),
		...ways.map((way) => noting(work, way)),
		natCheck(byUdp, () => work.has(byUdp?.urls ?? "")),
	];
}

/** The check, which enters itself in `work` when it passes. */
function noting(work: Set<string>, check: Check): Check {
	return {
		...check,
		async run(signal) {
			const finding = await check.run(signal);
			if (finding.verdict === "pass") work.add(check.id);
			return finding;
		},
	};
}

/** A page is not told of its certificate; but relays by TLS are offered with one alone that is made to be trusted. */
function certificateCheck(urls: string[]): Check {
	return {
		id: "certificate",
		title: "Certificate",
		async run() {
			if (location.protocol !== "https:") return leftOut("This page came without https.");
			if (urls.some((url) => url.startsWith("turns:"))) return pass("good for relays by TLS");
			return fail(
				"The server's certificate is signed by itself. Browsers warn of that, and take no relay by TLS, which is " +
					"what gets through where nothing but HTTPS does.",
				"Set tls.cert and tls.key to a certificate that browsers trust.",
			);
		},
	};
}

function noServers(cause: string): Check {
	return {
		id: "ice",
		title: "STUN and TURN",
		run: async () => leftOut(`${cause} People behind different networks may not see each other.`),
	};
}

async function askServers(signal: AbortSignal): Promise<IceServer[] | null> {
	try {
		const answer = await fetch("/api/turn-credentials", { cache: "no-store", signal });
		if (!answer.ok) return null;
		return ((await answer.json()) as { iceServers: IceServer[] }).iceServers;
	} catch {
		return null;
	}
}

// --- STUN ---

function stunCheck(url: string): Check {
	return {
		id: url,
		title: `Address by UDP (${hostOf(url)})`,
		async run(signal) {
			const begin = performance.now();
			const pc = new RTCPeerConnection({ iceServers: [{ urls: url }] });
			signal.addEventListener("abort", () => pc.close());
			const found = seenBy(pc, GATHER);
			pc.createDataChannel("check");
			await pc.setLocalDescription();
			const seen = await found;
			pc.close();
			if (seen === "own") return pass("your own address is the one that others see");
			if (seen) return pass(`you are seen as ${seen.address}, ${since(begin)}`);
			return fail(
				"No answer came by UDP.",
				`Open UDP port ${portOf(url)} in the firewall of the server (parley ports has the table). ` +
					"If your own network blocks UDP, calls go through the relay by TCP.",
			);
		},
	};
}

// --- relays ---

function relayCheck(server: IceServer & { urls: string }): Check {
	return {
		id: server.urls,
		title: `Relay by ${transportOf(server.urls)} (${hostOf(server.urls)})`,
		async run(signal) {
			const errors = new Set<string>();
			const pair = new RelayPair(server, (error) => errors.add(error));
			signal.addEventListener("abort", () => pair.close());
			const found = await within(Promise.race([pair.run(), pair.hopeless]), PATIENCE, null);
			pair.close();
			if (found) return found;
			const told = pair.relayed ? [] : await askRefusals(server.username ?? "", signal);
			return refusalFinding(told) ?? relayFailed(server.urls, pair.relayed, [...errors]);
		},
	};
}

class RelayPair {
	relayed = false;
	/** Resolves when it has ended without a relay. */
	readonly hopeless: Promise<null>;
	readonly #a: RTCPeerConnection;
	readonly #b: RTCPeerConnection;

	constructor(server: IceServer, onError: (error: string) => void) {
		const config: RTCConfiguration = { iceServers: [server], iceTransportPolicy: "relay" };
		this.#a = new RTCPeerConnection(config);
		this.#b = new RTCPeerConnection(config);
		this.#introduce(this.#a, this.#b, onError);
		this.#introduce(this.#b, this.#a, onError);
		this.hopeless = new Promise((resolve) => {
			this.#a.addEventListener("icegatheringstatechange", () => {
				if (this.#a.iceGatheringState === "complete" && !this.relayed) resolve(null);
			});
		});
	}

	#introduce(from: RTCPeerConnection, to: RTCPeerConnection, onError: (e: string) => void): void {
		from.addEventListener("icecandidate", ({ candidate }) => {
			if (!candidate?.candidate) return;
			this.relayed ||= candidate.type === "relay";
			to.addIceCandidate(candidate).catch(() => {}); // closed meanwhile
		});
		from.addEventListener("icecandidateerror", (event) => {
			const { errorCode, errorText } = event;
			onError(errorText ? `${errorCode} ${errorText}` : String(errorCode));
		});
	}

	/** Sends a message there and back. */
	async run(): Promise<Finding> {
		const begin = performance.now();
		const channel = this.#a.createDataChannel("check");
		this.#b.addEventListener("datachannel", ({ channel: theirs }) => {
			theirs.onmessage = ({ data }) => theirs.send(data);
		});
		const opened = new Promise<void>((resolve) => {
			channel.onopen = () => resolve();
		});
		await this.#a.setLocalDescription();
		await this.#b.setRemoteDescription(this.#a.localDescription as RTCSessionDescription);
		await this.#b.setLocalDescription();
		await this.#a.setRemoteDescription(this.#b.localDescription as RTCSessionDescription);
		await opened;
		const connected = since(begin);
		const sent = performance.now();
		await new Promise<void>((resolve) => {
			channel.onmessage = () => resolve();
			channel.send("ping");
		});
		return pass(`connected in ${connected}, there and back in ${since(sent)}`);
	}

	close(): void {
		this.#a.close();
		this.#b.close();
	}
}

function relayFailed(url: string, relayed: boolean, errors: string[]): Finding {
	if (relayed) {
		return fail(
			"The relay gave an address, but nothing comes through it.",
			"Open the relay's UDP ports in the firewall (parley ports has the table), and see that " +
				"turn.relay-address is the address that others reach.",
		);
	}
	const refusal = errors.find((error) => !error.startsWith("701"))?.replace(/\.$/, "");
	if (refusal) return refused(refusal);
	return fail(
		`Nothing answers at ${hostOf(url)}, port ${portOf(url)}, by ${transportOf(url)}.`,
		url.startsWith("turns:")
			? "Open that TCP port in the firewall, and give the server a certificate that browsers trust: " +
					"for turns: there is no way past the warning."
			: "Open that port in the firewall (parley ports has the table).",
	);
}

/** The codes of RFC 8656, 19. */
function refused(error: string): Finding {
	const cures: Record<string, string> = {
		"401": "See that turn.static-auth-secret is the same everywhere and that the clocks agree.",
		"403": "The relay denies that peer: turn.allow-peer opens denied ranges.",
		"437": "Check again in a minute.",
		"438": "Check again.",
		"442": "The relay has no such transport.",
		"486": "There are too many relays for this user: wait, or raise the quota.",
		"508": "The relay has no ports left: widen turn.port-range.",
	};
	return fail(
		`The relay refused: ${error}.`,
		cures[error.slice(0, 3)] ?? "The server's log says why.",
	);
}

// --- parts of "turns:host:port?transport=tcp" (RFC 7064, RFC 7065) ---

function transportOf(url: string): string {
	if (url.startsWith("turns:") || url.startsWith("stuns:")) return "TLS";
	return url.includes("transport=tcp") ? "TCP" : "UDP";
}

function hostOf(url: string): string {
	return url.replace(/^\w+:/, "").replace(/\?.*$/, "").replace(/:\d+$/, "");
}

function portOf(url: string): string {
	const port = /:(\d+)(\?|$)/.exec(url)?.[1];
	return port ?? (url.startsWith("turns:") ? "5349" : "3478");
}
