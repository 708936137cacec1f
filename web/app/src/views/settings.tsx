import type { CallModel } from "../state/call-model.js";
import { Dialog, DialogHead, Meter } from "./parts.js";
import { Paths } from "./paths.js";
import { DeviceFields } from "./prejoin.js";

const SHORTCUTS = [
	["M", "Mute and unmute"],
	["V", "Camera on and off"],
	["S", "Share the screen"],
	["H", "Raise and lower your hand"],
	["C", "Open and close the chat"],
	["P", "Who is here"],
	["R", "Other rooms"],
	["?", "This window"],
	["Esc", "Close what is open"],
] as const;

/** Devices, how the media travels, and the keys that save a click. */
export function Settings({ model, onClose }: { model: CallModel; onClose: () => void }) {
	const { media } = model;
	return (
		<Dialog label="Devices, connections and shortcuts" testid="settings-dialog" onClose={onClose}>
			<DialogHead title="Devices" onClose={onClose} />
			<DeviceFields media={media} />
			<div class="settings-level">
				<span>Your microphone</span>
				<Meter level={media.level.value} on={media.micOn.value} />
			</div>
			<Paths model={model} />
			<h3 class="for-keyboards">Keys</h3>
			<dl class="keys for-keyboards">
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
