import type { Abortable } from "./abort.js";
import type { Devices } from "./capture.js";
import {
	canCapture,
	type InputKind,
	listDevices,
	openInput,
	openInputs,
	openScreen,
} from "./capture.js";
import { Emitter } from "./emitter.js";
import { MediaError } from "./errors.js";
import { LevelMeter } from "./level-meter.js";
import { emptySlots, type Slot, type SlotTracks } from "./slots.js";
import { SpeakingDetector } from "./speaking.js";

/** What a LocalMedia tells; see `on`. */
export interface LocalMediaEvents {
	/** Another track (or none) is in the slot. */
	track: { slot: Slot; track: MediaStreamTrack | null };
	/** Something was switched on or off. */
	changed: LocalMedia;
	/** A device could not be had. */
	problem: { slot: Slot; error: MediaError };
	/** RMS of our microphone, 0..1, some 16 times a second; 0 while it is off. */
	level: number;
	/** We have begun or ceased to speak. */
	speaking: boolean;
	/** What can be chosen from has changed. */
	devices: Devices;
}

const SLOT_OF = { audio: "audio", video: "camera" } as const;

/**
 * Our own microphone, camera and screen, from the preview to the end of the call. Muting
 * keeps the microphone open (it is back in no time); the camera is closed when it is
 * switched off, because its lamp is what people trust.
 *
 * ```ts
 * const media = new LocalMedia();
 * media.on("problem", ({ slot, error }) => console.log(slot, error.reason));
 * await media.open(["audio"]);
 * await media.setMic(false);
 * ```
 */
export class LocalMedia extends Emitter<LocalMediaEvents> {
	readonly #tracks: SlotTracks = emptySlots();
	readonly #ids: Partial<Record<InputKind, string>>;
	readonly #detector = new SpeakingDetector();
	#meter: LevelMeter | undefined;
	#muted = false;
	#closed = false;

	constructor(ids: Partial<Record<InputKind, string>> = {}) {
		super();
		this.#ids = { ...ids };
		if (canCapture()) navigator.mediaDevices.addEventListener("devicechange", this.#list);
	}

	/** What is sent now, by place; a muted microphone is there, a camera that is off is not. */
	get tracks(): Readonly<SlotTracks> {
		return this.#tracks;
	}

	/** The microphone is open and not muted. */
	get micOn(): boolean {
		return this.#tracks.audio !== null && !this.#muted;
	}

	/** The camera is open. */
	get cameraOn(): boolean {
		return this.#tracks.camera !== null;
	}

	/** The screen is shared. */
	get screenOn(): boolean {
		return this.#tracks.screen !== null;
	}

	/** The device in use, else the one wished for. */
	deviceId(kind: InputKind): string | undefined {
		return this.#tracks[SLOT_OF[kind]]?.getSettings().deviceId ?? this.#ids[kind];
	}

	/**
	 * Opens inputs with one question to the person; what fails is told as `problem`. Rejects only
	 * when it is aborted.
	 */
	async open(
		kinds: readonly InputKind[] = ["audio", "video"],
		{ signal }: Abortable = {},
	): Promise<void> {
		const [only] = kinds;
		if (kinds.length > 1) {
			const opened = await openInputs(this.#ids, { signal });
			for (const kind of kinds) this.#take(kind, opened[kind]);
		} else if (only) {
			const opened = await openInput(only, this.#ids[only], { signal }).catch(MediaError.from);
			signal?.throwIfAborted();
			this.#take(only, opened);
		}
		await this.#list();
	}

	/** Mutes and unmutes; opens the microphone if it has to. What fails is told as `problem`. */
	async setMic(on: boolean): Promise<void> {
		this.#muted = !on;
		if (on && !this.#tracks.audio) await this.#openInto("audio");
		if (this.#tracks.audio) this.#tracks.audio.enabled = on;
		if (!on && this.#detector.handleSilence()) this.emit("speaking", false);
		this.emit("changed", this);
	}

	/** Opens and closes the camera. What fails is told as `problem`. */
	async setCamera(on: boolean): Promise<void> {
		if (on && !this.#tracks.camera) await this.#openInto("video");
		else if (!on) this.#put("camera", null);
	}

	/** Rejects with a MediaError of reason `cancelled` if the person thought better of it. */
	async setScreen(on: boolean, wait?: Abortable): Promise<void> {
		if (!on) return this.#put("screen", null);
		this.#put("screen", await openScreen(wait));
	}

	/** Changes over to another device; one that is switched off stays off. */
	async useDevice(kind: InputKind, deviceId: string): Promise<void> {
		this.#ids[kind] = deviceId;
		if (this.#tracks[SLOT_OF[kind]]) await this.#openInto(kind);
		else this.emit("changed", this);
	}

	/** Stops every device; no lamp stays on. */
	close(): void {
		this.#closed = true;
		for (const slot of ["audio", "camera", "screen"] as const) this.#put(slot, null);
		if (canCapture()) navigator.mediaDevices.removeEventListener("devicechange", this.#list);
		this.clear();
	}

	async #openInto(kind: InputKind): Promise<void> {
		// Phones open one camera at a time: the old one must go before the new one comes.
		if (kind === "video") this.#tracks.camera?.stop();
		const opened = await openInput(kind, this.#ids[kind]).catch(MediaError.from);
		this.#take(kind, opened);
		await this.#list();
	}

	#take(kind: InputKind, opened: MediaStreamTrack | MediaError): void {
		const slot = SLOT_OF[kind];
		if (!(opened instanceof MediaError)) return this.#put(slot, opened);
		this.#put(slot, null);
		this.emit("problem", { slot, error: opened });
	}

	#put(slot: Slot, track: MediaStreamTrack | null): void {
		if (this.#closed && track) return track.stop();
		const old = this.#tracks[slot];
		if (old) {
			old.onended = null;
			old.stop();
		}
		this.#tracks[slot] = track;
		if (track) track.onended = () => this.#handleEnded(slot);
		if (slot === "audio") this.#listen(track);
		if (old === track) return;
		this.emit("track", { slot, track });
		this.emit("changed", this);
	}

	/** Unplugged, taken away, or stopped in the browser's own bar. */
	#handleEnded(slot: Slot): void {
		this.#put(slot, null);
		if (slot === "screen") return;
		// Another device of the kind may be there; if not, the problem says so.
		void this.#openInto(slot === "audio" ? "audio" : "video");
	}

	#listen(track: MediaStreamTrack | null): void {
		if (track) {
			track.enabled = !this.#muted;
			this.#meter ??= new LevelMeter((level) => this.#handleLevel(level));
			this.#meter.listen(track);
			return;
		}
		this.#meter?.close();
		this.#meter = undefined;
		this.#handleLevel(0);
		if (this.#detector.handleSilence()) this.emit("speaking", false);
	}

	#handleLevel(rms: number): void {
		this.emit("level", this.#muted ? 0 : rms);
		if (this.#muted || !this.#detector.handleLevel(rms, Date.now())) return;
		this.emit("speaking", this.#detector.speaking);
	}

	readonly #list = async (): Promise<void> => this.emit("devices", await listDevices());
}
