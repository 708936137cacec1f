import type { ConnectionState, RoomState } from "../../../sdk/src/index.js";
import type { TileModel } from "./people.js";

/** The colours of the status; each has a text as well, for colour alone says too little. */
export type Tone = "live" | "connecting" | "connected" | "local";

export interface Status {
	tone: Tone;
	text: string;
}

export interface StatusInput {
	connection: ConnectionState;
	room: RoomState;
	micOn: boolean;
	/** How the others are reached. */
	links: readonly TileModel["link"][];
	/** We were in the room before: what we see now is not the first attempt. */
	wasIn: boolean;
}

/**
 * live: green pulse, the microphone is on; connecting: yellow pulse; connected: blue;
 * local: orange, the server is away and the call lives on without it.
 */
export function statusOf({ connection, room, micOn, links, wasIn }: StatusInput): Status {
	if (room === "ended" || room === "out") return { tone: "local", text: "Not in the room" };
	if (connection !== "open" && wasIn) return { tone: "local", text: awayText(links) };
	if (connection === "waiting" || connection === "closed") {
		return { tone: "local", text: awayText(links) };
	}
	if (room === "waiting") return { tone: "connecting", text: "Waiting" };
	if (room !== "in") return { tone: "connecting", text: "Connecting" };
	if (links.some(isUnsettled)) return { tone: "connecting", text: "Connecting" };
	return micOn ? { tone: "live", text: "Microphone on" } : { tone: "connected", text: "Connected" };
}

function isUnsettled(link: TileModel["link"]): boolean {
	return link === "connecting" || link === "lost";
}

function awayText(links: StatusInput["links"]): string {
	return links.includes("connected") ? "Server away, call goes on" : "Server away, local only";
}

/** Whole seconds until `at`, for a countdown; never negative. */
export function secondsUntil(at: number, now: number): number {
	return Math.max(0, Math.ceil((at - now) / 1000));
}

/** 0:07, 12:40, 1:02:03. */
export function durationText(ms: number): string {
	const total = Math.max(0, Math.floor(ms / 1000));
	const two = (value: number) => String(value).padStart(2, "0");
	const [hours, minutes, seconds] = [
		Math.floor(total / 3600),
		Math.floor(total / 60) % 60,
		total % 60,
	];
	return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
