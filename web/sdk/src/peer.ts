import { Emitter } from "./emitter.js";
import { IceWatch } from "./ice-watch.js";
import { Link } from "./link.js";
import { admitSignal, type MediaSignal, parseMediaSignal } from "./media-signal.js";
import { type Path, routeOf } from "./path.js";
import { type Quality, QualityMeter, sampleOf } from "./quality.js";
import { emptySlots, SLOTS, type Slot, type SlotTracks } from "./slots.js";

export interface PeerOptions {
	key: string;
	/** We send the first offer, and are the impolite side. */
	offers: boolean;
	iceServers: () => RTCIceServer[];
	/** Media goes over a TURN server alone, which hides our address from the other side. */
	relayOnly?: boolean;
	tracks: SlotTracks;
	people: number;
	/** False if the line is down; what is lost then, `rebind` sends again. */
	send: (signal: MediaSignal) => boolean;
}

/** What a Peer tells; see `on`. */
export interface PeerEvents {
	/** The connection's state is another. */
	state: RTCPeerConnectionState;
	/** What can be seen and heard of the other side. */
	tracks: SlotTracks;
	/** The path is better or worse. */
	quality: Quality;
	/** Every two seconds while there is one. */
	path: Path;
	/** Nothing comes any more, though nothing says yet that the path is lost. */
	stalled: undefined;
	/** Something of the other side could not be understood; the connection goes on. */
	trouble: Error;
}

const STATS_MS = 2_000;

/**
 * The media path to one person: a Link, the watch that mends it, and its quality. It outlives
 * the member id it was made for; see `rebind`.
 */
export class Peer extends Emitter<PeerEvents> {
	/** Of the Person at the other end. */
	readonly key: string;
	readonly #options: PeerOptions;
	readonly #tracks: SlotTracks;
	readonly #meter = new QualityMeter();
	readonly #statsTimer: ReturnType<typeof setInterval>;
	#offers: boolean;
	#people: number;
	#relayOnly: boolean;
	#path: Path | undefined;
	#link: Link;
	#watch = new IceWatch();
	#watchTimer: ReturnType<typeof setTimeout> | undefined;
	#remote = emptySlots();
	/** A restart was asked for on a line that may be as dead as the path. */
	#doubted = false;

	constructor(options: PeerOptions) {
		super();
		this.key = options.key;
		this.#options = options;
		this.#offers = options.offers;
		this.#people = options.people;
		this.#relayOnly = options.relayOnly ?? false;
		this.#tracks = { ...options.tracks };
		this.#link = this.#makeLink();
		this.#statsTimer = setInterval(() => void this.#measure(), STATS_MS);
	}

	/** The connection of now; another after the path had to be made anew. */
	get pc(): RTCPeerConnection {
		return this.#link.pc;
	}

	/** How the connection of now is doing. */
	get state(): RTCPeerConnectionState {
		return this.#link.pc.connectionState;
	}

	/** How good the path is; see Quality. */
	get quality(): Quality {
		return this.#meter.quality;
	}

	/** How the media travels; undefined until measured. */
	get path(): Path | undefined {
		return this.#path;
	}

	/** The tracks of the other side; whether they carry anything, presence says. */
	get tracks(): SlotTracks {
		return this.#remote;
	}

	/** What arrived as a signal from this person. Nonsense is let go. */
	handleSignal(data: unknown): void {
		const signal = parseMediaSignal(data);
		if (!signal) return;
		const { id: own, remoteId: remote, fresh } = this.#link;
		switch (admitSignal(signal, { own, remote, fresh })) {
			case "stale":
				this.#send({ renewed: true });
				return;
			case "renew":
				this.#renew();
				break;
			case "adopt":
			case "accept":
				break;
		}
		if (signal.pc !== undefined && signal.pc !== this.#link.remoteId) this.#link.adopt(signal.pc);
		if (signal.restart && this.#offers) this.#link.restartIce();
		if (signal.description || signal.candidate !== undefined) this.#link.handleSignal(signal);
	}

	/**
	 * One of the two has a new member id after a lost line. What we have is kept; what may
	 * have been lost on the way is said again.
	 */
	rebind(offers: boolean): void {
		this.#offers = offers;
		this.#link.polite = !offers;
		this.#send({ resume: true });
		this.#link.resendOffer();
		const lost = this.state === "failed" || this.state === "disconnected";
		if (lost || this.#doubted) this.#mend("restart");
		this.#doubted = false;
	}

	/** What we send in one of the places. */
	async setTrack(slot: Slot, track: MediaStreamTrack | null): Promise<void> {
		this.#tracks[slot] = track;
		await this.#link.setTrack(slot, track);
	}

	/** How many people we send to, for the share of the bandwidth. */
	setPeople(people: number): void {
		this.#people = people;
		void this.#link.setPeople(people);
	}

	/** Takes effect at once, by a new connection: an ICE restart would go on with the path that works. */
	setRelayOnly(relayOnly: boolean): void {
		if (relayOnly === this.#relayOnly) return;
		this.#relayOnly = relayOnly;
		this.#renew();
		if (!this.#offers) this.#send({ renewed: true });
	}

	/** This device has changed its network: what was found before may be dead without having failed yet. */
	handleNetworkChange(): void {
		if (this.state !== "new") this.#doubt();
	}

	/** Hangs up. */
	close(): void {
		clearTimeout(this.#watchTimer);
		clearInterval(this.#statsTimer);
		this.#link.close();
		this.clear();
	}

	#makeLink(): Link {
		const link = new Link({
			offers: this.#offers,
			iceServers: this.#options.iceServers(),
			relayOnly: this.#relayOnly,
			tracks: this.#tracks,
			people: this.#people,
		});
		link.on("signal", (signal) => this.#send(signal, link));
		link.on("state", (state) => this.#handleState(state));
		link.on("trouble", (error) => this.emit("trouble", error));
		link.on("tracks", (tracks) => {
			if (SLOTS.every((slot) => tracks[slot] === this.#remote[slot])) return;
			this.#remote = tracks;
			this.emit("tracks", tracks);
		});
		return link;
	}

	#send(signal: MediaSignal, link: Link = this.#link): void {
		const peer = link.remoteId;
		this.#options.send({ ...signal, pc: link.id, ...(peer === undefined ? {} : { peer }) });
	}

	#renew(): void {
		this.#link.close();
		this.#link = this.#makeLink();
		this.#watch = new IceWatch();
		this.#handleState(this.state);
	}

	#handleState(state: RTCPeerConnectionState): void {
		this.#watch.handleState(state, Date.now());
		this.#look();
		if (state === "connected") this.emit("quality", this.#meter.handleFound());
		else if (state === "failed" || state === "disconnected") {
			this.emit("quality", this.#meter.handleLost());
		}
		this.emit("state", state);
	}

	#look(): void {
		clearTimeout(this.#watchTimer);
		const { action, next } = this.#watch.check(Date.now());
		if (next !== undefined) this.#watchTimer = setTimeout(() => this.#look(), next);
		if (action !== "none") this.#mend(action);
	}

	/** Only the impolite side mends; the other asks it to. Both at once would be glare. */
	#mend(action: "restart" | "renew"): void {
		if (!this.#offers) this.#send({ restart: true });
		else if (action === "restart") this.#link.restartIce();
		else this.#renew();
	}

	#doubt(): void {
		this.#doubted = true;
		this.#mend("restart");
	}

	async #measure(): Promise<void> {
		if (this.state !== "connected") return;
		const before = this.#meter.quality;
		const reports = [...(await this.pc.getStats()).values()];
		const after = this.#meter.handleSample(sampleOf(reports));
		if (after !== before) this.emit("quality", after);
		this.#tellPath(reports);
		if (!this.#meter.stalled) return;
		this.#doubt();
		this.emit("stalled", undefined);
	}

	#tellPath(reports: Parameters<typeof routeOf>[0]): void {
		const route = routeOf(reports);
		if (!route) return;
		const { rtt, loss } = this.#meter.measured ?? { rtt: undefined, loss: 0 };
		this.#path = { ...route, rtt, loss };
		this.emit("path", this.#path);
	}
}
