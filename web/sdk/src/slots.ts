/**
 * The three places for media between two people. Their order in the description says which
 * is which, and they are there from the start: muting, changing a device or sharing the
 * screen only changes the track in a place and never negotiates.
 */
export const SLOTS = ["audio", "camera", "screen"] as const;
/** The three places for media of a connection. */
export type Slot = (typeof SLOTS)[number];

/** The track in each place, or none. */
export type SlotTracks = Record<Slot, MediaStreamTrack | null>;

export function emptySlots(): SlotTracks {
	return { audio: null, camera: null, screen: null };
}

export function kindOf(slot: Slot): "audio" | "video" {
	return slot === "audio" ? "audio" : "video";
}

/**
 * The first audio section is the voice, the first video the camera, the second the screen.
 * So a client that is not ours and offers just voice and camera is understood as well.
 */
export function findSlots<T extends { receiver: { track: { kind: string } } }>(
	transceivers: readonly T[],
): Partial<Record<Slot, T>> {
	const ofKind = (kind: string) => transceivers.filter((t) => t.receiver.track.kind === kind);
	const [audio] = ofKind("audio");
	const [camera, screen] = ofKind("video");
	return { ...(audio && { audio }), ...(camera && { camera }), ...(screen && { screen }) };
}

export interface VideoBudget {
	maxBitrate: number;
	maxFramerate: number;
	scaleResolutionDownBy: number;
}

/** In a mesh everybody sends to everybody: the more people, the less for each. */
export function videoBudget(slot: "camera" | "screen", people: number): VideoBudget {
	if (slot === "screen") {
		return {
			maxBitrate: 2_500_000 / Math.max(1, people - 1),
			maxFramerate: 15,
			scaleResolutionDownBy: 1,
		};
	}
	if (people <= 1) return { maxBitrate: 1_500_000, maxFramerate: 30, scaleResolutionDownBy: 1 };
	if (people <= 3) return { maxBitrate: 600_000, maxFramerate: 24, scaleResolutionDownBy: 1.5 };
	return { maxBitrate: 300_000, maxFramerate: 20, scaleResolutionDownBy: 2 };
}
