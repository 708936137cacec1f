import type { CallSession } from "@parley/client";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { type CallView, useCall } from "./use-call.js";

const asked = new URLSearchParams(location.search);
const SERVER = asked.get("server") ?? "http://localhost:8443";
const ROOM = asked.get("room") ?? "amber-fox";

export function App() {
	const [name, setName] = useState<string>();
	return (
		<>
			<h1>A call with React</h1>
			{name === undefined ? <Enter onEnter={setName} /> : <Call name={name} />}
		</>
	);
}

function Enter({ onEnter }: { onEnter: (name: string) => void }) {
	const submit = (event: FormEvent<HTMLFormElement>) => {
		event.preventDefault();
		onEnter(String(new FormData(event.currentTarget).get("name")));
	};
	return (
		<form onSubmit={submit}>
			<label>
				Your name <input name="name" required maxLength={40} autoComplete="name" />
			</label>
			<button type="submit">Join</button>
		</form>
	);
}

function Call({ name }: { name: string }) {
	const { call, view } = useCall(SERVER, ROOM, name);
	return (
		<main data-state={view.state}>
			<p role="status">{view.error ?? statusOf(view)}</p>
			<div className="tiles">
				<Tile name="You" tracks={[view.own]} muted />
				{view.people.map(({ person, tracks }) => (
					<Tile
						key={person.key}
						name={person.name}
						tracks={[tracks?.audio ?? null, tracks?.camera ?? null]}
					/>
				))}
			</div>
			<ol aria-live="polite" aria-label="Messages">
				{view.messages.map(({ key, name, text }) => (
					<li key={key}>
						{name}: {text}
					</li>
				))}
			</ol>
			{call && view.state === "in" && <Compose call={call} />}
		</main>
	);
}

function statusOf({ state, people }: CallView): string {
	if (state === "away") return "The server is away; the call goes on";
	if (state === "waiting") return "Waiting to be let in";
	if (state !== "in") return "Joining";
	if (people.length === 0) return "Nobody else is here yet";
	return `With ${people.map(({ person }) => person.name).join(", ")}`;
}

interface TileProps {
	name: string;
	tracks: (MediaStreamTrack | null)[];
	muted?: boolean;
}

function Tile({ name, tracks, muted = false }: TileProps) {
	const video = useRef<HTMLVideoElement>(null);
	const [audio, camera] = tracks;
	useEffect(() => {
		const there = [audio, camera].filter((track) => track !== null && track !== undefined);
		if (video.current) video.current.srcObject = new MediaStream(there);
	}, [audio, camera]);
	return (
		<figure>
			<video ref={video} autoPlay playsInline muted={muted} />
			<figcaption>{name}</figcaption>
		</figure>
	);
}

function Compose({ call }: { call: CallSession }) {
	const [failed, setFailed] = useState<string>();
	const submit = (event: FormEvent<HTMLFormElement>) => {
		event.preventDefault();
		const form = event.currentTarget;
		const text = String(new FormData(form).get("text")).trim();
		form.reset();
		if (text) {
			call.room.say(text).then(
				() => setFailed(undefined),
				(error: Error) => setFailed(`Not sent: ${error.message}`),
			);
		}
	};
	return (
		<form onSubmit={submit}>
			<label>
				Message <input name="text" autoComplete="off" />
			</label>
			<button type="submit">Send</button>
			{failed && <p role="alert">{failed}</p>}
		</form>
	);
}
