import { type Check, type Finding, fail, leftOut, pass, within } from "./finding.js";
import { isPrivate, seenBy } from "./seen.js";

/**
 * What becomes of a datagram on its way from here. One connection of this page asks the server what it sees of it, and then
 * speaks to the port of a relay, which another one has: that one tells whom it hears. In a network that gives each destination
 * a port of its own (RFC 4787, 4.1: not endpoint-independent) it is another than the server sees, and what others send to that
 * one is lost.
 */
const GATHER = 6000;
const HEAR = 10_000;
const LOOK = 100;

/** What the relay hears: the port is the one that the server sees, or another (which not all browsers tell). */
export type Heard = { same: true } | { same: false; port: number | null };

export interface Nat {
	/** As the server sees us; "own": without a NAT. */
	seen: { address: string; port: number } | "own";
	/** null: nothing arrives. Not asked for without a NAT. */
	heard: Heard | null;
	/** The relay's address. */
	relay?: string | null;
}

export interface RelayServer {
	urls: string;
	username?: string;
	credential?: string;
}

/** relay: one by UDP; works(): whether that one has passed its own check. */
export function natCheck(relay: RelayServer | undefined, works: () => boolean): Check {
	return {
		id: "nat",
		title: "Router (NAT)",
		async run(signal) {
			if (!relay || !works()) return leftOut("There is no relay by UDP, which could tell.");
			const probe = new NatProbe(relay);
			signal.addEventListener("abort", () => probe.close());
			const nat = await probe.run().catch(() => null); // closed meanwhile
			probe.close();
			return nat ? natFinding(nat) : leftOut("No answer came by UDP, which could tell.");
		},
	};
}

export function natFinding({ seen, heard, relay }: Nat): Finding {
	if (seen === "own") return pass("none: others see your own address");
	const { address } = seen;
	const place = `${address}:${seen.port}`;
	if (heard?.same) return pass(`one port for all: everybody sees you as ${place}`);
	if (heard) {
		const other = heard.port ? `at port ${heard.port}` : "at another port";
		return fail(
			`It gives each destination a port of its own (a symmetric NAT): the server sees you as ${place}, a relay ` +
				`${other}. Who is behind another such router is not reached directly.`,
			"Nothing, while a relay works: calls go over it. Directly: a router that keeps ports, or IPv6.",
		);
	}
	if (isPrivate(address)) {
		return leftOut(
			`The relays take nothing from ${address}, a private address, so they cannot tell. Check from outside the ` +
				"server's network; turn.allow-peer would open it to them.",
		);
	}
	if (relay && isPrivate(relay)) {
		return fail(
			`The server's relays are at ${relay}, a private address, which is not reached from here.`,
			`Set turn.relay-address to PUBLIC/${relay}, with the address that others reach in front.`,
		);
	}
	return fail(
		"Nothing arrives that you send to the port of a relay.",
		"Open turn.port-range, by UDP, in the server's firewall (parley ports has the table), and see that " +
			"turn.relay-address is the address that others reach.",
	);
}

class NatProbe {
	readonly #relay: RTCPeerConnection;
	readonly #self: RTCPeerConnection;

	constructor(server: RelayServer) {
		// A TURN server answers STUN at the same port.
		const stun = server.urls.replace(/^turn:/, "stun:").replace(/\?.*$/, "");
		this.#relay = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: "relay" });
		this.#self = new RTCPeerConnection({ iceServers: [{ urls: stun }] });
	}

	/** null: there is nothing to compare. */
	async run(): Promise<Nat | null> {
		const seen = seenBy(this.#self, GATHER);
		const lent = firstRelayed(this.#relay);
		await this.#introduce();
		const mine = await seen;
		if (mine === "own") return { seen: "own", heard: null };
		const theirs = await within(lent, GATHER, null);
		if (!mine?.address || !mine.port || !theirs) return null;
		// Each knows of the other just that.
		await this.#relay.addIceCandidate(mine);
		await this.#self.addIceCandidate(theirs);
		const seenAs = { address: mine.address, port: mine.port };
		return { seen: seenAs, heard: await this.#heard(), relay: theirs.address };
	}

	close(): void {
		this.#relay.close();
		this.#self.close();
	}

	/** By descriptions without candidates. */
	async #introduce(): Promise<void> {
		this.#self.createDataChannel("check");
		const offer = await this.#self.createOffer();
		await this.#self.setLocalDescription(offer);
		await this.#relay.setRemoteDescription(offer);
		const answer = await this.#relay.createAnswer();
		await this.#relay.setLocalDescription(answer);
		await this.#self.setRemoteDescription(answer);
	}

	async #heard(): Promise<Heard | null> {
		const end = performance.now() + HEAR;
		while (performance.now() < end) {
			const heard = whomItHears([...(await this.#relay.getStats()).values()]);
			if (heard) return heard;
			await new Promise((resolve) => setTimeout(resolve, LOOK));
		}
		return null;
	}
}

function firstRelayed(pc: RTCPeerConnection): Promise<RTCIceCandidate | null> {
	return new Promise((resolve) => {
		pc.addEventListener("icecandidate", ({ candidate }) => {
			if (!candidate?.candidate) resolve(null);
			else if (candidate.type === "relay") resolve(candidate);
		});
	});
}

interface Stat {
	id: string;
	type: string;
	state?: string;
	requestsReceived?: number;
	remoteCandidateId?: string;
	candidateType?: string;
	port?: number;
}

/** Whose checks came in; from elsewhere than was told of it is a peer reflexive candidate (RFC 8445, 7.3.1.3). */
export function whomItHears(stats: readonly Stat[]): Heard | null {
	const pairs = stats.filter(
		(stat) =>
			stat.type === "candidate-pair" &&
			((stat.requestsReceived ?? 0) > 0 || stat.state === "succeeded"),
	);
	const remotes = pairs.map((pair) => stats.find(({ id }) => id === pair.remoteCandidateId));
	const other = remotes.find((remote) => remote?.candidateType === "prflx");
	if (other) return { same: false, port: other.port ?? null };
	return remotes.some(Boolean) ? { same: true } : null;
}
