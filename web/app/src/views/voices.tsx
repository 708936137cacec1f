import { useEffect } from "preact/hooks";
import type { CallModel } from "../state/call-model.js";
import type { TileModel } from "../state/people.js";
import { useTrack } from "./hooks.js";

/** The voices of the others; one's own is never among them. */
export function Voices({ model }: { model: CallModel }) {
	const others = model.others.value;
	return (
		<>
			{others.map((person) => (
				<Voice key={person.key} person={person} model={model} />
			))}
			{model.muffled.value && (
				<button type="button" class="primary unmuffle" onClick={() => unmuffle(model)}>
					Tap to hear the others
				</button>
			)}
		</>
	);
}

/** A program that does not obey the room is not heard all the same. */
function maySpeak({ role, state }: TileModel): boolean {
	return role !== "listener" && state.muted !== true;
}

function Voice({ person, model }: { person: TileModel; model: CallModel }) {
	const ref = useTrack<HTMLAudioElement>(person.tracks.audio);
	const output = model.media.output.value;
	useEffect(() => {
		ref.current?.play().catch((error: Error) => {
			if (error.name === "NotAllowedError") model.muffled.value = true;
		});
	}, [person.tracks.audio, model, ref]);
	useEffect(() => {
		// The device of yesterday may be gone; then the default plays on.
		if (output) ref.current?.setSinkId?.(output).catch(() => undefined);
	}, [output, ref]);
	return <audio ref={ref} autoplay muted={!maySpeak(person)} data-testid="voice" />;
}

function unmuffle(model: CallModel): void {
	model.muffled.value = false;
	for (const audio of document.querySelectorAll("audio")) void audio.play();
}
