/**
 * The messages of `parley.v1` as docs/protocol.md has them. Their types are made from the JSON
 * Schemas. What arrives is checked here, once, so that the rest may trust its types; unknown
 * messages and fields are let go.
 */

import { type ChatEvent, isChatEvent, isChatMessage } from "./chat-wire.js";
import { isObject } from "./json.js";
import type * as wire from "./wire-types.js";

/** The WebSocket subprotocol. */
export const PROTOCOL = "parley.v1";

/** Anything that clients tell each other about a member: up to 4 KiB as JSON. */
export type Metadata = wire.Metadata;

/** What a member may do: an owner and a moderator everything, a listener hardly anything. */
export type Role = wire.Role;

/** What is new about a member. */
export type Changes = wire.Changes;

/** What a member's devices do, and whether they speak or raise a hand. */
export type PresenceState = Omit<wire.State, "away"> & {
	/** The server keeps the seat of somebody whose connection broke. */
	away?: boolean;
};

/** A member as the server tells of it. `offer`: we send the first offer to it. */
export type Member = Omit<wire.Peer, "state" | "offer"> & {
	state: PresenceState;
	offer?: boolean;
};

/** What the server tells of a room on joining it. */
export type JoinReply = Omit<wire.ServerReplyJoin, "you" | "members"> & {
	you: Member;
	members: Member[];
};

/** Why somebody is no longer in the room. */
export type LeaveReason = wire.ServerLeft["reason"];

/** The first message of a connection; older servers say less. */
export type Hello = Pick<wire.ServerHello, "type" | "session" | "server" | "iceServers"> &
	Partial<wire.ServerHello>;

/** Bytes of a piece of voice, members it may be for, pieces per second (0: none are taken). */
export type VoiceLimits = NonNullable<wire.ServerHello["limits"]["voice"]>;

/** Somebody who waits in the lobby of a room. */
export type Knock = wire.ServerKnock["member"];

/** Somebody who is kept out of a room, and until when: by `user` or by `address`. */
export type Ban = wire.ServerReplyBans["bans"][number];

/** The session goes on; what was missed follows. */
export type ResumeReply = wire.ServerReplyResume;

/** The one answer to a request. */
export type Reply = Omit<wire.ServerReply, "data" | "error"> & {
	data?: unknown;
	error?: WireError;
};

/** Why a request was refused; a newer server may know more codes. */
export type WireError = Omit<wire.Error, "code"> & { code: wire.Error["code"] | (string & {}) };

/** Something that happened in a room. */
export type RoomEvent =
	| (Omit<wire.ServerJoined, "member"> & { member: Member })
	| wire.ServerLeft
	| wire.ServerUpdated
	| wire.ServerSignal
	| (ChatEvent & { room: string; seq?: number })
	| wire.ServerAccept
	| wire.ServerReject
	| wire.ServerRelay
	| wire.ServerSettings
	| wire.ServerKnock
	| wire.ServerUnknock
	| wire.ServerWaiting;

/** All that the server says, as far as this client understands it. */
export type ServerMessage =
	| Hello
	| Reply
	| wire.ServerError
	| wire.ServerPong
	| wire.ServerDrain
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
		value.chat.every(isChatMessage)
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
		case "relay":
			return typeof value.from === "string" && typeof value.codec === "string";
		case "settings":
			return typeof value.locked === "boolean" && typeof value.lobby === "boolean";
		case "knock":
			return isKnock(value.member);
		case "unknock":
			return typeof value.member === "string";
		case "waiting":
			return typeof value.room === "string";
		default:
			return isChatEvent(value) ?? false;
	}
}

export function isBans(value: unknown): value is { bans: Ban[]; more: boolean } {
	return (
		isObject(value) &&
		Array.isArray(value.bans) &&
		value.bans.every((ban) => isObject(ban) && typeof ban.until === "number")
	);
}

function isKnock(value: unknown): value is Knock & Json {
	return isObject(value) && typeof value.id === "string" && typeof value.name === "string";
}

function isMember(value: unknown): value is Member {
	return isKnock(value) && typeof value.role === "string" && isObject(value.state);
}
