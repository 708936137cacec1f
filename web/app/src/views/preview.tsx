import type { MediaModel } from "../state/media-model.js";
import { hueOf, initials } from "../state/names.js";
import { useTrack } from "./hooks.js";
import { CameraIcon, MicIcon } from "./icons.js";
import { Meter } from "./parts.js";

export function Avatar({ name }: { name: string }) {
	return (
		<span class="avatar" style={{ "--hue": String(hueOf(name)) }} aria-hidden="true">
			{initials(name)}
		</span>
	);
}

/** Our own picture before the call, with the two switches that matter. */
export function Preview({ model, name }: { model: MediaModel; name: string }) {
	const video = useTrack<HTMLVideoElement>(model.tracks.value.camera);
	return (
		<div class={model.asking.value ? "preview asking" : "preview"} data-testid="preview">
			{!model.cameraOn.value && (
				<div class="preview-off">
					{name ? <Avatar name={name} /> : <CameraIcon off size={34} />}
					<span>{previewText(model)}</span>
				</div>
			)}
			<video
				ref={video}
				class="mirrored"
				autoplay
				muted
				playsInline
				hidden={!model.cameraOn.value}
				aria-label="Your camera"
			/>
			<div class="preview-bar">
				<button
					type="button"
					class="control"
					data-testid="mute-button"
					aria-pressed={!model.micOn.value}
					aria-label="Mute"
					title={model.micOn.value ? "Mute the microphone" : "Switch the microphone on"}
					onClick={() => void model.toggleMic()}
				>
					<MicIcon off={!model.micOn.value} />
				</button>
				<button
					type="button"
					class="control"
					data-testid="camera-button"
					aria-pressed={!model.cameraOn.value}
					aria-label="Camera off"
					title={model.cameraOn.value ? "Switch the camera off" : "Switch the camera on"}
					onClick={() => void model.toggleCamera()}
				>
					<CameraIcon off={!model.cameraOn.value} />
				</button>
			</div>
			<div class="preview-level">
				<Meter level={model.level.value} on={model.micOn.value} />
			</div>
		</div>
	);
}

function previewText(model: MediaModel): string {
	if (model.asking.value) return "Your browser asks whether this page may use your camera";
	return model.problems.value.camera ? "No picture" : "Your camera is off";
}
