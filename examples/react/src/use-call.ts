import {
	CallSession,
	type ChatEntry,
	LocalMedia,
	type Person,
	type RoomState,
	type SlotTracks,
} from "@parley/client";
import { useEffect, useState } from "react";

/** What the components show of a call. */
export interface CallView {
	state: RoomState;
	people: { person: Person; tracks: SlotTracks | undefined }[];
	messages: readonly ChatEntry[];
	own: MediaStreamTrack | null;
	error: string | undefined;
}

const EMPTY: CallView = { state: "out", people: [], messages: [], own: null, error: undefined };

function viewOf(call: CallSession, error: string | undefined): CallView {
	return {
		state: call.room.state,
		people: call.room.presence.people.map((person) => ({
			person,
			tracks: call.mesh.peer(person.key)?.tracks,
		})),
		messages: call.room.chat.entries,
		own: call.media.tracks.camera,
		error,
	};
}

/** Joins while the component is mounted, and shows the call as one value that is new when it changes. */
export function useCall(server: string, room: string, name: string) {
	const [view, setView] = useState(EMPTY);
	const [call, setCall] = useState<CallSession>();
	useEffect(() => {
		const media = new LocalMedia();
		const call = new CallSession({ server, room, name, media });
		const control = new AbortController();
		let error: string | undefined;
		const refresh = () => setView(viewOf(call, error));
		const { mesh } = call;
		for (const event of ["joined", "left", "back", "updated", "chat", "state"] as const) {
			call.room.on(event, refresh);
		}
		mesh.on("added", (peer) => peer.on("tracks", refresh));
		media.on("track", refresh);
		setCall(call);
		media
			.open(undefined, { signal: control.signal })
			.then(() => call.start({ signal: control.signal }))
			.catch((reason: unknown) => {
				if (control.signal.aborted) return;
				error = reason instanceof Error ? reason.message : String(reason);
				refresh();
			});
		return () => {
			control.abort();
			call.leave();
			media.close();
		};
	}, [server, room, name]);
	return { call, view };
}
