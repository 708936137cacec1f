import { signal } from "@preact/signals";
import {
	type Devices,
	type InputKind,
	LocalMedia,
	MediaError,
	meterOf,
	type Slot,
	type SlotTracks,
} from "../../../sdk/src/index.js";
import type { MediaProblems } from "./plain-words.js";
import { loadPrefs, savePrefs } from "./prefs.js";

/** Our own devices as signals, from the preview to the end of the call. */
export class MediaModel {
	readonly media: LocalMedia;
	readonly micOn = signal(false);
	readonly cameraOn = signal(false);
	readonly screenOn = signal(false);
	readonly tracks = signal<Readonly<SlotTracks>>({ audio: null, camera: null, screen: null });
	readonly level = signal(0);
	readonly speaking = signal(false);
	readonly devices = signal<Devices>({ audio: [], video: [], output: [] });
	readonly output = signal(loadPrefs().output);
	/** The browser is asking the person for leave. */
	readonly asking = signal(false);
	readonly problems = signal<MediaProblems>({});

	constructor() {
		const { audio, video } = loadPrefs();
		this.media = new LocalMedia({ ...(audio && { audio }), ...(video && { video }) });
		this.media.on("changed", () => this.#read());
		this.media.on("track", () => this.#read());
		this.media.on("level", (rms) => {
			this.level.value = meterOf(rms);
		});
		this.media.on("speaking", (speaking) => {
			this.speaking.value = speaking;
		});
		this.media.on("devices", (devices) => {
			this.devices.value = devices;
		});
		this.media.on("problem", ({ slot, error }) => this.#fail(slot, error));
	}

	/** Opens what was on the last time; refusals become problems, never a dead end. */
	async start(): Promise<void> {
		const { micOn, cameraOn } = loadPrefs();
		const kinds: InputKind[] = [];
		if (micOn) kinds.push("audio");
		if (cameraOn) kinds.push("video");
		this.asking.value = kinds.length > 0;
		await this.media.open(kinds);
		this.asking.value = false;
	}

	async toggleMic(): Promise<void> {
		this.#settle("audio");
		await this.media.setMic(!this.micOn.value);
		if (!this.problems.value.audio) savePrefs({ micOn: this.micOn.value });
	}

	async toggleCamera(): Promise<void> {
		this.#settle("camera");
		await this.media.setCamera(!this.cameraOn.value);
		if (!this.problems.value.camera) savePrefs({ cameraOn: this.cameraOn.value });
	}

	async toggleScreen(): Promise<void> {
		this.#settle("screen");
		try {
			await this.media.setScreen(!this.screenOn.value);
		} catch (error) {
			const plain = MediaError.from(error);
			if (plain.reason !== "cancelled") this.#fail("screen", plain);
		}
	}

	async useDevice(kind: InputKind, deviceId: string): Promise<void> {
		this.#settle(kind === "audio" ? "audio" : "camera");
		savePrefs({ [kind]: deviceId });
		await this.media.useDevice(kind, deviceId);
	}

	useOutput(deviceId: string): void {
		savePrefs({ output: deviceId });
		this.output.value = deviceId;
	}

	dismiss(slots: readonly Slot[]): void {
		for (const slot of slots) this.#settle(slot);
	}

	close(): void {
		this.media.close();
	}

	#read(): void {
		this.micOn.value = this.media.micOn;
		this.cameraOn.value = this.media.cameraOn;
		this.screenOn.value = this.media.screenOn;
		this.tracks.value = { ...this.media.tracks };
	}

	#settle(slot: Slot): void {
		const { [slot]: _, ...others } = this.problems.value;
		this.problems.value = others;
	}

	#fail(slot: Slot, error: MediaError): void {
		this.problems.value = { ...this.problems.value, [slot]: error };
	}
}
