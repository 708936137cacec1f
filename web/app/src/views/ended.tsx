import type { Ending } from "../state/call-model.js";
import { AlertIcon, HangUpIcon } from "./icons.js";
import { Brand } from "./parts.js";

interface EndedProps {
	room: string;
	ending: Ending;
	onAgain: () => void;
	onHome: () => void;
}

/** After the call: what happened, and the way back in. */
export function Ended({ room, ending, onAgain, onHome }: EndedProps) {
	const { title, text } = words(room, ending);
	const failed = ending.kind === "refused";
	return (
		<div class="ended">
			<header class="home-head">
				<Brand />
			</header>
			<main class="waiting" data-testid={failed ? "join-error" : "ended"} data-kind={ending.kind}>
				<div class="ringing">
					<span class={failed ? "ended-sign warn" : "ended-sign"}>
						{failed ? <AlertIcon size={34} /> : <HangUpIcon size={34} />}
					</span>
					<div role={failed ? "alert" : "status"} data-testid={failed ? "error-banner" : "goodbye"}>
						<h1>{title}</h1>
						<p>{text}</p>
					</div>
					<div class="row">
						<button type="button" class="soft" data-testid="home-button" onClick={onHome}>
							To the start page
						</button>
						<button type="button" class="primary" data-testid="again-button" onClick={onAgain}>
							{failed ? "Try again" : "Join again"}
						</button>
					</div>
				</div>
			</main>
		</div>
	);
}

function words(room: string, ending: Ending): { title: string; text: string } {
	switch (ending.kind) {
		case "left":
			return { title: "You left the room", text: `The others may still be in ${room}.` };
		case "kicked":
			return {
				title: "You were removed from the room",
				text: ending.detail
					? `They wrote: ${ending.detail}`
					: "Somebody who looks after it did this.",
			};
		case "replaced":
			return {
				title: "You joined from another place",
				text: "This page has left the room, so that you are there once.",
			};
		case "closed":
			return { title: "The room was closed", text: ending.detail ?? "Everybody has left it." };
		case "refused":
			return { title: ending.words.title, text: ending.words.advice };
	}
}
