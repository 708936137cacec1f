import type { Visit } from "../../../sdk/src/index.js";
import type { ChatModel } from "../state/chat-model.js";
import { spanText, timeText } from "../state/chat-words.js";
import { Avatar } from "./preview.js";

/** Who is and who was in the room, when and how long. */
export function People({ chat }: { chat: ChatModel }) {
	const { state, visits, more } = chat.visits.value;
	return (
		<div class="chat-body">
			{state === "busy" && visits.length === 0 && (
				<p class="chat-note" role="status">
					<span class="spinner" aria-hidden="true" /> Loading
				</p>
			)}
			{state === "failed" && (
				<p class="chat-note" role="alert">
					The list could not be loaded.{" "}
					<button type="button" class="link" onClick={() => void chat.loadVisits()}>
						Try again
					</button>
				</p>
			)}
			<ol class="chat-list visits" aria-label="Who was here">
				{visits.map((visit) => (
					<VisitRow key={visit.visit} visit={visit} />
				))}
				{more && state === "idle" && (
					<li>
						<button type="button" class="soft" onClick={() => void chat.loadVisits(true)}>
							Show more
						</button>
					</li>
				)}
			</ol>
		</div>
	);
}

function VisitRow({ visit }: { visit: Visit }) {
	const now = Date.now();
	const { joinedAt, leftAt } = visit;
	return (
		<li class="visit" data-testid="visit" data-here={leftAt === undefined}>
			<Avatar name={visit.name || "Guest"} />
			<span class="visit-about">
				<strong dir="auto">{visit.name || "Guest"}</strong>
				<small>
					{leftAt === undefined ? "Here since " : ""}
					{timeText(joinedAt, now)}
					{leftAt === undefined ? "" : `, for ${spanText(leftAt - joinedAt)}`}
				</small>
			</span>
			{leftAt === undefined && <span class="here-dot" aria-hidden="true" />}
		</li>
	);
}
