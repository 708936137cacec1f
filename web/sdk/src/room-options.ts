import type { Abortable } from "./abort.js";
import type { ChatEntry } from "./chat-timeline.js";
import type { OutboxStore } from "./outbox.js";
import type { Person, PresenceEvents } from "./presence.js";
import type { ReconnectPolicy } from "./reconnect-policy.js";
import type { JoinReply, LeaveReason, Member, Metadata, PresenceState } from "./wire.js";

/** Which room to join, and as whom. */
export interface JoinOptions {
	room: string;
	/** What the others see. */
	name: string;
	/** Defaults to whom the token names, else to a random one: each page load is somebody of its own. */
	user?: string;
	/** Anything the others' clients shall know of us: up to 4 KiB as JSON. */
	metadata?: Metadata;
	/** What is on from the start. */
	state?: Partial<PresenceState>;
	/** Count only if this join makes the room. */
	options?: { capacity?: number; ring?: boolean };
	/** Whether to hold on to somebody the server has lost; see PresenceStore. */
	keep?: (person: Person) => boolean;
	/**
	 * Where messages that could not be sent yet outlive the page, and which ones were ours: such as
	 * `sessionStorage`.
	 */
	outbox?: OutboxStore;
	/** When to ask again for a seat that may come free; an ExponentialBackoff by default. */
	rejoinPolicy?: ReconnectPolicy;
}

/**
 * - `out`: not joined yet, or left.
 * - `joining`: asked for a seat, or waiting for the line to ask.
 * - `waiting`: in the lobby; somebody must let us in.
 * - `in`: a member.
 * - `away`: was a member; the line is down or the seat is being asked for again.
 * - `ended`: removed, or refused for good.
 */
export type RoomState = "out" | "joining" | "waiting" | "in" | "away" | "ended";

/** How somebody is kept out; see Room.ban. */
export interface BanOptions extends Abortable {
	/** The network address as well: everybody who shares it stays out. */
	address?: boolean;
	/** Told to who is sent away. */
	reason?: string;
}

/** What a Room tells; see `on`. */
export interface RoomEvents extends PresenceEvents {
	/** Our standing in the room is another. */
	state: RoomState;
	/** A seat was had, for the first time or again. */
	seated: JoinReply;
	/** The line is back, the seat was kept, and all that was missed has been told. */
	resumed: undefined;
	/** Our own name, role or state is another. */
	self: Member;
	/** Somebody speaks to our program; media is negotiated so. */
	signal: { from: Person; data: unknown };
	/** A message, ours included. */
	chat: ChatEntry;
	/** In a ring room: our call is taken, or turned down. */
	accept: Person;
	reject: { from: Person; reason: string | undefined };
	/** Somebody wants to hear us through the server, or no more (`none`); a VoiceRelay does it. */
	relay: { from: Person; codec: "opus" | "pcm" | "none" };
	/** We are out and stay out: kicked, replaced by another connection, or refused. */
	ended: { reason: LeaveReason | "refused"; detail?: string | undefined; error?: Error };
}
