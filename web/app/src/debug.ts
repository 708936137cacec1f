import type { CallSession, Quality, VoiceStats } from "../../sdk/src/index.js";
import type { CallModel } from "./state/call-model.js";

/** One connection to somebody, as `window.parleyDebug.peers` lists them. */
export interface DebugPeer {
	key: string;
	name: string;
	memberId: string;
	pc: RTCPeerConnection;
	state: RTCPeerConnectionState;
	quality: Quality;
	/** What came through the server of their voice. */
	voice: VoiceStats | undefined;
}

/** For tests and bug reports; see web/README.md. Nothing in the page reads it. */
export interface ParleyDebug {
	readonly session: CallSession;
	readonly connectionState: string;
	readonly roomState: string;
	readonly memberId: string | undefined;
	readonly peers: DebugPeer[];
	/** Breaks the WebSocket as a dead network would. */
	dropConnection(): void;
}

declare global {
	interface Window {
		parleyDebug?: ParleyDebug;
	}
}

export function exposeDebug({ session }: CallModel): void {
	window.parleyDebug = {
		session,
		get connectionState() {
			return session.connection.state;
		},
		get roomState() {
			return session.room.state;
		},
		get memberId() {
			return session.room.self?.id;
		},
		get peers() {
			return session.mesh.peers.map((peer) => {
				const person = session.room.presence.get(peer.key);
				const { key, pc, state, quality } = peer;
				const voice = session.voice.relayed(key) ? session.voice.stats(key) : undefined;
				const { name = "", id: memberId = "" } = person ?? {};
				return { key, pc, state, quality, voice, name, memberId };
			});
		},
		dropConnection: () => session.connection.drop(),
	};
}
