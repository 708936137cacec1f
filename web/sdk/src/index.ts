/**
 * The client of a Parley server: connections that come back and resume, rooms, presence, chat and
 * calls. docs/sdk.md is the guide.
 */
export type { Abortable } from "./abort.js";
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
export type { Chat } from "./chat.js";
export type { ChatEvents, PageOptions, SendFileOptions, SendOptions } from "./chat-options.js";
export type { ChatEntry, ChatEntryState, SentEntry } from "./chat-timeline.js";
export type { ChatMessage, Visit } from "./chat-wire.js";
export { Connection } from "./connection.js";
export type { ConnectionState } from "./connection-machine.js";
export type {
	ConnectionEvents,
	ConnectionOptions,
	Socket,
	SocketClass,
} from "./connection-options.js";
export type { Door, DoorEvents } from "./door.js";
export type { Emitter, Unsubscribe } from "./emitter.js";
export {
	ChatError,
	type ChatErrorReason,
	ConnectionError,
	type ConnectionErrorReason,
	MediaError,
	type MediaErrorReason,
	ParleyError,
	RequestError,
	type RequestErrorReason,
} from "./errors.js";
export { ExponentialBackoff } from "./exponential-backoff.js";
export type { KeepaliveTimes } from "./keepalive.js";
export { LevelMeter } from "./level-meter.js";
export { LocalMedia, type LocalMediaEvents } from "./local-media.js";
export { consoleLogger, type Logger, type LogLevel, type LogLine } from "./log.js";
export { Mesh, type MeshEvents } from "./mesh.js";
export type { OutboxStore } from "./outbox.js";
export type { Path } from "./path.js";
export type { Peer, PeerEvents } from "./peer.js";
export type { GoneReason, Person, PresenceEvents, PresenceStore } from "./presence.js";
export type { Quality } from "./quality.js";
export { randomId } from "./random.js";
export type { ReconnectPolicy } from "./reconnect-policy.js";
export type { RequestWait } from "./requests.js";
export type { RingDesk, Standing } from "./ring-desk.js";
export { Room } from "./room.js";
export type { BanOptions, JoinOptions, RoomEvents, RoomState } from "./room-options.js";
export type { Slot, SlotTracks } from "./slots.js";
export { meterOf } from "./speaking.js";
export type { ChatFile, UploadOptions } from "./upload.js";
export type { VoiceStats } from "./voice-audio.js";
export type { VoiceRelay, VoiceRelayEvents } from "./voice-relay.js";
export type {
	Ban,
	Changes,
	Hello,
	JoinReply,
	Knock,
	LeaveReason,
	Member,
	Metadata,
	PresenceState,
	ResumeReply,
	Role,
	RoomEvent,
	ServerMessage,
} from "./wire.js";
export type * as wire from "./wire-types.js";
