import { useSignal } from "@preact/signals";
import { roomNameOf } from "../state/names.js";
import type { OtherRoom, RoomsModel } from "../state/rooms-model.js";
import { CloseIcon } from "./icons.js";
import { Dialog, DialogHead } from "./parts.js";

interface RoomsProps {
	rooms: RoomsModel;
	/** The room that has the call. */
	current: string;
	onSwitch: (room: string) => void;
	onClose: () => void;
}

/** The rooms of this tab, and the way to another. */
export function Rooms({ rooms, current, onSwitch, onClose }: RoomsProps) {
	const typed = useSignal("");
	const wanted = roomNameOf(typed.value);
	const go = (room: string) => {
		onClose();
		if (room !== current) onSwitch(room);
	};
	return (
		<Dialog label="Rooms" testid="rooms-dialog" onClose={onClose}>
			<DialogHead title="Rooms" onClose={onClose} />
			<ul class="rooms">
				<li class="room-row current" aria-current="true">
					<span class="room-about">
						<strong dir="auto">{current}</strong>
						<small>Your call is here</small>
					</span>
				</li>
				{rooms.others.value.map((other) => (
					<RoomRow
						key={other.name}
						other={other}
						onGo={() => go(other.name)}
						onLeave={() => rooms.leave(other.name)}
					/>
				))}
			</ul>
			<form
				class="room-other"
				onSubmit={(event) => {
					event.preventDefault();
					if (wanted) go(wanted);
				}}
			>
				<div class="field">
					<label for="other-room">Another room</label>
					<input
						id="other-room"
						data-testid="other-room-input"
						placeholder="Its name or its link"
						autocomplete="off"
						value={typed.value}
						onInput={(event) => {
							typed.value = event.currentTarget.value;
						}}
					/>
				</div>
				<button type="submit" class="primary" data-testid="other-room-button" disabled={!wanted}>
					Move there
				</button>
			</form>
			<p class="hint">
				The call moves along. This room stays in the list, and tells you what is written in it.
			</p>
		</Dialog>
	);
}

function RoomRow(props: { other: OtherRoom; onGo: () => void; onLeave: () => void }) {
	const { name, chat, people, away } = props.other;
	const count = people.value === 1 ? "1 person" : `${people.value} people`;
	return (
		<li class="room-row" data-testid="room-row">
			<button type="button" class="plain room-about" onClick={props.onGo}>
				<strong dir="auto">{name}</strong>
				<small>{away.value ? "Not reached" : people.value === 0 ? "Nobody there" : count}</small>
			</button>
			{chat.unread.value > 0 && (
				<span class="room-unread" data-testid="room-unread">
					{chat.unread.value}
					<span class="unseen"> unread messages</span>
				</span>
			)}
			<button
				type="button"
				class="plain round"
				aria-label={`Leave ${name}`}
				title="Leave"
				onClick={props.onLeave}
			>
				<CloseIcon size={18} />
			</button>
		</li>
	);
}
