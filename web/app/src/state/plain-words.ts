import {
	ConnectionError,
	type MediaError,
	RequestError,
	type Role,
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

/**
 * Why a room could not be entered.
 *
 * @param waited somebody in the room was asked to let us in
 */
export function joinWords(error: unknown, waited = false): PlainWords {
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
			if (waited) {
				return {
					title: "You were not let in",
					advice: "Somebody in the room turned you away, or everybody has left. You may ask again.",
				};
			}
			return {
				title: "You may not enter this room",
				advice: "Ask whoever invited you for another link.",
			};
		case "locked":
			return {
				title: "This room is locked",
				advice: "Nobody else comes in now. Ask somebody inside to unlock it, then try again.",
			};
		case "banned":
			return {
				title: "You may not come back into this room",
				advice: "Somebody who looks after it has put you out for good.",
			};
		case "limit":
			return {
				title: "The server has no place for this now",
				advice: "Too many people wait, or too many rooms are open. Try again in a few minutes.",
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

/** What a role that was given to us means. */
export function roleWords(role: Role, before: Role): PlainWords {
	switch (role) {
		case "listener":
			return {
				title: "You are a listener now",
				advice: "Your microphone and camera are off. You hear and see the others, and can write.",
			};
		case "speaker":
			return before === "listener"
				? {
						title: "You are a speaker now",
						advice: "Switch your microphone or camera on when you like.",
					}
				: {
						title: "You are a speaker now",
						advice: "Others look after the room; in the call nothing changes for you.",
					};
		case "moderator":
			return {
				title: "You are a moderator now",
				advice: "You can mute and remove people, and let others in: open the list of people.",
			};
		case "owner":
			return {
				title: "You are an owner now",
				advice: "You decide who comes in, and what each may do: open the list of people.",
			};
	}
}

/** Our microphone was taken, or given back. */
export function mutedWords(muted: boolean): PlainWords {
	return muted
		? {
				title: "Somebody who looks after the room has muted you",
				advice: "You can switch your microphone on again when they allow it.",
			}
		: { title: "You may speak again", advice: "Switch your microphone on when you like." };
}

/** What is new about the door of the room; undefined: nothing. */
export function doorWords(
	now: { locked: boolean; lobby: boolean },
	wasLocked: boolean,
	hadLobby: boolean,
): string | undefined {
	if (now.locked !== wasLocked) {
		return now.locked ? "The room is locked: nobody else comes in" : "The room is no longer locked";
	}
	if (now.lobby === hadLobby) return undefined;
	return now.lobby ? "Newcomers now wait to be let in" : "Newcomers come in without waiting";
}
