import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { Knock } from "../../../sdk/src/index.js";
import type { CallModel } from "../state/call-model.js";
import type { Care } from "../state/care.js";
import { looksAfter, mayManage, type PersonModel, ROLE_WORDS } from "../state/people.js";
import { Bans } from "./bans.js";
import { DotsIcon, HandIcon, MicIcon } from "./icons.js";
import { KnockButtons } from "./knock.js";
import { AskTwice, Dialog, DialogHead } from "./parts.js";
import { Avatar } from "./preview.js";

/** Who is here and who waits; for owners and moderators, the door and the microphones as well. */
export function PeopleDialog({ model, onClose }: { model: CallModel; onClose: () => void }) {
	const { care } = model;
	const self = model.self.value;
	const role = self?.role ?? "listener";
	const manageOf = (person: PersonModel) =>
		mayManage(role, person)
			? () => {
					care.managed.value = person.key;
				}
			: undefined;
	return (
		<Dialog label="People" testid="people-dialog" onClose={onClose}>
			<DialogHead title="People" onClose={onClose} />
			<Lobby care={care} />
			<ul class="people" aria-label="In the room">
				{self && <PersonRow person={self} />}
				{model.others.value.map((person) => (
					<PersonRow key={person.key} person={person} onManage={manageOf(person)} />
				))}
			</ul>
			{model.watching.value.length > 0 && (
				<section class="watching" aria-label="Reading along" data-testid="watching">
					<h3>Reading along</h3>
					<p>
						They read and write in the chat from another room. They do not hear or see the call.
					</p>
					<ul class="people">
						{model.watching.value.map((person) => (
							<PersonRow key={person.key} person={person} watching onManage={manageOf(person)} />
						))}
					</ul>
				</section>
			)}
			{looksAfter(role) && <RoomCare model={model} />}
		</Dialog>
	);
}

function Lobby({ care }: { care: Care }) {
	const waiting = care.waiting.value;
	if (waiting.length === 0) return null;
	return (
		<section class="lobby" aria-label="Waiting to be let in" data-testid="lobby">
			<h3>Waiting to be let in</h3>
			<ul class="people">
				{waiting.map((knock) => (
					<KnockRow key={knock.id} knock={knock} care={care} />
				))}
			</ul>
		</section>
	);
}

function KnockRow({ knock, care }: { knock: Knock; care: Care }) {
	const name = knock.name || "Somebody";
	return (
		<li class="person" data-testid="knock-row">
			<Avatar name={name} />
			<strong dir="auto">{name}</strong>
			<KnockButtons knock={knock} care={care} name={name} />
		</li>
	);
}

interface PersonRowProps {
	person: PersonModel;
	/** Takes no part in the call. */
	watching?: boolean;
	onManage?: (() => void) | undefined;
}

function PersonRow({ person, watching = false, onManage }: PersonRowProps) {
	const { mic, muted, hand } = person.state;
	return (
		<li class="person" data-testid="person-row">
			<Avatar name={person.name} />
			<span class="person-about">
				<strong dir="auto">{person.self ? `${person.name} (you)` : person.name}</strong>
				<small>{muted ? "muted" : ROLE_WORDS[person.role].name.toLowerCase()}</small>
			</span>
			{hand && (
				<span title="Hand raised">
					<HandIcon size={18} />
					<span class="unseen">hand raised</span>
				</span>
			)}
			{!mic && !watching && (
				<span title="Microphone off">
					<MicIcon off size={18} />
					<span class="unseen">microphone off</span>
				</span>
			)}
			{onManage && (
				<button
					type="button"
					class="plain round"
					aria-label={`Manage ${person.name}`}
					title={`Manage ${person.name}`}
					onClick={onManage}
				>
					<DotsIcon size={20} />
				</button>
			)}
		</li>
	);
}

/** What holds for the whole room. */
function RoomCare({ model }: { model: CallModel }) {
	const { care } = model;
	const refused = useSignal(false);
	const trying = async (action: Promise<boolean>) => {
		refused.value = false;
		refused.value = !(await action);
	};
	const muted = model.others.value.some(({ state }) => state.muted);
	return (
		<section class="room-care" aria-label="The room">
			<h3>The room</h3>
			<Switch
				testid="lobby-option"
				label="Newcomers wait"
				about="You are told who comes, and let them in or turn them away."
				on={care.lobby}
				onChange={(on) => trying(care.setLobby(on))}
			/>
			<Switch
				testid="lock-option"
				label="Lock the room"
				about="Nobody else comes in."
				on={care.locked}
				onChange={(on) => trying(care.setLocked(on))}
			/>
			<div class="row">
				<button
					type="button"
					class="soft"
					data-testid="mute-all"
					onClick={() => void trying(care.muteAll(true))}
				>
					Mute everybody else
				</button>
				{muted && (
					<button
						type="button"
						class="soft"
						data-testid="unmute-all"
						onClick={() => void trying(care.muteAll(false))}
					>
						Let everybody speak
					</button>
				)}
			</div>
			<Bans care={care} />
			{model.self.value?.role === "owner" && (
				<AskTwice
					label="End the call for everybody"
					question="End the call for everybody?"
					yes="End it"
					testid="close"
					onYes={() => void trying(care.closeRoom())}
				/>
			)}
			{refused.value && (
				<p role="alert" class="danger-text" data-testid="care-refused">
					The server did not allow it, or is away.
				</p>
			)}
		</section>
	);
}

interface SwitchProps {
	testid: string;
	label: string;
	about: string;
	on: ReadonlySignal<boolean>;
	onChange: (on: boolean) => Promise<void>;
}

/** On is what the server says; a press asks it. */
function Switch({ testid, label, about, on, onChange }: SwitchProps) {
	return (
		<label class="choice">
			<input
				type="checkbox"
				data-testid={testid}
				checked={on.value}
				onChange={async (event) => {
					const box = event.currentTarget;
					await onChange(box.checked);
					// It may have been refused.
					box.checked = on.peek();
				}}
			/>
			<span>
				{label}
				<small>{about}</small>
			</span>
		</label>
	);
}
