import type { ComponentChildren } from "preact";
import type { CallModel } from "../state/call-model.js";
import { bestGrid } from "../state/grid.js";
import { mayManage, type TileModel } from "../state/people.js";
import { useSize } from "./hooks.js";
import { CopyButton } from "./parts.js";
import { ScreenTile, Tile } from "./tile.js";

/** The pictures: a grid; two people large and small; or a shared screen with a strip. */
export function Stage({ model }: { model: CallModel }) {
	const self = model.self.value;
	const others = model.others.value;
	if (!self) return null;
	const everybody = [...others, self];
	const screens = everybody.filter((person) => person.state.screen && person.tracks.screen);
	const [other] = others;
	const manageOf = (person: TileModel) =>
		mayManage(self.role, person)
			? () => {
					model.care.managed.value = person.key;
				}
			: undefined;

	if (screens.length > 0) {
		return (
			<div class="stage spotlight" data-testid="stage">
				<div class="spotlight-main">
					{screens.map((person) => (
						<ScreenTile key={`screen-${person.key}`} person={person} />
					))}
				</div>
				<div class="strip">
					{everybody.map((person) => (
						<Tile key={person.key} person={person} compact onManage={manageOf(person)} />
					))}
				</div>
			</div>
		);
	}
	if (other && others.length === 1) {
		return (
			<div class="stage duo" data-testid="stage">
				<Tile key={other.key} person={other} onManage={manageOf(other)} />
				<Tile key={self.key} person={self} compact />
			</div>
		);
	}
	return (
		<GridStage count={everybody.length === 1 ? 2 : everybody.length}>
			{everybody.map((person) => (
				<Tile key={person.key} person={person} onManage={manageOf(person)} />
			))}
			{others.length === 0 && model.phase.value === "joining" && <Entering key="entering" />}
			{others.length === 0 && model.phase.value !== "joining" && (
				<Invite key="invite" model={model} />
			)}
		</GridStage>
	);
}

function GridStage({ count, children }: { count: number; children: ComponentChildren }) {
	const { ref, size } = useSize<HTMLDivElement>();
	const { columns } = bestGrid(count, size.value.width, size.value.height);
	// Twice as many tracks as columns, so that a short last row can stand in the middle.
	const last = count % columns;
	const style = { "--tracks": String(columns * 2), "--start": String(columns - last + 1) };
	return (
		<div
			ref={ref}
			class={last > 0 ? `stage grid short-${last}` : "stage grid"}
			style={style}
			data-testid="stage"
		>
			{children}
		</div>
	);
}

export function inviteLink(model: CallModel): string {
	const url = new URL(`/r/${encodeURIComponent(model.room)}`, location.origin);
	if (model.ring.value) url.searchParams.set("ring", "1");
	return url.href;
}

function Entering() {
	return (
		<section class="invite" data-testid="entering">
			<h2>Entering the room…</h2>
		</section>
	);
}

function inviteWords({ open, care }: CallModel): string {
	if (care.locked.value) return "The room is locked: nobody comes in, even by this link.";
	if (!open.value) return "Others come in by invitations of their own; this is where they lead.";
	return care.lobby.value
		? "Send this link to whoever you want to talk to, and let them in when they come."
		: "Send this link to whoever you want to talk to. It is all they need.";
}

function Invite({ model }: { model: CallModel }) {
	const link = inviteLink(model);
	return (
		<section class="invite" data-testid="empty-room">
			<h2>Nobody else is here yet</h2>
			<p>{inviteWords(model)}</p>
			<code class="invite-link" data-testid="invite-link">
				{link.replace(/^https?:\/\//, "")}
			</code>
			<div class="invite-actions">
				<CopyButton text={() => link} />
				{"share" in navigator && (
					<button
						type="button"
						class="soft"
						onClick={() =>
							void navigator.share({ title: "Parley", url: link }).catch(() => undefined)
						}
					>
						Share
					</button>
				)}
			</div>
		</section>
	);
}
