import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CallModel } from "../state/call-model.js";
import type { RoomsModel } from "../state/rooms-model.js";
import { durationText } from "../state/status.js";
import { Banners } from "./banners.js";
import { Chat } from "./chat.js";
import { useDrop } from "./chat-files.js";
import { Controls } from "./controls.js";
import { useNow, useShortcuts } from "./hooks.js";
import { LockIcon, PeopleIcon, RoomsIcon } from "./icons.js";
import { InLobby } from "./lobby.js";
import { Manage } from "./manage.js";
import { CopyButton } from "./parts.js";
import { PeopleDialog } from "./people.js";
import { Calling, Declined, Incoming } from "./ringing.js";
import { Rooms } from "./rooms.js";
import { Settings } from "./settings.js";
import { inviteLink, Stage } from "./stage.js";
import { Voices } from "./voices.js";

interface CallProps {
	model: CallModel;
	/** None where a token is for this room alone. */
	rooms: RoomsModel | undefined;
	onSwitch: (room: string) => void;
	onLeave: () => void;
	onAgain: () => void;
	onHome: () => void;
}

/** The room itself. */
export function Call({ model, rooms, onSwitch, onLeave, onAgain, onHome }: CallProps) {
	const settings = useSignal(false);
	const choosing = useSignal(false);
	const people = useSignal(false);
	const toggleSettings = () => {
		settings.value = !settings.value;
	};
	const togglePeople = () => {
		people.value = !people.value;
	};
	const sending = (toggle: () => Promise<void>) => () => {
		if (model.self.value?.role !== "listener") void toggle();
	};
	useShortcuts({
		m: sending(async () => {
			if (!model.self.value?.state.muted) await model.media.toggleMic();
		}),
		v: sending(() => model.media.toggleCamera()),
		s: sending(() => model.media.toggleScreen()),
		h: () => model.toggleHand(),
		c: () => model.chat.toggle(),
		r: () => {
			choosing.value = rooms !== undefined;
		},
		p: togglePeople,
		"?": toggleSettings,
	});
	useWakeLock();
	const phase = model.phase.value;
	const drop = useDrop(model.chat);
	const classes = ["call", model.chat.open.value && "with-chat", drop.over && "dropping"];
	return (
		<div
			class={classes.filter(Boolean).join(" ")}
			data-testid="call"
			data-phase={phase}
			{...drop.handlers}
		>
			<CallHead
				model={model}
				rooms={rooms}
				onRooms={() => {
					choosing.value = true;
				}}
				onPeople={togglePeople}
			/>
			<Banners model={model} />
			{phase === "waiting" ? (
				<InLobby model={model} onLeave={onLeave} />
			) : phase === "calling" ? (
				<Calling model={model} onCancel={onLeave} />
			) : phase === "declined" ? (
				<Declined name={model.declinedBy.value ?? ""} onAgain={onAgain} onHome={onHome} />
			) : (
				<main class="call-main">
					<Stage model={model} />
					<Controls model={model} onSettings={toggleSettings} onLeave={onLeave} />
				</main>
			)}
			{model.chat.open.value && <Chat model={model} />}
			<Incoming model={model} />
			{people.value && <PeopleDialog model={model} onClose={togglePeople} />}
			<Manage model={model} />
			{settings.value && <Settings model={model} onClose={toggleSettings} />}
			{rooms && choosing.value && (
				<Rooms
					rooms={rooms}
					current={model.room}
					onSwitch={onSwitch}
					onClose={() => {
						choosing.value = false;
					}}
				/>
			)}
			<Voices model={model} />
			<p class="unseen" role="status" aria-live="polite" data-testid="announcement">
				{model.announcement.value}
			</p>
		</div>
	);
}

interface CallHeadProps {
	model: CallModel;
	rooms: RoomsModel | undefined;
	onRooms: () => void;
	onPeople: () => void;
}

function CallHead({ model, rooms, onRooms, onPeople }: CallHeadProps) {
	const { tone, text } = model.status.value;
	return (
		<header class="call-head">
			{rooms && (
				<button
					type="button"
					class="soft round rooms-button"
					data-testid="rooms-button"
					aria-label="Rooms"
					aria-keyshortcuts="R"
					title="Rooms (R)"
					onClick={onRooms}
				>
					<RoomsIcon size={20} />
					{rooms.unread.value > 0 && (
						<span class="badge" data-testid="rooms-unread">
							{rooms.unread.value > 9 ? "9+" : rooms.unread.value}
						</span>
					)}
				</button>
			)}
			<div class="call-title">
				<h1 data-testid="room-title" dir="auto">
					{model.room}
				</h1>
				<span class="call-facts">
					{model.phase.value !== "waiting" && <PeopleButton model={model} onPress={onPeople} />}
					<Elapsed since={model.seatedAt.value} />
				</span>
			</div>
			<span class={`status ${tone}`} data-testid="status" data-tone={tone} role="status">
				<span class="status-dot" aria-hidden="true" />
				<span class="status-text">{text}</span>
			</span>
			<CopyButton text={() => inviteLink(model)} />
		</header>
	);
}

/** How many are here; a press lists them, and what the room asks of newcomers. */
function PeopleButton({ model, onPress }: { model: CallModel; onPress: () => void }) {
	const people = model.others.value.length + 1;
	const watching = model.watching.value.length;
	const { locked, waiting } = model.care;
	return (
		<button
			type="button"
			class="people-button"
			data-testid="people-button"
			aria-haspopup="dialog"
			aria-keyshortcuts="P"
			title="Who is here (P)"
			onClick={onPress}
		>
			{locked.value ? <LockIcon size={16} /> : <PeopleIcon size={16} />}
			<span data-testid="people-count">{people === 1 ? "1 person" : `${people} people`}</span>
			{watching > 0 && (
				<span data-testid="watching-count" title={`${watching} reading along`}>
					<span aria-hidden="true">+{watching}</span>
					<span class="unseen">, {watching} reading along</span>
				</span>
			)}
			{locked.value && <span class="unseen">, locked</span>}
			{waiting.value.length > 0 && <span class="unseen">, {waiting.value.length} waiting</span>}
		</button>
	);
}

function Elapsed({ since }: { since: number | undefined }) {
	const now = useNow(1_000);
	return since === undefined ? null : (
		<span class="elapsed">{durationText(now.value - since)}</span>
	);
}

/** Keeps a phone's screen on during a call, where the browser can. */
function useWakeLock(): void {
	useEffect(() => {
		let lock: WakeLockSentinel | undefined;
		let over = false;
		const ask = async () => {
			if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
			const got = await navigator.wakeLock.request("screen").catch(() => undefined);
			if (over) void got?.release();
			else lock = got;
		};
		void ask();
		document.addEventListener("visibilitychange", ask);
		return () => {
			over = true;
			document.removeEventListener("visibilitychange", ask);
			void lock?.release();
		};
	}, []);
}
