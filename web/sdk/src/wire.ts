/**
 * The messages of `parley.v1` as docs/protocol.md has them. What arrives is checked here,
 * once, so that the rest may trust its types; unknown messages and fields are let go.
 */

export const PROTOCOL = "parley.v1";

export type Role = "owner" | "moderator" | "speaker" | "listener";

export interface PresenceState {
	mic: boolean;
	camera: boolean;
	screen: boolean;
	hand: boolean;
	speaking: boolean;
	/** The server keeps the seat of somebody whose connection broke. */
	away?: boolean;
}

export type Metadata = Record<string, unknown>;

/** A member as the server tells of it. `offer`: we send the first offer to it. */
export interface Member {
	id: string;
	name: string;
	role: Role;
	state: PresenceState;
	joinedAt: number;
	user?: string;
	metadata?: Metadata;
	offer?: boolean;
}

export interface ChatMessage {
	from: string;
	name: string;
	text: string;
	time: number;
	n: number;
}

export type Changes = Partial<PresenceState> & {
	name?: string;
	metadata?: Metadata;
	role?: Role;
};

export interface JoinReply {
	room: string;
	seq: number;
	you: Member;
	members: Member[];
	capacity: number;
	ring: boolean;
	chat: ChatMessage[];
}

export type LeaveReason =
	| "leave"
	| "disconnect"
	| "timeout"
	| "kick"
	| "replaced"
	| "shutdown"
	| "closed";

export interface Hello {
	type: "hello";
	session: string;
	/** For one resume of the session; none: an older server. */
	secret?: string;
	server: string;
	iceServers: RTCIceServer[];
}

/** The session goes on; what was missed follows. */
export interface ResumeReply {
	session: string;
	secret: string;
	rooms: { room: string; seq: number; complete: boolean; you: string }[];
}

export interface Reply {
	type: "reply";
	id: number;
	ok: boolean;
	data?: unknown;
	error?: WireError;
}

export interface WireError {
	code: string;
	message: string;
	detail?: string;
}

export type RoomEvent =
	| { type: "joined"; room: string; seq: number; member: Member; offer: boolean }
	| {
			type: "left";
			room: string;
			seq: number;
			member: string;
			reason: LeaveReason;
			detail?: string;
	  }
	| { type: "updated"; room: string; seq: number; member: string; changes: Changes }
	| { type: "signal"; room: string; seq: number; from: string; data: unknown }
	| ({ type: "chat"; room: string; seq: number } & ChatMessage)
	| { type: "accept"; room: string; seq: number; from: string }
	| { type: "reject"; room: string; seq: number; from: string; reason?: string };

export type ServerMessage =
	| Hello
	| Reply
	| { type: "error"; error: WireError }
	| { type: "pong" }
	| { type: "drain"; retryAfter: number }
	| RoomEvent;

type Json = Record<string, unknown>;

/** undefined for what is not JSON, not an object, of an unknown type or of a wrong form. */
export function parseServerMessage(text: string): ServerMessage | undefined {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return undefined;
	}
	return isObject(value) && isKnown(value) ? (value as unknown as ServerMessage) : undefined;
}

export function isJoinReply(value: unknown): value is JoinReply {
	return (
		isObject(value) &&
		isMember(value.you) &&
		Array.isArray(value.members) &&
		value.members.every(isMember) &&
		Array.isArray(value.chat) &&
		value.chat.every(isChat)
	);
}

export function isResumeReply(value: unknown): value is ResumeReply {
	return (
		isObject(value) &&
		typeof value.session === "string" &&
		typeof value.secret === "string" &&
		Array.isArray(value.rooms) &&
		value.rooms.every((entry) => isObject(entry) && typeof entry.room === "string")
	);
}

export function isObject(value: unknown): value is Json {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isKnown(value: Json): boolean {
	switch (value.type) {
		case "hello":
			return Array.isArray(value.iceServers);
		case "reply":
			return typeof value.id === "number" && typeof value.ok === "boolean";
		case "error":
			return isObject(value.error);
		case "pong":
			return true;
		case "drain":
			return typeof value.retryAfter === "number";
		case "joined":
			return isMember(value.member) && typeof value.offer === "boolean";
		case "left":
			return typeof value.member === "string" && typeof value.reason === "string";
		case "updated":
			return typeof value.member === "string" && isObject(value.changes);
		case "signal":
		case "accept":
		case "reject":
			return typeof value.from === "string";
		case "chat":
			return isChat(value);
		default:
			return false;
	}
}

function isMember(value: unknown): value is Member {
	return (
		isObject(value) &&
		typeof value.id === "string" &&
		typeof value.name === "string" &&
		typeof value.role === "string" &&
		isObject(value.state)
	);
}

function isChat(value: unknown): value is ChatMessage {
	return (
		isObject(value) &&
		typeof value.from === "string" &&
		typeof value.text === "string" &&
		typeof value.n === "number"
	);
}
