import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { exposeDebug } from "../debug.js";
import { CallModel } from "../state/call-model.js";
import { MediaModel } from "../state/media-model.js";
import { RoomsModel } from "../state/rooms-model.js";
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
	const rooms = useMemo(() => new RoomsModel(), []);
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
		const model = new CallModel({
			...{ room, name, ring, token },
			media: media.value,
			left: rooms.leftOf(room),
		});
		call.value = model;
		exposeDebug(model);
		model.start();
		// A token is for one room.
		if (token === undefined) rooms.attach(model.session.connection, name, room);
	};
	const leave = () => {
		rooms.detach();
		call.value?.leave();
		media.value?.close();
	};
	/** Tries once more without a second look at the preview. */
	const again = async (name: string) => {
		leave();
		await prepare();
		join(name);
	};

	/** The address names another room: the call moves there, and we read along in the old one. */
	const move = (from: CallModel) => {
		rooms.park(from.room, from.chat.left);
		rooms.detach();
		from.handOver();
		join(from.name);
	};

	useEffect(() => {
		document.title = `${room} · Parley`;
		const model = call.peek();
		if (model && !model.ending.peek()) move(model);
		else void prepare();
	}, [room]);
	useEffect(() => {
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
	if (!ending) {
		const go = (next: string) => router.go({ page: "room", room: next, ring: false });
		return (
			<Call
				key={model.room}
				model={model}
				rooms={token === undefined ? rooms : undefined}
				onSwitch={go}
				onLeave={leave}
				onAgain={retry}
				onHome={home}
			/>
		);
	}
	const onAgain = ending.kind === "refused" ? retry : () => void prepare();
	return <Ended room={room} ending={ending} onAgain={onAgain} onHome={home} />;
}
