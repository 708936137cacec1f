import type { Path } from "../../../sdk/src/index.js";
import type { CallModel } from "../state/call-model.js";
import type { TileModel } from "../state/people.js";

/** How voice and picture travel to each person, and whether they may travel directly. */
export function Paths({ model }: { model: CallModel }) {
	const others = model.others.value;
	return (
		<section class="paths" data-testid="paths">
			<h3>Connections</h3>
			{others.length === 0 && <p class="hint">Nobody else is here yet.</p>}
			<dl>
				{others.map((person) => (
					<div key={person.key} data-testid="path" data-route={person.path?.route}>
						<dt>{person.name}</dt>
						<dd>{words(person)}</dd>
					</div>
				))}
			</dl>
			<label class="choice">
				<input
					type="checkbox"
					data-testid="relay-only"
					checked={model.relayOnly.value}
					disabled={!model.canRelay.value && !model.relayOnly.value}
					onChange={(event) => model.setRelayOnly(event.currentTarget.checked)}
				/>
				<span>
					Only through the relay
					<small>
						{model.canRelay.value
							? "The others do not learn your network address. It may take a little longer."
							: "This server has no relay."}
					</small>
				</span>
			</label>
			<a href="/check" target="_blank" rel="noreferrer">
				Does a call work from here?
			</a>
		</section>
	);
}

function words({ link, path }: TileModel): string {
	if (link === "relayed") return "voice only, through the server";
	if (link === "lost") return "lost, mending it…";
	if (link === "connecting" || !path) return "connecting…";
	const parts = [routeWords(path)];
	if (path.rtt !== undefined) parts.push(`${Math.round(path.rtt * 1000)} ms`);
	parts.push(`${(path.loss * 100).toFixed(path.loss > 0 && path.loss < 0.1 ? 1 : 0)} % lost`);
	return parts.join(", ");
}

function routeWords({ route, transport }: Path): string {
	const by = transport.toUpperCase();
	switch (route) {
		case "direct":
			return `direct, ${by}`;
		case "reflexive":
			return `direct through a router, ${by}`;
		case "relay":
			return `relay by ${by}`;
	}
}
