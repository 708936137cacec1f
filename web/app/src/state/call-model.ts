import { batch, computed, signal } from "@preact/signals";
import {
	CallSession,
	type ConnectionState,
	type Person,
	type RoomEvents,
	type RoomState,
} from "../../../sdk/src/index.js";
import { Care } from "./care.js";
import { type ChatLeft, ChatModel } from "./chat-model.js";
import { outboxOption, tabUser } from "./identity.js";
import type { MediaModel } from "./media-model.js";
import {
	type CallerModel,
	callers,
	isWatching,
	ownTile,
	type PersonModel,
	remoteTiles,
	type TileModel,
	watchers,
} from "./people.js";
import { joinWords, type PlainWords } from "./plain-words.js";
import { loadPrefs, savePrefs } from "./prefs.js";
import { type Status, statusOf } from "./status.js";

export interface CallSettings {
	room: string;
	name: string;
	ring: boolean;
	media: MediaModel;
	/** Where the server asks for tokens. */
	token?: string | undefined;
	/** What its chat was left with, if we read along there before. */
	left?: ChatLeft | undefined;
}

/** How a call ended, for the page after it. */
export type Ending =
	| { kind: "left" }
	| { kind: "kicked"; detail: string | undefined }
	| { kind: "replaced" }
	| { kind: "closed"; detail: string | undefined }
	| { kind: "refused"; words: PlainWords };

/** `waiting`: in the lobby. `calling` and `declined` are a caller's in a ring room. */
export type Phase = "joining" | "waiting" | "calling" | "declined" | "in" | "ended";

const CAPACITY = 6;

/** The call as signals. The views read them and call the methods; nothing else. */
export class CallModel {
	readonly room: string;
	readonly name: string;
	readonly media: MediaModel;
	readonly session: CallSession;
	readonly self = signal<TileModel>();
	readonly others = signal<readonly TileModel[]>([]);
	/** Who reads along, and takes no part in the call. */
	readonly watching = signal<readonly PersonModel[]>([]);
	readonly incoming = signal<readonly CallerModel[]>([]);
	readonly outgoing = signal<readonly CallerModel[]>([]);
	/** The last one who declined our call. */
	readonly declinedBy = signal<string>();
	readonly chat: ChatModel;
	/** Owners and moderators look after the room. */
	readonly care: Care;
	readonly hand = signal(false);
	readonly ring = signal(false);
	readonly connection = signal<{ state: ConnectionState; retryAt: number | undefined }>({
		state: "idle",
		retryAt: undefined,
	});
	/** The server asks nobody who they are. */
	readonly open = signal(false);
	/** The server keeps nothing: the chat goes with the last one who leaves. */
	readonly volatile = signal(false);
	readonly status = signal<Status>({ tone: "connecting", text: "Connecting" });
	readonly ending = signal<Ending>();
	/** What a screen reader is told; each new text is read once. */
	readonly announcement = signal("");
	readonly seatedAt = signal<number>();
	readonly roomState = signal<RoomState>("out");
	/** The browser wants a tap before it plays the others' voices. */
	readonly muffled = signal(false);
	readonly relayOnly = signal(loadPrefs().relayOnly);
	/** The server gave us a TURN server, so that there is something to switch to. */
	readonly canRelay = signal(false);
	readonly phase = computed(() => this.#phase());
	readonly #offs: (() => void)[] = [];
	/** Somebody in the room was asked to let us in. */
	#waited = false;

	constructor(settings: CallSettings) {
		this.room = settings.room;
		this.name = settings.name;
		this.media = settings.media;
		this.session = new CallSession({
			room: settings.room,
			name: settings.name,
			media: settings.media.media,
			options: { capacity: CAPACITY, ring: settings.ring },
			...(settings.token === undefined ? { user: tabUser() } : { token: settings.token }),
			...outboxOption(),
			relayOnly: this.relayOnly.value,
		});
		const announce = (text: string) => this.#announce(text);
		this.chat = new ChatModel(this.session.room, announce, settings.left);
		this.care = new Care(this.session.room, announce);
		this.#follow();
		this.refresh();
	}

	start(): void {
		this.session.start().catch(() => {
			// Told by `ended`, or we left before.
		});
	}

	leave(): void {
		if (this.ending.value) return;
		this.session.leave();
		this.#end({ kind: "left" });
	}

	/** The call moves to another room: out of this one, with the devices on. */
	handOver(): void {
		this.#unhook();
		this.session.leave();
	}

	toggleHand(): void {
		this.hand.value = !this.hand.value;
		this.session.room.update({ hand: this.hand.value });
		this.#announce(this.hand.value ? "Your hand is raised" : "Your hand is down");
		this.refresh();
	}

	accept(key: string): void {
		this.session.mesh.accept(key);
	}

	reject(key: string): void {
		this.session.mesh.reject(key);
	}

	setRelayOnly(relayOnly: boolean): void {
		savePrefs({ relayOnly });
		this.relayOnly.value = relayOnly;
		this.session.mesh.relayOnly = relayOnly;
	}

	retryNow(): void {
		const { connection } = this.session;
		if (connection.state === "closed") connection.open();
		else connection.retryNow();
	}

	/** Reads everything that tiles and status show. Cheap enough to do at every event. */
	refresh(): void {
		const { session, media } = this;
		batch(() => {
			this.self.value = ownTile(session, this.name, {
				mic: media.micOn.value,
				camera: media.cameraOn.value,
				screen: media.screenOn.value,
				speaking: media.speaking.value,
				hand: this.hand.value,
			});
			const others = remoteTiles(session);
			const links = others.map(({ link }) => link);
			this.others.value = others;
			this.watching.value = watchers(session);
			this.roomState.value = session.room.state;
			this.canRelay.value = hasRelay(session.connection.iceServers);
			this.incoming.value = callers(session, "incoming");
			this.outgoing.value = callers(session, "outgoing");
			this.status.value = statusOf({
				connection: session.connection.state,
				room: session.room.state,
				micOn: media.micOn.value,
				links,
				wasIn: this.seatedAt.value !== undefined,
			});
		});
	}

	#phase(): Phase {
		if (this.ending.value) return "ended";
		if (this.seatedAt.value === undefined) {
			return this.roomState.value === "waiting" ? "waiting" : "joining";
		}
		if (!this.ring.value || this.others.value.length > 0) return "in";
		if (this.outgoing.value.length > 0) return "calling";
		return this.declinedBy.value === undefined ? "in" : "declined";
	}

	#follow(): void {
		const { connection, room, mesh, media, voice } = this.session;
		const refresh = () => this.refresh();
		this.#offs.push(
			connection.on("state", (state) => {
				this.connection.value = { state, retryAt: connection.retryAt };
				this.refresh();
			}),
			connection.on("hello", ({ open, volatile }) => {
				this.open.value = open === true;
				this.volatile.value = volatile === true;
			}),
			room.on("state", (state) => this.#handleRoomState(state)),
			room.on("seated", ({ ring }) => this.#handleSeated(ring)),
			room.on("self", refresh),
			room.on("joined", (person) => this.#handleJoined(person)),
			room.on("left", refresh),
			room.on("away", refresh),
			room.on("back", refresh),
			room.on("reject", ({ from }) => {
				this.declinedBy.value = from.name || "Somebody";
			}),
			room.on("updated", ({ person, changes }) => this.#handleUpdated(person, changes.hand)),
			room.on("ended", (why) => this.#handleEnded(why)),
			mesh.on("standing", ({ person, standing }) => this.#handleStanding(person, standing)),
			mesh.on("added", (peer) => {
				peer.on("state", refresh);
				peer.on("tracks", refresh);
				peer.on("quality", refresh);
				peer.on("path", refresh);
				this.refresh();
			}),
			mesh.on("removed", refresh),
			voice.on("changed", ({ key, relayed }) => this.#handleRelayed(key, relayed)),
			media.on("changed", refresh),
			media.on("track", refresh),
			media.on("speaking", refresh),
		);
	}

	#handleSeated(ring: boolean): void {
		this.#waited = false;
		this.ring.value = ring;
		this.seatedAt.value ??= Date.now();
		this.#announce(`You are in the room ${this.room}`);
		this.refresh();
	}

	#handleRoomState(state: RoomState): void {
		if (state === "waiting") {
			this.#waited = true;
			this.#announce("You wait to be let in");
		}
		this.refresh();
	}

	/** The others are told of when the call has them. */
	#handleJoined(person: Person): void {
		if (isWatching(person)) this.#announce(`${person.name || "Somebody"} reads along`);
		this.refresh();
	}

	#handleStanding(person: Person, standing: string | undefined): void {
		const name = person.name || "Somebody";
		if (standing === "admitted") {
			this.declinedBy.value = undefined;
			this.#announce(`${name} is here`);
		} else if (standing === "incoming") this.#announce(`${name} is calling`);
		else if (standing === undefined) this.#announce(`${name} has left`);
		this.refresh();
	}

	#handleUpdated(person: Person, hand: boolean | undefined): void {
		if (hand) this.#announce(`${person.name || "Somebody"} raises a hand`);
		this.refresh();
	}

	#handleRelayed(key: string, relayed: boolean): void {
		const person = this.others.peek().find((other) => other.key === key);
		if (person && relayed !== (person.link === "relayed")) {
			const how = relayed ? "only heard, through the server" : "reached directly again";
			this.#announce(`${person.name} is ${how}`);
		}
		this.refresh();
	}

	#handleEnded({ reason, detail, error }: RoomEvents["ended"]): void {
		if (reason === "kick") this.#end({ kind: "kicked", detail });
		else if (reason === "replaced") this.#end({ kind: "replaced" });
		else if (reason === "closed") this.#end({ kind: "closed", detail });
		else this.#end({ kind: "refused", words: joinWords(error, this.#waited) });
	}

	#unhook(): void {
		for (const off of this.#offs.splice(0)) off();
		this.chat.close();
		this.care.close();
	}

	#end(ending: Ending): void {
		this.#unhook();
		// No lamp may stay on behind the page that says the call is over.
		this.media.close();
		batch(() => {
			this.ending.value = ending;
			this.others.value = [];
			this.watching.value = [];
			this.incoming.value = [];
		});
	}

	#announce(text: string): void {
		this.announcement.value = text;
	}
}

function hasRelay(servers: readonly RTCIceServer[]): boolean {
	return servers.some(({ urls }) => [urls].flat().some((url) => url.startsWith("turn")));
}
