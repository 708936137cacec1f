import { MediaError } from "./errors.js";

export type InputKind = "audio" | "video";

const AUDIO: MediaTrackConstraints = {
	echoCancellation: true,
	noiseSuppression: true,
	autoGainControl: true,
};
const VIDEO: MediaTrackConstraints = {
	width: { ideal: 1280 },
	height: { ideal: 720 },
	frameRate: { ideal: 30 },
};

/** Browsers hide cameras and microphones from pages that came over plain http. */
export function canCapture(): boolean {
	return typeof navigator !== "undefined" && navigator.mediaDevices !== undefined;
}

export function canShareScreen(): boolean {
	return canCapture() && "getDisplayMedia" in navigator.mediaDevices;
}

function devices(): MediaDevices {
	if (canCapture()) return navigator.mediaDevices;
	throw new MediaError("insecure-origin", "cameras and microphones need https");
}

/** One track of the device, or of any device of the kind. Rejects with a MediaError. */
export async function openInput(kind: InputKind, deviceId?: string): Promise<MediaStreamTrack> {
	const base = kind === "audio" ? AUDIO : VIDEO;
	// Not `exact`: a device remembered from yesterday may be unplugged today.
	const wanted = deviceId ? { ...base, deviceId: { ideal: deviceId } } : base;
	try {
		const stream = await devices().getUserMedia({ [kind]: wanted });
		return firstTrack(stream);
	} catch (error) {
		throw MediaError.from(error);
	}
}

/** A screen, window or tab. Saying no in the browser's dialog is `cancelled`. */
export async function openScreen(): Promise<MediaStreamTrack> {
	try {
		if (canCapture() && !canShareScreen()) {
			throw new MediaError("unsupported", "this browser cannot share its screen");
		}
		const stream = await devices().getDisplayMedia({
			video: { frameRate: { ideal: 15 } },
			audio: false,
		});
		const track = firstTrack(stream);
		track.contentHint = "detail";
		return track;
	} catch (error) {
		const plain = MediaError.from(error);
		if (plain.reason !== "permission-denied") throw plain;
		throw new MediaError("cancelled", plain.message, { cause: error });
	}
}

/**
 * Asks for both inputs with one question to the person, so that they see one dialog instead
 * of two; what was refused already is not asked for. Each is a track or says why not.
 */
export async function openInputs(
	ids: Partial<Record<InputKind, string>>,
): Promise<Record<InputKind, MediaStreamTrack | MediaError>> {
	const one = (kind: InputKind) => openInput(kind, ids[kind]).catch(MediaError.from);
	try {
		const stream = await devices().getUserMedia({
			audio: ids.audio ? { ...AUDIO, deviceId: { ideal: ids.audio } } : AUDIO,
			video: ids.video ? { ...VIDEO, deviceId: { ideal: ids.video } } : VIDEO,
		});
		const [audio] = stream.getAudioTracks();
		const [video] = stream.getVideoTracks();
		if (audio && video) return { audio, video };
	} catch (error) {
		const plain = MediaError.from(error);
		if (plain.reason === "insecure-origin") return { audio: plain, video: plain };
		if (plain.reason === "permission-denied" && !(await refusedInPart())) {
			return { audio: plain, video: plain };
		}
	}
	// One of the two is missing, busy or refused: the other may still be had.
	return { audio: await one("audio"), video: await one("video") };
}

/** Whether just one of the two is refused by an earlier answer. */
async function refusedInPart(): Promise<boolean> {
	const refused = async (name: string) => {
		try {
			const { state } = await navigator.permissions.query({ name: name as PermissionName });
			return state === "denied";
		} catch {
			return false;
		}
	};
	return (await refused("microphone")) !== (await refused("camera"));
}

export interface Devices {
	audio: MediaDeviceInfo[];
	video: MediaDeviceInfo[];
	output: MediaDeviceInfo[];
}

/** What can be chosen. Names are empty until the person has allowed one device. */
export async function listDevices(): Promise<Devices> {
	if (!canCapture()) return { audio: [], video: [], output: [] };
	const all = await navigator.mediaDevices.enumerateDevices();
	const ofKind = (kind: MediaDeviceKind) =>
		all.filter((device) => device.kind === kind && device.deviceId !== "");
	return {
		audio: ofKind("audioinput"),
		video: ofKind("videoinput"),
		output: ofKind("audiooutput"),
	};
}

function firstTrack(stream: MediaStream): MediaStreamTrack {
	const [track] = stream.getTracks();
	if (!track) throw new MediaError("no-device", "the browser gave no track");
	return track;
}
