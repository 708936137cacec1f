import { Emitter } from "./emitter.js";
import type { MediaSignal } from "./media-signal.js";
import { Negotiation } from "./negotiation.js";
import { randomId } from "./random.js";
import { findSlots, kindOf, SLOTS, type Slot, type SlotTracks, videoBudget } from "./slots.js";

export interface LinkOptions {
	/** We send the first offer, and are the impolite side. */
	offers: boolean;
	iceServers: RTCIceServer[];
	relayOnly: boolean;
	/** What we send at the start. */
	tracks: SlotTracks;
	/** How many people we send to, for the share of the bandwidth. */
	people: number;
}

export interface LinkEvents {
	/** To be sent to the other side. */
	signal: MediaSignal;
	state: RTCPeerConnectionState;
	/** What the other side may send on; present from the first description on. */
	tracks: SlotTracks;
	/** A description or candidate could not be applied. */
	trouble: Error;
}

/** One RTCPeerConnection and its negotiation. When it is beyond repair, another Link follows. */
export class Link extends Emitter<LinkEvents> {
	readonly id = randomId(8);
	/** The other side's Link, once heard of. */
	remoteId: string | undefined;
	readonly pc: RTCPeerConnection;
	readonly #negotiation: Negotiation;
	readonly #tracks: SlotTracks;
	// One for all three: pages of other families show the stream of whatever track came last, and
	// of that its voice and its first picture. Our own go by the places.
	readonly #stream = new MediaStream();
	#people: number;
	#work: Promise<void> = Promise.resolve();

	constructor(options: LinkOptions) {
		super();
		this.#tracks = { ...options.tracks };
		this.#people = options.people;
		this.#negotiation = new Negotiation(!options.offers);
		this.pc = new RTCPeerConnection({
			iceServers: options.iceServers,
			iceTransportPolicy: options.relayOnly ? "relay" : "all",
			bundlePolicy: "max-bundle",
		});
		this.pc.onconnectionstatechange = () => this.emit("state", this.pc.connectionState);
		this.pc.onicecandidate = ({ candidate }) =>
			this.emit("signal", { candidate: candidate ? candidate.toJSON() : null });
		this.pc.onnegotiationneeded = () => void this.#offer();
		// The polite side waits for the first offer, so that there is no glare at the start.
		if (options.offers) for (const slot of SLOTS) this.#addSlot(slot);
	}

	get fresh(): boolean {
		return this.#negotiation.fresh;
	}

	set polite(polite: boolean) {
		this.#negotiation.polite = polite;
	}

	adopt(remoteId: string): void {
		if (this.remoteId !== undefined) this.#negotiation.handleAdopted();
		this.remoteId = remoteId;
	}

	/** Descriptions and candidates are applied strictly in the order they came. */
	handleSignal(signal: MediaSignal): void {
		this.#work = this.#work
			.then(() => this.#apply(signal))
			.catch((error: unknown) => {
				if (this.pc.signalingState !== "closed") this.emit("trouble", error as Error);
			});
	}

	restartIce(): void {
		this.pc.restartIce();
	}

	/** Sends an offer again that may have been lost with the line. */
	resendOffer(): void {
		const { signalingState, localDescription } = this.pc;
		if (signalingState === "have-local-offer" && localDescription) {
			this.emit("signal", { description: localDescription.toJSON() });
		}
	}

	async setTrack(slot: Slot, track: MediaStreamTrack | null): Promise<void> {
		this.#tracks[slot] = track;
		const transceiver = findSlots(this.pc.getTransceivers())[slot];
		if (transceiver) {
			await transceiver.sender.replaceTrack(track);
			await this.#limit(slot);
		} else if (track && this.pc.remoteDescription) this.#addSlot(slot);
	}

	async setPeople(people: number): Promise<void> {
		if (people === this.#people) return;
		this.#people = people;
		for (const slot of SLOTS) await this.#limit(slot);
	}

	close(): void {
		this.clear();
		this.pc.onconnectionstatechange = null;
		this.pc.onicecandidate = null;
		this.pc.onnegotiationneeded = null;
		this.pc.close();
	}

	#addSlot(slot: Slot): void {
		const transceiver = this.pc.addTransceiver(this.#tracks[slot] ?? kindOf(slot), {
			direction: "sendrecv",
			streams: [this.#stream],
		});
		// Before the first description there may be no encodings to set; #opened comes back.
		if (transceiver.sender.track) void this.#limit(slot);
	}

	async #offer(): Promise<void> {
		try {
			this.#negotiation.handleOfferStarted();
			await this.pc.setLocalDescription();
			const description = this.pc.localDescription;
			if (description) this.emit("signal", { description: description.toJSON() });
		} catch (error) {
			if (this.pc.signalingState !== "closed") this.emit("trouble", error as Error);
		} finally {
			this.#negotiation.handleOfferMade();
		}
	}

	async #apply(signal: MediaSignal): Promise<void> {
		if (this.pc.signalingState === "closed") return;
		if (signal.description) await this.#applyDescription(signal.description);
		if (signal.candidate !== undefined) {
			const verdict = this.#negotiation.handleCandidate(signal.candidate);
			if (verdict === "add") await this.#addCandidate(signal.candidate);
		}
	}

	async #applyDescription(description: RTCSessionDescriptionInit): Promise<void> {
		const { signalingState } = this.pc;
		if (this.#negotiation.handleDescription(description.type, signalingState) === "ignore") return;
		try {
			await this.pc.setRemoteDescription(description);
		} catch (error) {
			this.#negotiation.handleApplyFailed();
			throw error;
		}
		const early = this.#negotiation.handleApplied();
		if (description.type === "offer") await this.#answer();
		for (const candidate of early) await this.#addCandidate(candidate);
		await this.#opened();
	}

	async #answer(): Promise<void> {
		const slots = findSlots(this.pc.getTransceivers());
		for (const slot of SLOTS) {
			const transceiver = slots[slot];
			if (!transceiver) continue;
			transceiver.direction = "sendrecv";
			transceiver.sender.setStreams?.(this.#stream);
			await transceiver.sender.replaceTrack(this.#tracks[slot]);
		}
		await this.pc.setLocalDescription();
		const answer = this.pc.localDescription;
		if (answer) this.emit("signal", { description: answer.toJSON() });
	}

	async #addCandidate(candidate: RTCIceCandidateInit | null): Promise<void> {
		// null as the end is written `undefined` in today's API; Firefox and Chromium take both.
		await this.pc.addIceCandidate(candidate ?? undefined);
	}

	async #opened(): Promise<void> {
		const slots = findSlots(this.pc.getTransceivers());
		this.emit("tracks", {
			audio: slots.audio?.receiver.track ?? null,
			camera: slots.camera?.receiver.track ?? null,
			screen: slots.screen?.receiver.track ?? null,
		});
		for (const slot of SLOTS) await this.#limit(slot);
	}

	async #limit(slot: Slot): Promise<void> {
		if (slot === "audio") return;
		const sender = findSlots(this.pc.getTransceivers())[slot]?.sender;
		const parameters = sender?.getParameters();
		const encoding = parameters?.encodings?.[0];
		if (!sender?.track || !parameters || !encoding) return;
		Object.assign(encoding, videoBudget(slot, this.#people));
		// A browser that does not take it just sends as it thinks best.
		await sender.setParameters(parameters).catch(() => undefined);
	}
}
