import type { Knock } from "../../../sdk/src/index.js";
import type { Care } from "../state/care.js";

interface KnockButtonsProps {
	knock: Knock;
	care: Care;
	/** Whom it is about, where several wait; else the words beside the buttons say so. */
	name?: string;
}

/** What is done with somebody who waits in the lobby. */
export function KnockButtons({ knock, care, name }: KnockButtonsProps) {
	const labelled = (what: string) =>
		name === undefined ? {} : { "aria-label": `${what} ${name}` };
	return (
		<>
			<button
				type="button"
				class="soft"
				data-testid="deny-button"
				onClick={() => void care.deny(knock)}
				{...labelled("Turn away")}
			>
				Turn away
			</button>
			<button
				type="button"
				class="primary"
				data-testid="admit-button"
				onClick={() => void care.admit(knock)}
				{...labelled("Let in")}
			>
				Let in
			</button>
		</>
	);
}
