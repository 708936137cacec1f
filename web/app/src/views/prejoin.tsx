import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { MediaModel } from "../state/media-model.js";
import { cutBytes } from "../state/names.js";
import { problemWords } from "../state/plain-words.js";
import { loadPrefs, savePrefs } from "../state/prefs.js";
import { Brand, DeviceSelect, Notice } from "./parts.js";
import { Preview } from "./preview.js";

interface PrejoinProps {
	room: string;
	ring: boolean;
	/** The name that a token gives; it cannot be chosen then. */
	given: string | undefined;
	media: MediaModel;
	onJoin: (name: string) => void;
}

const NAME_BYTES = 128;

/** `/r/{room}` before the call: who are you, and how do you look and sound? */
export function Prejoin({ room, ring, given, media, onJoin }: PrejoinProps) {
	const name = useSignal(given ?? loadPrefs().name);
	const input = useRef<HTMLInputElement>(null);
	useEffect(() => {
		// On phones the keyboard would jump up over the preview.
		if (!name.peek() && matchMedia("(hover: hover)").matches) input.current?.focus();
	}, [name]);
	const join = (event: Event) => {
		event.preventDefault();
		const chosen = cutBytes(name.value.trim(), NAME_BYTES);
		if (given === undefined) savePrefs({ name: chosen });
		onJoin(chosen || "Guest");
	};
	return (
		<div class="prejoin">
			<header class="home-head">
				<Brand />
			</header>
			<main class="prejoin-main">
				<Preview model={media} name={name.value} />
				<form class="prejoin-form" onSubmit={join}>
					<div>
						<p class="eyebrow">{ring ? "You are about to call" : "You are about to join"}</p>
						<h1 class="room-title" data-testid="room-title" dir="auto">
							{room}
						</h1>
					</div>
					<Problems media={media} />
					<div class="field">
						<label for="your-name">Your name</label>
						<input
							id="your-name"
							ref={input}
							data-testid="name-input"
							value={name.value}
							maxLength={64}
							readOnly={given !== undefined}
							placeholder="How others see you"
							autocomplete="nickname"
							onInput={(event) => {
								name.value = event.currentTarget.value;
							}}
						/>
					</div>
					<DeviceFields media={media} />
					<button type="submit" class="primary big" data-testid="join-button">
						{ring ? "Call" : "Join the room"}
					</button>
					<p class="hint">{joinHint(media)}</p>
				</form>
			</main>
		</div>
	);
}

export function DeviceFields({ media }: { media: MediaModel }) {
	const { audio, video, output } = media.devices.value;
	// Read again when the track changes: the browser may have chosen another device.
	media.tracks.value;
	return (
		<div class="fields">
			<DeviceSelect
				label="Microphone"
				testid="audio-select"
				devices={audio}
				value={media.media.deviceId("audio") ?? ""}
				empty="No microphone"
				onChoose={(id) => void media.useDevice("audio", id)}
			/>
			<DeviceSelect
				label="Camera"
				testid="video-select"
				devices={video}
				value={media.media.deviceId("video") ?? ""}
				empty="No camera"
				onChoose={(id) => void media.useDevice("video", id)}
			/>
			{"setSinkId" in HTMLMediaElement.prototype && output.length > 1 && (
				<DeviceSelect
					label="Speaker"
					testid="output-select"
					devices={output}
					value={media.output.value || (output[0]?.deviceId ?? "")}
					empty="System default"
					onChoose={(id) => media.useOutput(id)}
				/>
			)}
		</div>
	);
}

/**
 * What is wrong with our own devices, in plain words.
 *
 * @param most how many are shown at once; the next when one is dismissed
 */
export function Problems({ media, most }: { media: MediaModel; most?: number }) {
	return (
		<>
			{problemWords(media.problems.value, location.href)
				.slice(0, most)
				.map(([slots, words]) => (
					<Notice key={slots.join()} words={words} onDismiss={() => media.dismiss(slots)} />
				))}
		</>
	);
}

function joinHint(media: MediaModel): string {
	const { value: mic } = media.micOn;
	const { value: camera } = media.cameraOn;
	if (mic && camera) return "Others will see and hear you.";
	if (mic) return "Others will hear you, without a picture.";
	if (camera) return "Others will see you; your microphone is off.";
	return "You come in to watch and listen.";
}
