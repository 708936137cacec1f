import { useSignal } from "@preact/signals";
import { randomRoomName, roomNameOf } from "../state/names.js";
import type { Router } from "../state/route.js";
import { BellIcon, ShuffleIcon } from "./icons.js";
import { Illustration } from "./illustration.js";
import { Brand } from "./parts.js";

/** `/`: make a room, or go to one by its name. */
export function Home({ router }: { router: Router }) {
	return (
		<div class="home">
			<header class="home-head">
				<Brand />
			</header>
			<main class="home-main">
				<section class="home-words">
					<h1>A room to talk in.</h1>
					<p class="lead">
						Open a room, send the link, and you see and hear each other. No account, nothing to
						install.
					</p>
					<MakeRoom router={router} />
					<JoinRoom router={router} />
				</section>
				<Illustration />
			</main>
			<footer class="home-foot">
				Two to six people. Voice and picture go straight from one browser to the other.{" "}
				<a href="/check">Does a call work from here?</a>
			</footer>
		</div>
	);
}

function MakeRoom({ router }: { router: Router }) {
	const name = useSignal(randomRoomName());
	const ring = useSignal(false);
	const open = (event: Event) => {
		event.preventDefault();
		const room = roomNameOf(name.value) || randomRoomName();
		router.go({ page: "room", room, ring: ring.value });
	};
	return (
		<form class="card make" onSubmit={open}>
			<div class="field">
				<label for="room-name">Name of the new room</label>
				<div class="joined">
					<input
						id="room-name"
						data-testid="room-input"
						value={name.value}
						maxLength={64}
						autocomplete="off"
						autocapitalize="none"
						spellcheck={false}
						onInput={(event) => {
							name.value = event.currentTarget.value;
						}}
					/>
					<button
						type="button"
						class="plain round"
						aria-label="Another name"
						title="Another name"
						onClick={() => {
							name.value = randomRoomName();
						}}
					>
						<ShuffleIcon size={20} />
					</button>
				</div>
			</div>
			<label class="choice">
				<input
					type="checkbox"
					data-testid="ring-option"
					checked={ring.value}
					onChange={(event) => {
						ring.value = event.currentTarget.checked;
					}}
				/>
				<BellIcon size={20} />
				<span>
					Ring before connecting
					<small>Whoever comes later calls, and you accept or decline.</small>
				</span>
			</label>
			<button type="submit" class="primary big" data-testid="create-button">
				Open the room
			</button>
		</form>
	);
}

function JoinRoom({ router }: { router: Router }) {
	const typed = useSignal("");
	const join = (event: Event) => {
		event.preventDefault();
		const room = roomNameOf(typed.value);
		if (room) router.go({ page: "room", room, ring: /[?&]ring=1/.test(typed.value) });
	};
	return (
		<form class="home-join" onSubmit={join}>
			<label for="join-name">Have a link or a name?</label>
			<div class="home-join-row">
				<input
					id="join-name"
					data-testid="join-room-input"
					placeholder="amber-fox"
					value={typed.value}
					autocomplete="off"
					autocapitalize="none"
					spellcheck={false}
					onInput={(event) => {
						typed.value = event.currentTarget.value;
					}}
				/>
				<button
					type="submit"
					class="soft"
					data-testid="join-room-button"
					disabled={!typed.value.trim()}
				>
					Go there
				</button>
			</div>
		</form>
	);
}
