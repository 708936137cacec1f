import { useEffect } from "preact/hooks";
import { startRinging } from "../ring-tone.js";
import type { CallModel } from "../state/call-model.js";
import { HangUpIcon, PhoneIcon } from "./icons.js";
import { Dialog } from "./parts.js";
import { Avatar } from "./preview.js";

/** Somebody calls: accept or decline. It stays until answered or the caller gives up. */
export function Incoming({ model }: { model: CallModel }) {
	const [caller] = model.incoming.value;
	const key = caller?.key;
	useEffect(() => (key ? startRinging("incoming") : undefined), [key]);
	if (!caller) return null;
	return (
		<Dialog label={`${caller.name} is calling`} testid="incoming-dialog">
			<div class="ringing">
				<span class="halo">
					<Avatar name={caller.name} />
				</span>
				<h2 dir="auto">{caller.name}</h2>
				<p>is calling you</p>
				<div class="ringing-actions">
					<button
						type="button"
						class="answer reject"
						data-testid="reject-button"
						onClick={() => model.reject(caller.key)}
					>
						<HangUpIcon />
						Decline
					</button>
					<button
						type="button"
						class="answer accept"
						data-testid="accept-button"
						onClick={() => model.accept(caller.key)}
					>
						<PhoneIcon />
						Accept
					</button>
				</div>
			</div>
		</Dialog>
	);
}

/** We call: wait, or give up. */
export function Calling({ model, onCancel }: { model: CallModel; onCancel: () => void }) {
	const names = model.outgoing.value.map((person) => person.name).join(", ");
	useEffect(() => startRinging("outgoing"), []);
	return (
		<main class="waiting" data-testid="calling">
			<div class="ringing">
				<span class="halo">
					<Avatar name={names} />
				</span>
				<h1>Calling {names}</h1>
				<p>They hear your call ring. Wait for them to answer.</p>
				<div class="ringing-actions">
					<button
						type="button"
						class="answer reject"
						data-testid="cancel-button"
						onClick={onCancel}
					>
						<HangUpIcon />
						Cancel
					</button>
				</div>
			</div>
		</main>
	);
}

interface DeclinedProps {
	name: string;
	onAgain: () => void;
	onHome: () => void;
}

export function Declined({ name, onAgain, onHome }: DeclinedProps) {
	return (
		<main class="waiting" data-testid="declined">
			<div class="ringing">
				<Avatar name={name} />
				<h1>{name} declined the call</h1>
				<p>It may just be a bad moment.</p>
				<div class="row">
					<button type="button" class="soft" data-testid="home-button" onClick={onHome}>
						To the start page
					</button>
					<button type="button" class="primary" data-testid="again-button" onClick={onAgain}>
						Call again
					</button>
				</div>
			</div>
		</main>
	);
}
