import type { WireError } from "./wire.js";
import type * as wire from "./wire-types.js";

/**
 * Every error of this package is one of these; `reason` is for programs, `message` for logs.
 *
 * ```ts
 * try {
 * 	await room.join({ signal: AbortSignal.timeout(5000) });
 * } catch (error) {
 * 	if (error instanceof RequestError && error.reason === "room_full") console.log("try later");
 * 	else if (error instanceof ConnectionError) console.log("no server:", error.reason);
 * 	else if (error instanceof ParleyError) console.log("refused:", error.message);
 * 	else throw error; // the signal's reason
 * }
 * ```
 */
export class ParleyError<Reason extends string = string> extends Error {
	constructor(
		/** Why, for programs. */
		readonly reason: Reason,
		message: string,
		options?: ErrorOptions,
	) {
		super(message, options);
		this.name = new.target.name;
	}
}

/**
 * - `not-open`: asked for while the line was down.
 * - `lost`: the line broke before the answer; it may or may not have been carried out.
 * - `timeout`: the server did not answer in time.
 * - `closed`: the application closed the connection, or left the room.
 */
export type ConnectionErrorReason = "not-open" | "lost" | "timeout" | "closed";

/** The server could not be asked, or did not answer. */
export class ConnectionError extends ParleyError<ConnectionErrorReason> {
	static notOpen(): ConnectionError {
		return new ConnectionError("not-open", "the server is away");
	}

	static lost(): ConnectionError {
		return new ConnectionError("lost", "the connection was lost");
	}

	static timeout(ms: number): ConnectionError {
		return new ConnectionError("timeout", `no reply within ${ms} ms`);
	}

	static closed(by = "closed by the application"): ConnectionError {
		return new ConnectionError("closed", by);
	}
}

/** The codes of docs/protocol.md, "Errors and close codes". */
export type RequestErrorReason = wire.Error["code"];

/** The server refused a request. A newer server may know more reasons than this list. */
export class RequestError extends ParleyError<RequestErrorReason | (string & {})> {
	constructor(
		reason: RequestErrorReason | (string & {}),
		message: string,
		/** What of the request was wrong: the name of a field, for instance. */
		readonly detail?: string,
	) {
		super(reason, message);
	}

	/** The error of a reply. */
	static from({ code, message, detail }: Partial<WireError> = {}): RequestError {
		return new RequestError(code ?? "unavailable", message ?? "refused", detail);
	}
}

/**
 * - `permission-denied`: the person or the browser said no.
 * - `no-device`: there is none of the kind.
 * - `device-busy`: another program has it.
 * - `insecure-origin`: browsers give no devices to pages without https.
 * - `cancelled`: the person closed the dialog.
 * - `unsupported`: this browser cannot do it.
 * - `failed`: anything else; `cause` has what the browser said.
 */
export type MediaErrorReason =
	| "permission-denied"
	| "no-device"
	| "device-busy"
	| "insecure-origin"
	| "cancelled"
	| "unsupported"
	| "failed";

/** A camera, microphone or screen could not be had. */
export class MediaError extends ParleyError<MediaErrorReason> {
	/** Says in our words what getUserMedia and getDisplayMedia say in theirs. */
	static from(error: unknown): MediaError {
		if (error instanceof MediaError) return error;
		const name = error instanceof Error ? error.name : "";
		const message = error instanceof Error ? error.message : String(error);
		return new MediaError(mediaReason(name), message || name, { cause: error });
	}
}

function mediaReason(name: string): MediaErrorReason {
	switch (name) {
		case "NotAllowedError":
		case "PermissionDeniedError":
			return "permission-denied";
		case "NotFoundError":
		case "DevicesNotFoundError":
		case "OverconstrainedError":
			return "no-device";
		case "NotReadableError":
		case "TrackStartError":
		case "AbortError":
			return "device-busy";
		case "SecurityError":
			return "insecure-origin";
		case "NotSupportedError":
			return "unsupported";
		default:
			return "failed";
	}
}

/**
 * - `outbox-full`: too many messages wait to be sent already.
 * - `discarded`: taken out of the outbox before it was sent.
 * - `no-files`: the server takes no files, or we have no seat in the room now.
 * - `not-understood`: the server's answer has a form that this client does not know.
 */
export type ChatErrorReason = "outbox-full" | "discarded" | "no-files" | "not-understood";

/**
 * A message, or a page of them, could not be had; see also RequestError.
 *
 * ```ts
 * room.chat.send("hello").catch((error) => {
 * 	if (error instanceof ChatError) console.log(error.reason);
 * });
 * ```
 */
export class ChatError extends ParleyError<ChatErrorReason> {
	static outboxFull(limit: number): ChatError {
		return new ChatError("outbox-full", `${limit} messages wait to be sent already`);
	}

	static discarded(): ChatError {
		return new ChatError("discarded", "the message was discarded before it was sent");
	}

	static noFiles(): ChatError {
		return new ChatError("no-files", "files cannot be sent here now");
	}

	static notUnderstood(): ChatError {
		return new ChatError("not-understood", "the server's answer was not understood");
	}
}
