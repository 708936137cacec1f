import type { TileModel } from "../state/people.js";
import { useTrack } from "./hooks.js";
import { BarsIcon, DotsIcon, HandIcon, MicIcon } from "./icons.js";
import { Avatar } from "./preview.js";

const QUALITY = {
	good: "Good connection",
	fair: "Fair connection",
	poor: "Poor connection",
	lost: "Connection lost",
};

interface TileProps {
	person: TileModel;
	compact?: boolean;
	/** There when we may give this person roles, or remove them. */
	onManage?: (() => void) | undefined;
}

/** One person. The picture lies over the avatar and is transparent until frames arrive. */
export function Tile({ person, compact = false, onManage }: TileProps) {
	const video = useTrack<HTMLVideoElement>(person.tracks.camera);
	const { mic, camera, hand, speaking } = person.state;
	const classes = [
		"tile",
		speaking && mic && "speaking",
		person.self && "own",
		compact && "compact",
	];
	return (
		<article
			class={classes.filter(Boolean).join(" ")}
			data-testid="tile"
			data-key={person.key}
			data-self={person.self}
			data-link={person.link}
			data-quality={person.quality}
			aria-label={describe(person)}
		>
			<Avatar name={person.name} />
			<video
				ref={video}
				class={person.self ? "mirrored" : ""}
				autoplay
				muted
				playsInline
				hidden={!camera}
				tabIndex={-1}
			/>
			<LinkNote person={person} />
			<div class="tile-corner">
				{hand && (
					<span class="tile-hand" data-testid="tile-hand" title="Hand raised">
						<HandIcon size={20} />
					</span>
				)}
				{onManage && (
					<button
						type="button"
						class="tile-manage"
						data-testid="manage-button"
						aria-label={`Manage ${person.name}`}
						title={`Manage ${person.name}`}
						onClick={onManage}
					>
						<DotsIcon size={20} />
					</button>
				)}
			</div>
			<footer class="tile-foot">
				<span class={mic ? "tile-name" : "tile-name muted"}>
					{!mic && (
						<span class="tile-mic" data-testid="tile-muted" title={micWords(person)}>
							<MicIcon off size={15} />
						</span>
					)}
					<span class="tile-text" data-testid="tile-name" dir="auto">
						{person.self ? `${person.name} (you)` : person.name}
					</span>
					{person.role === "listener" && <span class="tile-role">listener</span>}
				</span>
				{!person.self && person.link === "connected" && (
					<span
						class={`tile-quality ${person.quality}`}
						data-testid="tile-quality"
						title={QUALITY[person.quality]}
					>
						<BarsIcon quality={person.quality} />
						{person.quality !== "good" && !compact && <span>{QUALITY[person.quality]}</span>}
					</span>
				)}
			</footer>
		</article>
	);
}

function micWords({ state }: TileModel): string {
	return state.muted ? "Muted by somebody who looks after the room" : "Microphone off";
}

function LinkNote({ person }: { person: TileModel }) {
	if (person.self) return null;
	if (person.link === "relayed")
		return (
			<span
				class="tile-note"
				data-testid="tile-relayed"
				title="No direct path was found, so there is no picture. It is still looked for."
			>
				Voice relayed by the server
			</span>
		);
	if (person.link === "connecting") return <span class="tile-note">Connecting…</span>;
	if (person.link === "lost")
		return <span class="tile-note warn">Connection lost, mending it…</span>;
	return person.away ? <span class="tile-note warn">Away from the server</span> : null;
}

function describe(person: TileModel): string {
	const parts = [
		person.self ? `${person.name}, you` : person.name,
		person.role === "listener" ? "listener" : "",
		person.state.mic ? "microphone on" : micWords(person).toLowerCase(),
		person.state.camera ? "camera on" : "camera off",
		person.state.hand ? "hand raised" : "",
		person.self ? "" : person.link === "connected" ? QUALITY[person.quality] : person.link,
	];
	return parts.filter(Boolean).join(", ");
}

/** A shared screen: shown whole, never cut. */
export function ScreenTile({ person }: { person: TileModel }) {
	const video = useTrack<HTMLVideoElement>(person.tracks.screen);
	const title = person.self ? "You share your screen" : `${person.name} shares the screen`;
	return (
		<article class="tile screen" data-testid="screen-tile" aria-label={title}>
			<video ref={video} autoplay muted playsInline aria-label={title} />
			<footer class="tile-foot">
				<span class="tile-name">
					<span class="tile-text">{title}</span>
				</span>
			</footer>
		</article>
	);
}
