import {
	ConnectionError,
	type MediaError,
	RequestError,
	type Slot,
} from "../../../sdk/src/index.js";

/** What went wrong and what to do about it, for people. */
export interface PlainWords {
	title: string;
	advice: string;
	/** Where to go instead. */
	link?: { label: string; href: string };
}

/** What went wrong with our own devices. */
export type MediaProblems = Partial<Record<Slot, MediaError>>;

/**
 * One notice for camera and microphone if both failed for one reason, else one for each.
 *
 * @param href the page's own address, for the way to https
 */
export function problemWords(problems: MediaProblems, href: string): [Slot[], PlainWords][] {
	const { audio, camera, screen } = problems;
	const words: [Slot[], PlainWords][] = [];
	if (audio && camera && audio.reason === camera.reason) {
		words.push([["audio", "camera"], mediaWords("camera and microphone", audio, href)]);
	} else {
		if (audio) words.push([["audio"], mediaWords("microphone", audio, href)]);
		if (camera) words.push([["camera"], mediaWords("camera", camera, href)]);
	}
	if (screen) words.push([["screen"], mediaWords("screen", screen, href)]);
	return words;
}

function mediaWords(thing: string, error: MediaError, href: string): PlainWords {
	switch (error.reason) {
		case "permission-denied":
			return {
				title: `Your browser does not let this page use the ${thing}`,
				advice:
					"Click the icon left of the address, allow it there, and reload. " +
					"You can also go on without.",
			};
		case "no-device":
			return {
				title: `No ${thing.replace(" and ", " or ")} was found`,
				advice: "Plug one in and choose it, or go on without.",
			};
		case "device-busy":
			return {
				title: `The ${thing} cannot be started`,
				advice: "Another program may be using it. Close that one, then try again.",
			};
		case "insecure-origin":
			return {
				title: "Camera and microphone need a secure connection",
				advice: "Browsers allow them only over https. You can still join to watch and listen.",
				link: { label: "Open the secure page", href: href.replace(/^http:/, "https:") },
			};
		case "unsupported":
			return {
				title: `This browser cannot share the ${thing}`,
				advice: "Try a current Chrome, Edge, Firefox or Safari on a computer.",
			};
		case "cancelled":
		case "failed":
			return {
				title: `The ${thing} could not be started`,
				advice: "Try again, or choose another device in the settings.",
			};
	}
}

/** Why a room could not be entered. */
export function joinWords(error: unknown): PlainWords {
	if (error instanceof ConnectionError) {
		return {
			title: "The server cannot be reached",
			advice: "Check your network. It may also be restarting: try again in a moment.",
		};
	}
	const reason = error instanceof RequestError ? error.reason : "";
	switch (reason) {
		case "room_full":
			return {
				title: "This room is full",
				advice: "Wait until somebody leaves and try again, or open another room.",
			};
		case "unauthorized":
			return {
				title: "This room asks for an invitation",
				advice:
					error instanceof RequestError && error.detail === "expired"
						? "Your link was good for some time only. Ask whoever sent it for a new one."
						: "Open the link that was sent to you once more, or ask for one.",
			};
		case "denied":
			return {
				title: "You may not enter this room",
				advice: "Ask whoever invited you for another link.",
			};
		case "rate_limited":
			return {
				title: "Too many attempts",
				advice: "Wait a minute, then try again.",
			};
		case "bad_field":
		case "too_large":
			return {
				title: "The server does not take this name",
				advice: "Try a shorter name for yourself or for the room.",
			};
		default:
			return {
				title: "The room could not be entered",
				advice: `Try again in a moment.${reason ? ` The server said: ${reason}.` : ""}`,
			};
	}
}
