import { useSignal } from "@preact/signals";
import type { Role } from "../../../sdk/src/index.js";
import type { CallModel } from "../state/call-model.js";
import type { Removal } from "../state/care.js";
import { type PersonModel, ROLE_WORDS, rolesToGive } from "../state/people.js";
import { MicIcon } from "./icons.js";
import { AskTwice, Dialog, DialogHead } from "./parts.js";

/** For owners and moderators: what somebody may do in the room, their microphone, and the way out of it. */
export function Manage({ model }: { model: CallModel }) {
	const person = [...model.others.value, ...model.watching.value].find(
		({ key }) => key === model.care.managed.value,
	);
	const own = model.self.value?.role ?? "listener";
	if (!person) return null;
	const roles = rolesToGive(own, person.role);
	// Another owner may have taken the right away meanwhile.
	if (roles.length === 0) return null;
	return <ManageDialog key={person.key} model={model} person={person} />;
}

function ManageDialog({ model, person }: { model: CallModel; person: PersonModel }) {
	const refused = useSignal(false);
	/** Chosen, and the server is being asked. */
	const chosen = useSignal<Role>();
	const close = () => {
		model.care.managed.value = undefined;
	};
	const trying = async (action: Promise<boolean>) => {
		refused.value = false;
		refused.value = !(await action);
	};
	const choose = async (role: Role) => {
		chosen.value = role;
		await trying(model.care.setRole(person.key, role));
		chosen.value = undefined;
	};
	return (
		<Dialog label={`Manage ${person.name}`} testid="manage-dialog" onClose={close}>
			<DialogHead title={person.name} onClose={close} />
			<fieldset class="roles">
				<legend>In this room</legend>
				{rolesToGive(model.self.value?.role ?? "listener", person.role).map((role) => (
					<label key={role} class="role">
						<input
							type="radio"
							name="role"
							data-testid={`role-${role}`}
							checked={(chosen.value ?? person.role) === role}
							onChange={() => void choose(role)}
						/>
						<span>
							<strong>{ROLE_WORDS[role].name}</strong>
							<small>{ROLE_WORDS[role].may}</small>
						</span>
					</label>
				))}
			</fieldset>
			{person.role !== "listener" && (
				<Muting person={person} onMute={(on) => void trying(model.care.mute(person.key, on))} />
			)}
			{refused.value && (
				<p role="alert" class="danger-text" data-testid="manage-refused">
					The server did not allow it, or is away.
				</p>
			)}
			<Remove
				person={person}
				open={model.open.value}
				onRemove={(how) => void trying(model.care.remove(person.key, how))}
			/>
		</Dialog>
	);
}

/** The microphone of somebody who may speak. */
function Muting({ person, onMute }: { person: PersonModel; onMute: (on: boolean) => void }) {
	const muted = person.state.muted === true;
	return (
		<div class="muting">
			<button
				type="button"
				class="soft"
				data-testid="mute-person"
				aria-describedby="muting-about"
				onClick={() => onMute(!muted)}
			>
				<MicIcon off={!muted} size={20} />
				{muted ? "Allow the microphone again" : "Mute"}
			</button>
			<small id="muting-about">
				{muted
					? "They switch it on themselves."
					: "They cannot switch their microphone on until you allow it."}
			</small>
		</div>
	);
}

interface RemovalProps {
	person: PersonModel;
	/** The server asks nobody who they are. */
	open: boolean;
	onRemove: (how: Removal) => void;
}

function Remove({ person, open, onRemove }: RemovalProps) {
	const ban = useSignal(false);
	const reason = useSignal("");
	return (
		<AskTwice
			label="Remove from the room"
			question={`Remove ${person.name} from the room?`}
			yes="Remove"
			testid="kick"
			onYes={() => onRemove({ ban: ban.value, reason: reason.value })}
		>
			<div class="field">
				<label for="kick-reason">What they are told (may be left empty)</label>
				<input
					id="kick-reason"
					data-testid="kick-reason"
					autocomplete="off"
					maxLength={120}
					value={reason.value}
					onInput={(event) => {
						reason.value = event.currentTarget.value;
					}}
				/>
			</div>
			<label class="choice">
				<input
					type="checkbox"
					data-testid="ban-option"
					checked={ban.value}
					onChange={(event) => {
						ban.value = event.currentTarget.checked;
					}}
				/>
				<span>
					Do not let them come back
					<small>
						{open
							? "This server asks nobody who they are: in another window they are somebody else. Lock the room to be sure."
							: "They stay out also when everybody has left in between."}
					</small>
				</span>
			</label>
		</AskTwice>
	);
}
