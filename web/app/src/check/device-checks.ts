import { LevelMeter, MediaError, openInput } from "../../../sdk/src/index.js";
import { type Check, fail, leftOut, pass } from "./finding.js";

const LISTEN = 1500; // ms of microphone

export const microphoneCheck: Check = {
	id: "microphone",
	title: "Microphone",
	async run() {
		if (!navigator.mediaDevices) return leftOut("It needs a secure page.");
		try {
			const track = await openInput("audio");
			const loudest = await hear(track);
			track.stop();
			if (loudest > 0.0005) return pass(track.label || "heard something");
			return fail(
				`Nothing but silence comes from ${track.label || "it"}.`,
				"See whether it is muted, on the device or in the system's settings.",
			);
		} catch (error) {
			return deviceFailed("microphone", error);
		}
	},
};

export const cameraCheck: Check = {
	id: "camera",
	title: "Camera",
	async run() {
		if (!navigator.mediaDevices) return leftOut("It needs a secure page.");
		try {
			const track = await openInput("video");
			const { width, height } = track.getSettings();
			track.stop();
			return pass(`${track.label || "camera"}, ${width} × ${height}`);
		} catch (error) {
			return deviceFailed("camera", error);
		}
	},
};

/** The loudest moment, as root mean square. */
async function hear(track: MediaStreamTrack): Promise<number> {
	let loudest = 0;
	const meter = new LevelMeter((rms) => {
		loudest = Math.max(loudest, rms);
	});
	meter.listen(track);
	await new Promise((resolve) => setTimeout(resolve, LISTEN));
	meter.close();
	return loudest;
}

function deviceFailed(thing: string, error: unknown) {
	switch (MediaError.from(error).reason) {
		case "permission-denied":
			return fail(
				`The browser does not let this page use the ${thing}.`,
				"Click the icon left of the address, allow it there, and check again.",
			);
		case "no-device":
			return fail(`There is no ${thing}.`, "Plug one in, or go on without.");
		case "device-busy":
			return fail(
				`The ${thing} cannot be started.`,
				"Another program may be using it: close that one.",
			);
		default:
			return fail(`The ${thing} cannot be used.`, "Try a current Chrome, Edge, Firefox or Safari.");
	}
}
