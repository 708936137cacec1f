export { ExponentialBackoff, type ReconnectPolicy } from "./backoff.js";
export { type CallOptions, CallSession, connectUrl } from "./call-session.js";
export {
	canCapture,
	canShareScreen,
	type Devices,
	type InputKind,
	listDevices,
	openInput,
	openInputs,
	openScreen,
} from "./capture.js";
export { type ChatEntry, ChatLog } from "./chat-log.js";
export {
	Connection,
	type ConnectionEvents,
	type ConnectionOptions,
	type Socket,
} from "./connection.js";
export type { ConnectionState } from "./connection-machine.js";
export { Emitter, type Unsubscribe } from "./emitter.js";
export {
	ConnectionError,
	type ConnectionErrorReason,
	MediaError,
	type MediaErrorReason,
	ParleyError,
	RequestError,
	type RequestErrorReason,
} from "./errors.js";
export type { KeepaliveTimes } from "./keepalive.js";
export { LevelMeter } from "./level-meter.js";
export { LocalMedia, type LocalMediaEvents } from "./local-media.js";
export { Mesh, type MeshEvents } from "./mesh.js";
export { Peer, type PeerEvents } from "./peer.js";
export { type GoneReason, type Person, PresenceStore } from "./presence.js";
export type { Quality } from "./quality.js";
export { randomId } from "./random.js";
export { RingDesk, type Standing } from "./ring-desk.js";
export { type JoinOptions, Room, type RoomEvents, type RoomState } from "./room.js";
export type { Slot, SlotTracks } from "./slots.js";
export { meterOf, SpeakingDetector } from "./speaking.js";
export type * from "./wire.js";
