/**
 * Perfect negotiation (W3C WebRTC 1.0, 10.7) as decisions: what to do with a description or a
 * candidate that arrives. It touches no RTCPeerConnection; the link does what it says.
 */
export class Negotiation {
	#makingOffer = false;
	#ignoringOffer = false;
	#settingAnswer = false;
	#hasRemote = false;
	#queued: (RTCIceCandidateInit | null)[] = [];

	/** More candidates than any honest browser has; a peer must not fill our memory. */
	static readonly MAX_QUEUED = 200;

	constructor(public polite: boolean) {}

	handleOfferStarted(): void {
		this.#makingOffer = true;
	}

	handleOfferMade(): void {
		this.#makingOffer = false;
	}

	/** Whether to apply a remote description; the polite side's own offer rolls back by itself. */
	handleDescription(type: RTCSdpType, signalingState: RTCSignalingState): "apply" | "ignore" {
		if (type === "answer" && signalingState !== "have-local-offer") return "ignore";
		const ready = !this.#makingOffer && (signalingState === "stable" || this.#settingAnswer);
		const collision = type === "offer" && !ready;
		this.#ignoringOffer = !this.polite && collision;
		if (this.#ignoringOffer) return "ignore";
		this.#settingAnswer = type === "answer";
		return "apply";
	}

	/** The remote description is set: returns the candidates that came too early. */
	handleApplied(): (RTCIceCandidateInit | null)[] {
		this.#settingAnswer = false;
		this.#hasRemote = true;
		return this.#queued.splice(0);
	}

	/** The other side is another connection than the one whose candidates we keep. */
	handleAdopted(): void {
		this.#queued = [];
	}

	/** Nothing of the other side was applied yet. */
	get fresh(): boolean {
		return !this.#hasRemote;
	}

	handleApplyFailed(): void {
		this.#settingAnswer = false;
	}

	/** Whether to add a candidate now; `queue` has kept it for `handleApplied`. */
	handleCandidate(candidate: RTCIceCandidateInit | null): "add" | "queue" | "ignore" {
		// Those of an offer that we ignored belong to a description that we do not have.
		if (this.#ignoringOffer) return "ignore";
		if (this.#hasRemote) return "add";
		if (this.#queued.length >= Negotiation.MAX_QUEUED) return "ignore";
		this.#queued.push(candidate);
		return "queue";
	}
}
