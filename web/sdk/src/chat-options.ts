import type { Abortable } from "./abort.js";
import type { ChatEntry } from "./chat-timeline.js";
import type { UploadOptions } from "./upload.js";

/** What a message may have beside its text. */
export interface SendOptions extends Abortable {
	/** The number of the message that it answers. */
	reply?: number | undefined;
	/** The id of the one member who gets it. */
	to?: string | undefined;
}

/** How a file is sent: what its message has beside it, and how far the upload is. */
export interface SendFileOptions extends SendOptions, Omit<UploadOptions, "signal"> {
	/** What is said with it. */
	text?: string | undefined;
}

/** Which part of the history. */
export interface PageOptions extends Abortable {
	/** Messages with lower numbers than this; the newest by default. */
	before?: number | undefined;
	/** At most so many: 50 by default. */
	limit?: number | undefined;
}

/** What a Chat tells; see `on`. */
export interface ChatEvents {
	/** Somebody has written, we ourselves included. `missed`: while we were not here. */
	message: { entry: ChatEntry; missed: boolean };
	/** `entries` is another: for whatever shows them. */
	changed: undefined;
	/** The member ids of those who are writing now. */
	typing: readonly string[];
	/** Somebody has read up to a message. */
	read: { member: string; n: number };
}
