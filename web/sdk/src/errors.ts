/** Every error of this package is one of these; `reason` is for programs, `message` for logs. */
export class ParleyError<Reason extends string = string> extends Error {
	constructor(
		readonly reason: Reason,
		message: string,
		options?: ErrorOptions,
	) {
		super(message, options);
		this.name = new.target.name;
	}
}

export type ConnectionErrorReason = "not-open" | "lost" | "timeout" | "closed";

/** The server could not be asked, or did not answer. */
export class ConnectionError extends ParleyError<ConnectionErrorReason> {}

/** The codes of docs/protocol.md, "Errors and close codes". */
export type RequestErrorReason =
	| "malformed"
	| "unknown_type"
	| "bad_field"
	| "not_joined"
	| "already_joined"
	| "no_such_member"
	| "room_full"
	| "denied"
	| "limit"
	| "rate_limited"
	| "too_large"
	| "unavailable"
	| "cannot_resume";

/** The server refused a request. A newer server may know more reasons than this list. */
export class RequestError extends ParleyError<RequestErrorReason | (string & {})> {
	constructor(
		reason: string,
		message: string,
		readonly detail?: string,
	) {
		super(reason, message);
	}
}

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
