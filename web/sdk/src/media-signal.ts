import { isObject } from "./json.js";

/**
 * The `data` of media signals (docs/protocol.md, "Media: who offers"). Beyond what the
 * protocol asks for, each carries `pc`, a random id of the sender's peer connection, and
 * `peer`, the one of ours that it is meant for. So both sides notice when the other has made
 * its connection anew, even if a lost line swallowed what told of it. Other clients send
 * neither; then nothing is checked.
 */
export interface MediaSignal {
	description?: RTCSessionDescriptionInit;
	candidate?: RTCIceCandidateInit | null;
	/** Please restart ICE: you are the impolite side and I have lost you. */
	restart?: true;
	/** After a rejoin: this is what I still have. Do you? */
	resume?: true;
	/** What you wrote to is gone; this `pc` took its place. */
	renewed?: true;
	pc?: string;
	peer?: string;
}

export function parseMediaSignal(data: unknown): MediaSignal | undefined {
	if (!isObject(data)) return undefined;
	const signal: MediaSignal = {};
	if (isDescription(data.description)) signal.description = data.description;
	if (isObject(data.candidate)) signal.candidate = data.candidate;
	else if (data.candidate === null) signal.candidate = null;
	for (const flag of ["restart", "resume", "renewed"] as const) {
		if (data[flag] === true) signal[flag] = true;
	}
	if (typeof data.pc === "string") signal.pc = data.pc;
	if (typeof data.peer === "string") signal.peer = data.peer;
	return signal;
}

function isDescription(value: unknown): value is RTCSessionDescriptionInit {
	return (
		isObject(value) &&
		(value.type === "offer" || value.type === "answer") &&
		typeof value.sdp === "string"
	);
}

/**
 * - `accept`: between the two connections that know each other.
 * - `adopt`: the first word of the other side's connection.
 * - `renew`: the other side has a new connection: make ours anew, then accept.
 * - `stale`: meant for a former connection of ours: say so, do nothing else.
 */
export type Admission = "accept" | "adopt" | "renew" | "stale";

export interface LinkIds {
	own: string;
	/** The other side's connection, as far as we have heard of it. */
	remote: string | undefined;
	/** Nothing of the other side was applied to ours yet. */
	fresh: boolean;
}

/**
 * A fresh connection fits any other: were it renewed too, two sides that renew in answer to
 * each other would never come to an end.
 */
export function admitSignal(signal: MediaSignal, ids: LinkIds): Admission {
	if (signal.pc === undefined) return "accept";
	const changed = ids.remote !== undefined && signal.pc !== ids.remote;
	if (changed && !ids.fresh) return "renew";
	if (signal.peer !== undefined && signal.peer !== ids.own) return "stale";
	return changed || ids.remote === undefined ? "adopt" : "accept";
}
