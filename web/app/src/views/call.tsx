import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CallModel } from "../state/call-model.js";
import { loadPrefs, savePrefs } from "../state/prefs.js";
import type { RoomsModel } from "../state/rooms-model.js";
import { durationText, secondsUntil } from "../state/status.js";
import { Chat } from "./chat.js";
import { useDrop } from "./chat-files.js";
import { Controls } from "./controls.js";
import { useNow, useShortcuts } from "./hooks.js";
import { AlertIcon, CloseIcon, RoomsIcon } from "./icons.js";
import { Manage } from "./manage.js";
import { CopyButton, Meter } from "./parts.js";
import { Problems } from "./prejoin.js";
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
	const toggleSettings = () => {
		settings.value = !settings.value;
	};
	const sending = (toggle: () => Promise<void>) => () => {
		if (model.self.value?.role !== "listener") void toggle();
	};
	useShortcuts({
		m: sending(() => model.media.toggleMic()),
		v: sending(() => model.media.toggleCamera()),
		s: sending(() => model.media.toggleScreen()),
		h: () => model.toggleHand(),
		c: () => model.chat.toggle(),
		r: () => {
			choosing.value = rooms !== undefined;
		},
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
			/>
			<Banners model={model} />
			{phase === "calling" ? (
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
}

function CallHead({ model, rooms, onRooms }: CallHeadProps) {
	const { tone, text } = model.status.value;
	const people = model.others.value.length + 1;
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
				<h1 data-testid="room-title">{model.room}</h1>
				<span class="call-facts">
					<span data-testid="people-count">{people === 1 ? "1 person" : `${people} people`}</span>
					<Elapsed since={model.seatedAt.value} />
				</span>
			</div>
			<span class={`status ${tone}`} data-testid="status" data-tone={tone} role="status">
				<span class="status-dot" aria-hidden="true" />
				{text}
			</span>
			<CopyButton text={inviteLink(model)} />
		</header>
	);
}

function Elapsed({ since }: { since: number | undefined }) {
	const now = useNow(1_000);
	return since === undefined ? null : (
		<span class="elapsed">{durationText(now.value - since)}</span>
	);
}

/** One at a time, what matters most first: banners must not push the call away. */
function Banners({ model }: { model: CallModel }) {
	return <div class="banners">{banner(model)}</div>;
}

function banner(model: CallModel) {
	const { state, retryAt } = model.connection.value;
	if (state === "closed" || (state === "waiting" && retryAt !== undefined)) {
		return <Away model={model} retryAt={state === "closed" ? undefined : retryAt} />;
	}
	const troubled = Object.keys(model.media.problems.value).length > 0;
	return troubled ? <Problems media={model.media} most={1} /> : <OpenMode model={model} />;
}

/** A server without keys is for trying things out; who uses it shall know. */
function OpenMode({ model }: { model: CallModel }) {
	const read = useSignal(loadPrefs().openRead);
	if (!model.open.value || read.value) return null;
	const dismiss = () => {
		savePrefs({ openRead: true });
		read.value = true;
	};
	return (
		<div class="notice open-mode" role="status" data-testid="open-banner">
			<AlertIcon />
			<div class="notice-text">
				<strong>Anybody who knows this room's name can come in</strong>
				<span>This server runs without keys, which is meant for trying it out.</span>
			</div>
			<button type="button" class="plain round" aria-label="Dismiss" onClick={dismiss}>
				<CloseIcon size={18} />
			</button>
		</div>
	);
}

/** The way back to the server: how long until the next attempt, and a button for now. */
function Away({ model, retryAt }: { model: CallModel; retryAt: number | undefined }) {
	const now = useNow(500);
	const left = retryAt === undefined ? undefined : secondsUntil(retryAt, now.value);
	return (
		<div class="notice away" data-testid="reconnect-banner">
			<span class="status-dot" aria-hidden="true" />
			<div class="notice-text">
				<strong role="status">The server is away</strong>
				<span>
					{model.others.value.length > 0
						? "Those you see and hear stay with you; nobody can come or go."
						: "It may be restarting, or your network is down."}
					{left !== undefined && (
						<span data-testid="countdown">
							{" "}
							{left > 0 ? `Next attempt in ${left} s.` : "Trying…"}
						</span>
					)}
				</span>
				<span class="notice-level">
					Your microphone {model.media.micOn.value ? "works" : "is off"}
					<Meter level={model.media.level.value} on={model.media.micOn.value} />
				</span>
			</div>
			<button
				type="button"
				class="soft"
				data-testid="retry-button"
				onClick={() => model.retryNow()}
			>
				Try now
			</button>
		</div>
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
