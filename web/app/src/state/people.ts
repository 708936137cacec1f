import type {
	CallSession,
	Member,
	Path,
	Peer,
	Person,
	PresenceState,
	Quality,
	Role,
	SlotTracks,
	Standing,
	VoiceRelay,
} from "../../../sdk/src/index.js";

/** Somebody in the room. */
export interface PersonModel {
	key: string;
	name: string;
	self: boolean;
	role: Role;
	state: PresenceState;
	/** The server has lost them; the call may live on. */
	away: boolean;
}

/** Somebody as a tile shows them. */
export interface TileModel extends PersonModel {
	/** `relayed`: no path was found; the voice comes through the server. */
	link: "connecting" | "connected" | "lost" | "relayed";
	quality: Quality;
	path: Path | undefined;
	tracks: SlotTracks;
}

/** Somebody we ring or who rings us. */
export interface CallerModel {
	key: string;
	name: string;
}

const SILENT: PresenceState = {
	mic: false,
	camera: false,
	screen: false,
	hand: false,
	speaking: false,
};

/** Our own tile; what is on, our own devices know before the server does. */
export function ownTile(call: CallSession, name: string, own: Partial<PresenceState>): TileModel {
	const self: Member | undefined = call.room.self;
	return {
		key: "self",
		name: self?.name ?? name,
		self: true,
		role: self?.role ?? "speaker",
		state: { ...SILENT, ...own, muted: self?.state.muted === true },
		away: false,
		link: "connected",
		quality: "good",
		path: undefined,
		tracks: { ...call.media.tracks },
	};
}

function modelOf(person: Person): PersonModel {
	return {
		key: person.key,
		name: person.name || "Guest",
		self: false,
		role: person.role,
		state: person.state,
		away: person.away || person.state.away === true,
	};
}

/** Whether somebody is here to read along, and takes no part in the call. */
export function isWatching({ metadata }: Pick<Person, "metadata">): boolean {
	return metadata.watching === true;
}

export function tileOf(person: Person, peer: Peer, voice: VoiceRelay): TileModel {
	const relayed = voice.relayed(person.key);
	return {
		...modelOf(person),
		link: relayed ? "relayed" : linkOf(peer.state),
		quality: peer.quality,
		path: peer.path,
		tracks: relayed ? { ...peer.tracks, audio: voice.track(person.key) ?? null } : peer.tracks,
	};
}

function inOrder(call: CallSession): Person[] {
	return [...call.room.presence.people].sort((a, b) => a.joinedAt - b.joinedAt);
}

/** Those who read along, in the order they came. */
export function watchers(call: CallSession): PersonModel[] {
	return inOrder(call).filter(isWatching).map(modelOf);
}

/** The people whose media we exchange, in the order they came. */
export function remoteTiles(call: CallSession): TileModel[] {
	return inOrder(call).flatMap((person) => {
		const peer = call.mesh.peer(person.key);
		return peer ? [tileOf(person, peer, call.voice)] : [];
	});
}

export function callers(call: CallSession, standing: Standing): CallerModel[] {
	return call.mesh.desk.keys(standing).flatMap((key) => {
		const person = call.room.presence.get(key);
		return person ? [{ key, name: person.name || "Somebody" }] : [];
	});
}

export function linkOf(state: RTCPeerConnectionState): TileModel["link"] {
	switch (state) {
		case "connected":
			return "connected";
		case "new":
		case "connecting":
			return "connecting";
		default:
			return "lost";
	}
}

export const ROLE_WORDS: Record<Role, { name: string; may: string }> = {
	owner: { name: "Owner", may: "everything, and makes other owners" },
	moderator: { name: "Moderator", may: "speaks, gives roles, mutes and removes people" },
	speaker: { name: "Speaker", may: "speaks and shows camera and screen" },
	listener: { name: "Listener", may: "listens and writes, without microphone and camera" },
};

/** What we may make of somebody; nothing: we may not manage them. The server has the same rule. */
export function rolesToGive(own: Role, theirs: Role): readonly Role[] {
	if (own === "owner") return ["owner", "moderator", "speaker", "listener"];
	return own === "moderator" && theirs !== "owner" ? ["moderator", "speaker", "listener"] : [];
}

/** Whether we may give roles to somebody, mute or remove them. */
export function mayManage(own: Role, person: PersonModel): boolean {
	return !person.self && rolesToGive(own, person.role).length > 0;
}

/** Owners and moderators. */
export function looksAfter(role: Role | undefined): boolean {
	return role === "owner" || role === "moderator";
}
