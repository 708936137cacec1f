/** What `parley.v1` says about chat, and the checks of what arrives. */

import { isObject } from "./json.js";
import { isChatFile } from "./upload.js";
import type * as wire from "./wire-types.js";

/** A chat message as the server tells it, live, replayed or from the history. */
export type ChatMessage = Omit<wire.ServerChat, "type" | "room" | "seq">;

/** What became of a message later. Changes have numbers of their own; `of` is the message's. */
export type ChatChange = Told<wire.ServerEdited | wire.ServerDeleted | wire.ServerReacted>;

/** What is said about a message, or about who writes one. */
export type ChatEvent =
	| ({ type: "chat" } & ChatMessage)
	| ChatChange
	| Told<wire.ServerTyping | wire.ServerRead>;

/** A page of the history, oldest first. `more`: there is more in the direction that was asked for. */
export type ChatPage = Pick<wire.ServerReplyHistory, "epoch" | "messages" | "more">;

/** Somebody who is or was in the room. */
export type Visit = wire.ServerReplyVisits["visits"][number];

/** Of which room and in which order, the room knows. */
type Told<T> = T extends unknown ? Omit<T, "room" | "seq"> : never;

export function isChatMessage(value: unknown): value is ChatMessage {
	return (
		isObject(value) &&
		typeof value.from === "string" &&
		typeof value.text === "string" &&
		typeof value.n === "number" &&
		typeof value.time === "number" &&
		(value.files === undefined || (Array.isArray(value.files) && value.files.every(isChatFile)))
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
