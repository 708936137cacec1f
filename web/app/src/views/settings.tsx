import type { MediaModel } from "../state/media-model.js";
import { Dialog, DialogHead, Meter } from "./parts.js";
import { DeviceFields } from "./prejoin.js";

const SHORTCUTS = [
	["M", "Mute and unmute"],
	["V", "Camera on and off"],
	["S", "Share the screen"],
	["H", "Raise and lower your hand"],
	["C", "Open and close the chat"],
	["?", "This window"],
	["Esc", "Close what is open"],
] as const;

/** Devices and the keys that save a click. */
export function Settings({ media, onClose }: { media: MediaModel; onClose: () => void }) {
	return (
		<Dialog label="Devices and shortcuts" testid="settings-dialog" onClose={onClose}>
			<DialogHead title="Devices" onClose={onClose} />
			<DeviceFields media={media} />
			<div class="settings-level">
				<span>Your microphone</span>
				<Meter level={media.level.value} on={media.micOn.value} />
			</div>
			<h3>Keys</h3>
			<dl class="keys">
				{SHORTCUTS.map(([key, what]) => (
					<div key={key}>
						<dt>
							<kbd>{key}</kbd>
						</dt>
						<dd>{what}</dd>
					</div>
				))}
			</dl>
		</Dialog>
	);
}
