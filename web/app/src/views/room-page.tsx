import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { exposeDebug } from "../debug.js";
import { CallModel } from "../state/call-model.js";
import { MediaModel } from "../state/media-model.js";
import type { Router } from "../state/route.js";
import { Call } from "./call.js";
import { Ended } from "./ended.js";
import { Prejoin } from "./prejoin.js";

interface RoomPageProps {
	room: string;
	ring: boolean;
	router: Router;
}

/** `/r/{room}`: from the preview over the call to the page after it, and round again. */
export function RoomPage({ room, ring, router }: RoomPageProps) {
	const media = useSignal<MediaModel>();
	const call = useSignal<CallModel>();

	const prepare = () => {
		call.value = undefined;
		media.value?.close();
		const model = new MediaModel();
		media.value = model;
		void model.start();
	};
	const join = (name: string) => {
		if (!media.value) return;
		const model = new CallModel({ room, name, ring, media: media.value });
		call.value = model;
		exposeDebug(model);
		model.start();
	};
	const leave = () => {
		call.value?.leave();
		media.value?.close();
	};

	useEffect(() => {
		prepare();
		addEventListener("pagehide", leave);
		return () => {
			removeEventListener("pagehide", leave);
			leave();
		};
	}, []);

	const home = () => router.go({ page: "home" });
	const model = call.value;
	if (!media.value) return null;
	if (!model) return <Prejoin room={room} ring={ring} media={media.value} onJoin={join} />;
	const ending = model.ending.value;
	if (ending) return <Ended room={room} ending={ending} onAgain={prepare} onHome={home} />;
	return (
		<Call model={model} onLeave={leave} onAgain={() => again(model, join, prepare)} onHome={home} />
	);
}

/** Calls once more without the preview: the devices are still open. */
function again(model: CallModel, join: (name: string) => void, prepare: () => void): void {
	const { name } = model;
	model.leave();
	if (model.media.tracks.peek().audio || model.media.tracks.peek().camera) join(name);
	else prepare();
}
