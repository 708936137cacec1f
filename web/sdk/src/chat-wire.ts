/** What `parley.v1` says about chat, and the checks of what arrives. */

import { isObject } from "./json.js";

/** A file that lies on the server. */
export interface ChatFile {
	id: string;
	name: string;
	type: string;
	size: number;
}

/** A chat message as the server tells it, live, replayed or from the history. */
export interface ChatMessage {
	/** Rises strictly in the room, within one `epoch`. */
	n: number;
	/** The member who wrote it; ids of members that have left are still theirs. */
	from: string;
	name: string;
	text: string;
	/** Milliseconds since 1970. */
	time: number;
	user?: string;
	epoch?: number;
	/** The sender's own name for it; only its sender gets it. */
	key?: string;
	/** The message that this one answers. */
	reply?: number;
	/** Only for this member. */
	to?: string;
	file?: ChatFile;
	/** Who reacted, by emoji: users, or the ids of members that have none. */
	reactions?: Record<string, string[]>;
	/** When it was changed last. */
	edited?: number;
	/** It was taken back; the text is gone. */
	deleted?: boolean;
	/** It was said before we came. */
	replay?: boolean;
}

/** What became of a message later. Changes have numbers of their own; `of` is the message's. */
export type ChatChange =
	| { type: "edited"; from: string; n: number; of: number; text: string; time: number }
	| { type: "deleted"; from: string; n: number; of: number }
	| {
			type: "reacted";
			from: string;
			n: number;
			of: number;
			emoji: string;
			/** As in `reactions`. */
			reader: string;
			on: boolean;
	  };

/** What is said about a message, or about who writes one. */
export type ChatEvent =
	| ({ type: "chat" } & ChatMessage)
	| ChatChange
	| { type: "typing"; from: string; on: boolean }
	| { type: "read"; from: string; n: number };

/** A page of the history, oldest first. `more`: there is more in the direction that was asked for. */
export interface ChatPage {
	messages: (({ type: "chat" } & ChatMessage) | ChatChange)[];
	more: boolean;
	epoch: number;
}

/** Somebody who is or was in the room. */
export interface Visit {
	/** Rises; for `before` of the next page. */
	visit: number;
	member: string;
	name: string;
	user?: string;
	joinedAt: number;
	/** Missing: still here. */
	leftAt?: number;
}

export function isChatMessage(value: unknown): value is ChatMessage {
	return (
		isObject(value) &&
		typeof value.from === "string" &&
		typeof value.text === "string" &&
		typeof value.n === "number" &&
		typeof value.time === "number"
	);
}

/** undefined: no event of the chat; false: one of a wrong form. */
export function isChatEvent(value: Record<string, unknown>): boolean | undefined {
	const numbered = typeof value.from === "string" && typeof value.n === "number";
	switch (value.type) {
		case "chat":
			return isChatMessage(value);
		case "edited":
			return numbered && typeof value.of === "number" && typeof value.text === "string";
		case "deleted":
			return numbered && typeof value.of === "number";
		case "reacted":
			return (
				numbered &&
				typeof value.of === "number" &&
				typeof value.emoji === "string" &&
				typeof value.reader === "string"
			);
		case "typing":
			return typeof value.from === "string" && typeof value.on === "boolean";
		case "read":
			return numbered;
		default:
			return undefined;
	}
}

export function isChatPage(value: unknown): value is ChatPage {
	return (
		isObject(value) &&
		Array.isArray(value.messages) &&
		value.messages.every((message) => isObject(message) && isChatEvent(message) === true)
	);
}

export function isVisits(value: unknown): value is { visits: Visit[]; more: boolean } {
	return (
		isObject(value) &&
		Array.isArray(value.visits) &&
		value.visits.every((visit) => isObject(visit) && typeof visit.joinedAt === "number")
	);
}
