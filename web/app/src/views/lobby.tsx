import type { CallModel } from "../state/call-model.js";
import { ClockIcon, HangUpIcon } from "./icons.js";

/** Before the door: somebody inside must let us in. */
export function InLobby({ model, onLeave }: { model: CallModel; onLeave: () => void }) {
	return (
		<main class="waiting" data-testid="in-lobby">
			<div class="ringing">
				<span class="ended-sign">
					<ClockIcon size={34} />
				</span>
				<h1>Somebody will let you in</h1>
				<p>
					Those who look after <bdi>{model.room}</bdi> were told that you wait. Nobody sees or hears
					you yet.
				</p>
				<div class="ringing-actions">
					<button type="button" class="answer reject" data-testid="cancel-button" onClick={onLeave}>
						<HangUpIcon />
						Leave
					</button>
				</div>
			</div>
		</main>
	);
}
