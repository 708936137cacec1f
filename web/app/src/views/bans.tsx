import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Ban } from "../../../sdk/src/index.js";
import { banName, type Care } from "../state/care.js";
import { timeText } from "../state/chat-words.js";
import { Avatar } from "./preview.js";

/** For owners and moderators: who is kept out of the room and until when, and the way back in. */
export function Bans({ care }: { care: Care }) {
	const { state, bans, more } = care.bans.value;
	const refused = useSignal(false);
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => void care.loadBans(), [care]);
	const lift = async (ban: Ban) => {
		refused.value = false;
		refused.value = !(await care.lift(ban));
		// The button that was pressed is gone.
		if (!refused.value) heading.current?.focus();
	};
	return (
		<section class="bans" aria-label="Kept out" data-testid="bans">
			<h3 ref={heading} tabIndex={-1}>
				Kept out
			</h3>
			{state === "busy" && bans.length === 0 && (
				<p role="status">
					<span class="spinner" aria-hidden="true" /> Loading
				</p>
			)}
			{state === "failed" && (
				<p role="alert" data-testid="bans-failed">
					The list could not be loaded.{" "}
					<button type="button" class="link" onClick={() => void care.loadBans()}>
						Try again
					</button>
				</p>
			)}
			{state === "idle" && bans.length === 0 && (
				<p>Nobody. Who is removed for good is listed here.</p>
			)}
			{bans.length > 0 && (
				<ul class="people">
					{bans.map((ban) => (
						<BanRow key={`${ban.user} ${ban.address}`} ban={ban} onLift={() => void lift(ban)} />
					))}
				</ul>
			)}
			{more && <p>Only the newest {bans.length} are shown.</p>}
			{refused.value && (
				<p role="alert" class="danger-text" data-testid="lift-refused">
					The server did not allow it, or is away.
				</p>
			)}
		</section>
	);
}

function BanRow({ ban, onLift }: { ban: Ban; onLift: () => void }) {
	const name = banName(ban);
	return (
		<li class="person" data-testid="ban-row">
			<Avatar name={name} />
			<span class="person-about">
				<strong dir="auto">{name}</strong>
				<small>until {timeText(ban.until, Date.now())}</small>
			</span>
			<button type="button" class="soft" aria-label={`Lift the ban of ${name}`} onClick={onLift}>
				Lift
			</button>
		</li>
	);
}
