import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { exposeDebug } from "../debug.js";
import { CallModel } from "../state/call-model.js";
import { MediaModel } from "../state/media-model.js";
import type { Router } from "../state/route.js";
import { nameIn, tokenOf } from "../state/token.js";
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
	const token = tokenOf(room);
	const media = useSignal<MediaModel>();
	const call = useSignal<CallModel>();

	const prepare = () => {
		call.value = undefined;
		media.value?.close();
		const model = new MediaModel();
		media.value = model;
		return model.start();
	};
	const join = (name: string) => {
		if (!media.value) return;
		// What went wrong was read in the preview; the call starts without it.
		media.value.dismiss(["audio", "camera"]);
		const model = new CallModel({ room, name, ring, media: media.value, token });
		call.value = model;
		exposeDebug(model);
		model.start();
	};
	const leave = () => {
		call.value?.leave();
		media.value?.close();
	};
	/** Tries once more without a second look at the preview. */
	const again = async (name: string) => {
		leave();
		await prepare();
		join(name);
	};

	useEffect(() => {
		void prepare();
		document.title = `${room} · Parley`;
		addEventListener("pagehide", leave);
		return () => {
			removeEventListener("pagehide", leave);
			document.title = "Parley";
			leave();
		};
	}, []);

	const home = () => router.go({ page: "home" });
	const model = call.value;
	if (!media.value) return null;
	if (!model) {
		const given = token === undefined ? undefined : nameIn(token);
		return <Prejoin room={room} ring={ring} given={given} media={media.value} onJoin={join} />;
	}
	const ending = model.ending.value;
	const retry = () => void again(model.name);
	if (!ending) return <Call model={model} onLeave={leave} onAgain={retry} onHome={home} />;
	const onAgain = ending.kind === "refused" ? retry : () => void prepare();
	return <Ended room={room} ending={ending} onAgain={onAgain} onHome={home} />;
}
