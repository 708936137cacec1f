import { useSignal } from "@preact/signals";
import type { CallModel } from "../state/call-model.js";
import { loadPrefs, savePrefs } from "../state/prefs.js";
import { secondsUntil } from "../state/status.js";
import { useNow } from "./hooks.js";
import { AlertIcon, CloseIcon, PersonIcon } from "./icons.js";
import { KnockButtons } from "./knock.js";
import { Meter } from "./parts.js";
import { Problems } from "./prejoin.js";

/** One at a time, what matters most first: banners must not push the call away. */
export function Banners({ model }: { model: CallModel }) {
	return (
		<section class="banners" aria-label="Notices">
			{banner(model)}
		</section>
	);
}

function banner(model: CallModel) {
	const { state, retryAt } = model.connection.value;
	if (state === "closed" || (state === "waiting" && retryAt !== undefined)) {
		return <Away model={model} retryAt={state === "closed" ? undefined : retryAt} />;
	}
	if (model.care.waiting.value.length > 0) return <Knocking model={model} />;
	if (model.care.told.value) return <Told model={model} />;
	const troubled = Object.keys(model.media.problems.value).length > 0;
	return troubled ? <Problems media={model.media} most={1} /> : <OpenMode model={model} />;
}

/** Somebody waits in the lobby; who they are and how many, the list of people has. */
function Knocking({ model: { care } }: { model: CallModel }) {
	const [knock, ...others] = care.waiting.value;
	if (!knock) return null;
	return (
		<div class="notice knocking" data-testid="knock-banner">
			<PersonIcon />
			<div class="notice-text">
				<strong>
					<bdi>{knock.name || "Somebody"}</bdi> waits to be let in
				</strong>
				{others.length > 0 && (
					<span>{others.length === 1 ? "One more waits." : `${others.length} more wait.`}</span>
				)}
			</div>
			<div class="notice-buttons">
				<KnockButtons knock={knock} care={care} />
			</div>
		</div>
	);
}

/** What somebody who looks after the room did to us. A screen reader hears it by the announcement. */
function Told({ model: { care } }: { model: CallModel }) {
	const words = care.told.value;
	if (!words) return null;
	return (
		<div class="notice" data-testid="told-banner">
			<AlertIcon />
			<div class="notice-text">
				<strong>{words.title}</strong>
				<span>{words.advice}</span>
			</div>
			<Dismiss
				onPress={() => {
					care.told.value = undefined;
				}}
			/>
		</div>
	);
}

function Dismiss({ onPress }: { onPress: () => void }) {
	return (
		<button type="button" class="plain round" aria-label="Dismiss" onClick={onPress}>
			<CloseIcon size={18} />
		</button>
	);
}

/** A server without keys is for trying things out; who uses it shall know. */
function OpenMode({ model }: { model: CallModel }) {
	const read = useSignal(loadPrefs().openRead);
	const { locked, lobby } = model.care;
	const guarded = locked.value || lobby.value || model.phase.value === "waiting";
	if (!model.open.value || guarded || read.value) return null;
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
			<Dismiss onPress={dismiss} />
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
