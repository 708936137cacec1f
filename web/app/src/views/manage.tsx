import { useSignal } from "@preact/signals";
import type { Role } from "../../../sdk/src/index.js";
import type { CallModel } from "../state/call-model.js";
import { ROLE_WORDS, rolesToGive, type TileModel } from "../state/people.js";
import { Dialog, DialogHead } from "./parts.js";

/** For owners and moderators: what somebody may do in the room, and the way out of it. */
export function Manage({ model }: { model: CallModel }) {
	const person = model.others.value.find(({ key }) => key === model.managed.value);
	const own = model.self.value?.role ?? "listener";
	if (!person) return null;
	const roles = rolesToGive(own, person.role);
	// Another owner may have taken the right away meanwhile.
	if (roles.length === 0) return null;
	return <ManageDialog key={person.key} model={model} person={person} />;
}

function ManageDialog({ model, person }: { model: CallModel; person: TileModel }) {
	const refused = useSignal(false);
	/** Chosen, and the server is being asked. */
	const chosen = useSignal<Role>();
	const close = () => {
		model.managed.value = undefined;
	};
	const trying = async (action: Promise<boolean>) => {
		refused.value = false;
		refused.value = !(await action);
	};
	const choose = async (role: Role) => {
		chosen.value = role;
		await trying(model.setRole(person.key, role));
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
			{refused.value && (
				<p role="alert" class="danger-text" data-testid="manage-refused">
					The server did not allow it, or is away.
				</p>
			)}
			<Removal person={person} onRemove={() => void trying(model.kick(person.key))} />
		</Dialog>
	);
}

/** Asks once more: nobody shall be put out by a slip of the finger. */
function Removal({ person, onRemove }: { person: TileModel; onRemove: () => void }) {
	const asking = useSignal(false);
	if (!asking.value)
		return (
			<button
				type="button"
				class="soft danger-text"
				data-testid="kick-button"
				onClick={() => {
					asking.value = true;
				}}
			>
				Remove from the room
			</button>
		);
	return (
		<div class="removal">
			<p role="status">Remove {person.name} from the room?</p>
			<button
				ref={focusOn}
				type="button"
				class="soft"
				onClick={() => {
					asking.value = false;
				}}
			>
				Keep
			</button>
			<button type="button" class="primary danger" data-testid="kick-confirm" onClick={onRemove}>
				Remove
			</button>
		</div>
	);
}

/** Where the keyboard goes on when the button that was pressed is gone. */
function focusOn(element: HTMLElement | null): void {
	element?.focus();
}
