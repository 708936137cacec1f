import type { Abortable } from "./abort.js";
import { Connection } from "./connection.js";
import type { ConnectionOptions } from "./connection-options.js";
import type { LocalMedia } from "./local-media.js";
import { Mesh } from "./mesh.js";
import { Room } from "./room.js";
import type { JoinOptions } from "./room-options.js";
import { SLOTS } from "./slots.js";
import { VoiceRelay } from "./voice-relay.js";
import type { JoinReply } from "./wire.js";

/** Who joins which room where, with what media. */
export interface CallOptions
	extends Omit<ConnectionOptions, "url">,
		Omit<JoinOptions, "state" | "keep"> {
	/** Media goes over TURN servers alone; see `Mesh.relayOnly`. */
	relayOnly?: boolean;
	/** `https://host` or `wss://host` of the server; the page's own by default. */
	server?: string;
	/** Our microphone, camera and screen; stays the caller's to close. */
	media: LocalMedia;
	/** Where voice-worklet.js is; the server's own `/sdk/voice-worklet.js` by default. */
	voiceWorklet?: string;
}

/**
 * A whole call: connection, room, mesh and our own media, wired together.
 *
 * ```ts
 * const media = new LocalMedia();
 * await media.open();
 * const call = new CallSession({ room: "amber-fox", name: "Ann", media });
 * call.mesh.on("added", (peer) => peer.on("tracks", ({ audio, camera }) => show(audio, camera)));
 * await call.start();
 * ```
 */
export class CallSession {
	/** The line to the server. */
	readonly connection: Connection;
	/** Who is there, chat and roles. */
	readonly room: Room;
	/** The media to and from the others. */
	readonly mesh: Mesh;
	/** The voices of those to whom no path was found. */
	readonly voice: VoiceRelay;
	/** Our own devices. */
	readonly media: LocalMedia;
	readonly #off: () => void;

	constructor(options: CallOptions) {
		const { media } = options;
		this.media = media;
		this.connection = new Connection({
			...options,
			url: connectUrl(options.server ?? location.origin, options.room),
		});
		this.room = new Room(this.connection, {
			...options,
			metadata: { ...options.metadata, ...(VoiceRelay.possible && { voice: true }) },
			state: { mic: media.micOn, camera: media.cameraOn, screen: media.screenOn },
			keep: (person) => this.mesh.keeps(person),
		});
		this.mesh = new Mesh(this.room, () => this.connection.iceServers);
		this.mesh.relayOnly = options.relayOnly ?? false;
		this.voice = new VoiceRelay({
			connection: this.connection,
			room: this.room,
			mesh: this.mesh,
			media,
			worklet: options.voiceWorklet ?? workletUrl(options.server ?? location.origin),
		});
		for (const slot of SLOTS) void this.mesh.setTrack(slot, media.tracks[slot]);
		this.#off = this.#followMedia();
		this.room.on("ended", () => this.#finish());
	}

	/** Resolves when seated; rejects with a RequestError when refused. */
	start(wait?: Abortable): Promise<JoinReply> {
		return this.room.join(wait);
	}

	/** Says goodbye and ends everything but the LocalMedia, which is the caller's. */
	leave(): void {
		this.room.leave();
		this.#finish();
	}

	#finish(): void {
		this.#off();
		this.voice.close();
		this.mesh.close();
		this.connection.close();
	}

	/** What the room does not let us send is switched off where it begins. */
	#obey(): void {
		const { media, room } = this;
		const listens = room.self?.role === "listener";
		if ((listens || room.self?.state.muted) && media.micOn) void media.setMic(false);
		if (listens && media.cameraOn) void media.setCamera(false);
		if (listens && media.screenOn) void media.setScreen(false);
	}

	#followMedia(): () => void {
		const { media, mesh, room } = this;
		const obey = () => this.#obey();
		const offs = [
			room.on("seated", obey),
			room.on("self", obey),
			media.on("changed", obey),
			media.on("track", ({ slot, track }) => void mesh.setTrack(slot, track)),
			media.on("changed", ({ micOn, cameraOn, screenOn }) =>
				room.update({ mic: micOn, camera: cameraOn, screen: screenOn }),
			),
			media.on("speaking", (speaking) => room.update({ speaking })),
			onNetworkChange(() => mesh.handleNetworkChange()),
			// What has cut a path may have cut the line as well.
			mesh.on("added", (peer) => peer.on("stalled", () => this.connection.retryNow())),
		];
		return () => {
			for (const off of offs) off();
		};
	}
}

/**
 * The WebSocket address of a server, with the hint which room it will be about.
 *
 * ```ts
 * const connection = new Connection({ url: connectUrl("https://example.org", "amber-fox") });
 * ```
 */
export function connectUrl(server: string, room: string): string {
	const url = new URL("/v1/connect", server);
	url.protocol = url.protocol.replace("http", "ws");
	url.searchParams.set("room", room);
	return url.href;
}

function workletUrl(server: string): string {
	const url = new URL("/sdk/voice-worklet.js", server);
	url.protocol = url.protocol.replace("ws", "http");
	return url.href;
}

/** Another Wi-Fi, from Wi-Fi to mobile: browsers tell it by `online`, some also by `navigator.connection`. */
function onNetworkChange(changed: () => void): () => void {
	const { connection } = navigator as { connection?: EventTarget };
	addEventListener("online", changed);
	connection?.addEventListener("change", changed);
	return () => {
		removeEventListener("online", changed);
		connection?.removeEventListener("change", changed);
	};
}
