import { type Abortable, abortable } from "./abort.js";
import { MediaError } from "./errors.js";

/** What can be opened: a microphone or a camera. */
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

/**
 * Browsers hide cameras and microphones from pages that came over plain http.
 *
 * ```ts
 * if (!canCapture()) console.log("open this page over https to speak");
 * ```
 */
export function canCapture(): boolean {
	return typeof navigator !== "undefined" && navigator.mediaDevices !== undefined;
}

/** Phones, for instance, cannot. */
export function canShareScreen(): boolean {
	return canCapture() && "getDisplayMedia" in navigator.mediaDevices;
}

function devices(): MediaDevices {
	if (canCapture()) return navigator.mediaDevices;
	throw new MediaError("insecure-origin", "cameras and microphones need https");
}

const stop = (stream: MediaStream) => {
	for (const track of stream.getTracks()) track.stop();
};

/**
 * One track of the device, or of any device of the kind. Rejects with a MediaError.
 *
 * ```ts
 * const microphone = await openInput("audio");
 * ```
 */
export async function openInput(
	kind: InputKind,
	deviceId?: string,
	{ signal }: Abortable = {},
): Promise<MediaStreamTrack> {
	const base = kind === "audio" ? AUDIO : VIDEO;
	// Not `exact`: a device remembered from yesterday may be unplugged today.
	const wanted = deviceId ? { ...base, deviceId: { ideal: deviceId } } : base;
	try {
		const asked = devices().getUserMedia({ [kind]: wanted });
		return firstTrack(await abortable(asked, signal, stop));
	} catch (error) {
		signal?.throwIfAborted();
		throw MediaError.from(error);
	}
}

/**
 * A screen, window or tab. Saying no in the browser's dialog is `cancelled`.
 *
 * ```ts
 * const screen = canShareScreen() ? await openScreen() : undefined;
 * ```
 */
export async function openScreen({ signal }: Abortable = {}): Promise<MediaStreamTrack> {
	try {
		if (canCapture() && !canShareScreen()) {
			throw new MediaError("unsupported", "this browser cannot share its screen");
		}
		const asked = devices().getDisplayMedia({
			video: { frameRate: { ideal: 15 } },
			audio: false,
		});
		const track = firstTrack(await abortable(asked, signal, stop));
		track.contentHint = "detail";
		return track;
	} catch (error) {
		signal?.throwIfAborted();
		const plain = MediaError.from(error);
		if (plain.reason !== "permission-denied") throw plain;
		throw new MediaError("cancelled", plain.message, { cause: error });
	}
}

/**
 * Asks for both inputs with one question to the person, so that they see one dialog instead
 * of two; what was refused already is not asked for. Each is a track or says why not.
 *
 * ```ts
 * const { audio, video } = await openInputs({});
 * if (audio instanceof MediaError) console.log("no microphone:", audio.reason);
 * ```
 */
export async function openInputs(
	ids: Partial<Record<InputKind, string>>,
	{ signal }: Abortable = {},
): Promise<Record<InputKind, MediaStreamTrack | MediaError>> {
	const one = (kind: InputKind) =>
		openInput(kind, ids[kind], { signal }).catch((error) => {
			signal?.throwIfAborted();
			return MediaError.from(error);
		});
	try {
		const asked = devices().getUserMedia({
			audio: ids.audio ? { ...AUDIO, deviceId: { ideal: ids.audio } } : AUDIO,
			video: ids.video ? { ...VIDEO, deviceId: { ideal: ids.video } } : VIDEO,
		});
		const stream = await abortable(asked, signal, stop);
		const [audio] = stream.getAudioTracks();
		const [video] = stream.getVideoTracks();
		if (audio && video) return { audio, video };
	} catch (error) {
		signal?.throwIfAborted();
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

/** The devices of this machine, by what they are for. */
export interface Devices {
	audio: MediaDeviceInfo[];
	video: MediaDeviceInfo[];
	output: MediaDeviceInfo[];
}

/**
 * What can be chosen. Names are empty until the person has allowed one device.
 *
 * ```ts
 * const { audio } = await listDevices();
 * console.log(audio.map((device) => device.label));
 * ```
 */
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
