import type { Abortable } from "./abort.js";
import { Chat } from "./chat.js";
import { type ChatEvent, isChatEvent } from "./chat-wire.js";
import type { Connection } from "./connection.js";
import { Door } from "./door.js";
import { Emitter, type Unsubscribe } from "./emitter.js";
import { ConnectionError, RequestError } from "./errors.js";
import { ExponentialBackoff } from "./exponential-backoff.js";
import type { LogLevel, LogLine } from "./log.js";
import { Outbox } from "./outbox.js";
import { OwnIds } from "./own-ids.js";
import { PresenceStore } from "./presence.js";
import { randomId } from "./random.js";
import type { ReconnectPolicy } from "./reconnect-policy.js";
import type { BanOptions, JoinOptions, RoomEvents, RoomState } from "./room-options.js";
import type { UploadPlace } from "./upload.js";
import {
	type Changes,
	isJoinReply,
	type JoinReply,
	type LeaveReason,
	type Member,
	type Metadata,
	type PresenceState,
	type Role,
	type RoomEvent,
} from "./wire.js";

const FORWARDED = ["joined", "away", "back", "left", "updated"] as const;
// Refusals that may pass while the ghost of our last connection still has our seat.
const PASSING = ["room_full", "already_joined", "rate_limited", "unavailable"];
const REJOIN_TRIES = 8;

/**
 * One room on a Connection: joins, rejoins after every reconnect, keeps presence and chat.
 *
 * ```ts
 * const room = new Room(connection, { room: "amber-fox", name: "Ann" });
 * room.on("joined", (person) => console.log(person.name, "is here"));
 * await room.join();
 * ```
 */
export class Room extends Emitter<RoomEvents> {
	/** Who else is here. */
	readonly presence: PresenceStore;
	/** What was written. */
	readonly chat: Chat;
	/** Who may come in, and who waits. */
	readonly door: Door;
	/** What the server knows us by; the same over rejoins. */
	readonly user: string | undefined;
	/** This load of the page, for telling a reload from a return. */
	readonly instance = randomId(8);
	readonly #connection: Connection;
	readonly #options: JoinOptions;
	readonly #policy: ReconnectPolicy;
	readonly #offs: Unsubscribe[] = [];
	#state: RoomState = "out";
	#wanted: Partial<PresenceState>;
	#self: Member | undefined;
	#reply: JoinReply | undefined;
	#retry: ReturnType<typeof setTimeout> | undefined;
	#attempt = 0;
	#firstJoin: { resolve(reply: JoinReply): void; reject(error: unknown): void } | undefined;

	constructor(connection: Connection, options: JoinOptions) {
		super();
		this.#connection = connection;
		this.#options = options;
		this.#policy = options.rejoinPolicy ?? new ExponentialBackoff();
		this.#wanted = { ...options.state };
		this.user = options.user ?? (connection.identified ? undefined : `u_${randomId()}`);
		this.presence = new PresenceStore(options.keep);
		this.chat = this.#makeChat();
		this.door = new Door((type, fields, wait) => this.#request(type, fields, wait));
		for (const name of FORWARDED) {
			this.presence.on(name, (payload) => this.emit(name, payload as never));
		}
	}

	/** Our standing in the room. */
	get state(): RoomState {
		return this.#state;
	}

	/** The room's. */
	get name(): string {
		return this.#options.room;
	}

	/** Ourselves as the server has us. */
	get self(): Member | undefined {
		return this.#self;
	}

	/** The last reply to our join: capacity, ring. */
	get info(): JoinReply | undefined {
		return this.#reply;
	}

	/**
	 * Resolves when seated; rejects when the server refuses. Waits for the line if it must; an
	 * abort gives up and leaves.
	 */
	join({ signal }: Abortable = {}): Promise<JoinReply> {
		if (signal?.aborted) return Promise.reject(signal.reason);
		this.#setState("joining");
		this.#offs.push(
			this.#connection.on("state", (state) => this.#handleConnection(state)),
			this.#connection.on("event", (event) => this.#handleEvent(event)),
			this.#connection.on("refused", (error) => this.#handleUnauthorized(error)),
			this.#connection.goOnFrom(this.name, () => this.chat.known),
		);
		const seated = new Promise<JoinReply>((resolve, reject) => {
			this.#firstJoin = { resolve, reject };
		});
		const abort = () => this.#abandon(signal?.reason);
		signal?.addEventListener("abort", abort);
		const unhook = () => signal?.removeEventListener("abort", abort);
		seated.then(unhook, unhook);
		if (this.#connection.state === "open") void this.#ask();
		else this.#connection.open();
		return seated;
	}

	/** Says goodbye and forgets the room; the connection stays open. */
	leave(): void {
		this.#abandon(ConnectionError.closed("left before the seat was had"));
	}

	/** Tells the others; remembered, so that a rejoin starts with it. */
	update(changes: Omit<Changes, "role" | "metadata" | "away">): void {
		const { name, ...state } = changes;
		this.#wanted = { ...this.#wanted, ...state };
		if (name !== undefined) this.#options.name = name;
		if (this.#state === "in") this.#connection.send("update", { room: this.name, ...changes });
	}

	/** To one person, or to all others. False if the line is down: nothing was sent. */
	signal(data: unknown, to?: string): boolean {
		return this.#state === "in" && this.#send("signal", to === undefined ? { data } : { to, data });
	}

	/** Writes to everybody; more is in `chat`. Resolves when they have it. */
	async say(text: string, wait?: Abortable): Promise<void> {
		await this.chat.send(text, wait);
	}

	/** In a ring room: lets somebody in who calls. */
	accept(to: string): boolean {
		return this.#send("accept", { to });
	}

	/** In a ring room: turns somebody away who calls. */
	reject(to: string, reason?: string): boolean {
		return this.#send("reject", reason === undefined ? { to } : { to, reason });
	}

	/** Asks for the voice of a member through the server; `none`: no more. A VoiceRelay does it. */
	async relay(member: string, codec: "opus" | "pcm" | "none", wait?: Abortable): Promise<void> {
		await this.#request("relay", { member, codec }, wait);
	}

	/** For owners and moderators: what a member may do. */
	async setRole(member: string, role: Role, wait?: Abortable): Promise<void> {
		await this.#request("role", { member, role }, wait);
	}

	/**
	 * For owners and moderators: turns a microphone off and keeps it so, or lets it be turned on
	 * again. Without a member: those of all who do not look after the room.
	 */
	async mute(member: string | undefined, on = true, wait?: Abortable): Promise<void> {
		await this.#request("mute", { member, on }, wait);
	}

	/** For owners and moderators: sends a member away. */
	async kick(member: string, reason?: string, wait?: Abortable): Promise<void> {
		await this.#request("kick", { member, reason }, wait);
	}

	/** The same, and the member's user cannot come back for the server's `room.ban-time`. */
	async ban(member: string, { signal, ...how }: BanOptions = {}): Promise<void> {
		await this.#request("ban", { member, ...how }, { signal });
	}

	/** Lets a user come back. */
	async unban(user: string, wait?: Abortable): Promise<void> {
		await this.#request("unban", { user }, wait);
	}

	/** For owners: sends everybody away. */
	async close(reason?: string, wait?: Abortable): Promise<void> {
		await this.#request("close", { reason }, wait);
	}

	/** Should a join be under way, the goodbye follows it, and its answer is let go. */
	#abandon(reason: unknown): void {
		if (this.#state !== "out" && this.#state !== "ended") this.#send("leave", {});
		this.#firstJoin?.reject(reason);
		this.#finish("out");
	}

	#makeChat(): Chat {
		const line = {
			request: (type: string, fields: object, wait?: Abortable) =>
				this.#request(type, fields, wait),
			send: (type: string, fields: object) => this.#send(type, fields),
			identified: this.#connection.identified,
			uploadPlace: () => this.#uploadPlace(),
			urlOf: (path: string) => this.#connection.urlOf(path),
			log: (level: LogLevel, event: string, fields?: LogLine["fields"]) =>
				this.#connection.log(level, "chat", event, { room: this.name, ...fields }),
		};
		const { outbox: store } = this.#options;
		const outbox = new Outbox(100, store, `parley.outbox.${this.name}`);
		const ids = new OwnIds(store, `parley.ids.${this.name}`);
		const chat = new Chat(line, outbox, undefined, ids);
		chat.on("message", ({ entry }) => this.emit("chat", entry));
		return chat;
	}

	#uploadPlace(): UploadPlace | undefined {
		const key = this.#state === "in" ? this.#reply?.upload : undefined;
		const limit = this.#connection.hello?.limits?.file;
		if (key === undefined || limit === undefined) return undefined;
		const room = encodeURIComponent(this.name);
		return { key, limit, url: this.#connection.urlOf(`/api/v1/rooms/${room}/files`) };
	}

	get #metadata(): Metadata {
		return { ...this.#options.metadata, instance: this.instance };
	}

	#request(type: string, fields: object, wait?: Abortable): Promise<unknown> {
		return this.#connection.request(type, { room: this.name, ...fields }, wait);
	}

	#send(type: string, fields: object): boolean {
		return this.#connection.send(type, { room: this.name, ...fields });
	}

	#handleConnection(state: Connection["state"]): void {
		const kept = this.#connection.resumed(this.name);
		if (state === "open" && kept?.complete && this.#state === "away") void this.#handleResumed();
		else if (state === "open") void this.#ask(kept ? "sync" : "join");
		else if (this.#state === "in") {
			this.chat.handleAway();
			this.#setState("away");
		} else if (this.#state === "waiting") {
			// The server has crossed us off its list: the way back begins at the end of it.
			this.#setState(this.#self ? "away" : "joining");
		}
	}

	/** What was missed comes now; then what we could not say meanwhile is said. */
	async #handleResumed(): Promise<void> {
		this.#setState("in");
		this.#send("update", { name: this.#options.name, ...this.#wanted });
		this.chat.handleResumed();
		try {
			await this.#connection.request("ping");
			if (this.#state === "in") this.emit("resumed", undefined);
		} catch {
			// Lost again: the next time will do.
		}
	}

	/** `sync`: the seat is still ours, only what happened meanwhile is not known. */
	async #ask(how: "join" | "sync" = "join"): Promise<void> {
		clearTimeout(this.#retry);
		const { room, name } = this.#options;
		// A restarted server forgot the room: whoever is back first makes it as it was.
		const options = this.#reply
			? { capacity: this.#reply.capacity, ring: this.#reply.ring }
			: this.#options.options;
		try {
			const own = { name, user: this.user, metadata: this.#metadata, state: this.#wanted };
			const fields = how === "join" ? { ...own, ...(options ? { options } : {}) } : {};
			const granted = (reply: unknown) => {
				if (isJoinReply(reply)) this.#handleSeated(reply, how === "join");
			};
			const patient = () => this.#state === "waiting";
			await this.#connection.request(how, { room, ...fields }, { granted, patient });
		} catch (error) {
			this.#handleRefused(error);
		}
	}

	/** We ask for a seat, or wait to be given one. */
	get #asking(): boolean {
		return this.#state === "joining" || this.#state === "waiting" || this.#state === "away";
	}

	#handleSeated(reply: JoinReply, anew: boolean): void {
		if (!this.#asking) return;
		this.#attempt = 0;
		this.#reply = reply;
		this.#self = reply.you;
		this.#setState("in");
		this.door.handleSeated(reply, anew);
		this.emit("seated", reply);
		this.presence.handleSnapshot(reply.members, reply.you);
		this.chat.handleSeated(reply.you, reply);
		this.#firstJoin?.resolve(reply);
		this.#firstJoin = undefined;
	}

	#handleRefused(error: unknown): void {
		if (!this.#asking) return;
		// The line went down while we asked: the next `open` asks again.
		if (this.#connection.state !== "open") return;
		const reason = error instanceof RequestError ? error.reason : "timeout";
		const patient = this.#state === "away" || error instanceof ConnectionError;
		const delay = this.#policy.nextDelay(this.#attempt++);
		const passing = reason === "timeout" || PASSING.includes(reason);
		if (patient && passing && delay !== undefined && this.#attempt <= REJOIN_TRIES) {
			this.#retry = setTimeout(() => void this.#ask(), delay);
			return;
		}
		const cause = error instanceof Error ? error : new Error(String(error));
		this.#firstJoin?.reject(cause);
		this.#end({ reason: "refused", error: cause });
	}

	#handleUnauthorized(error: RequestError): void {
		this.#firstJoin?.reject(error);
		this.#end({ reason: "refused", error });
	}

	#handleEvent(event: RoomEvent): void {
		if (event.room !== this.name) return;
		if (event.type === "waiting") return this.#handleWaiting();
		if (this.#state !== "in") return this.#handleReplayed(event);
		switch (event.type) {
			case "joined":
				return this.presence.handleJoined(event.member, event.offer);
			case "left":
				return this.#handleLeft(event.member, event.reason, event.detail);
			case "updated":
				if (event.member === this.#self?.id) return this.#handleSelf(event.changes);
				return this.presence.handleUpdated(event.member, event.changes);
			case "signal":
			case "accept":
			case "reject":
			case "relay":
				return this.#handleFrom(event);
			case "settings":
			case "knock":
			case "unknock":
				return this.door.handleEvent(event);
			default:
				return this.chat.handleEvent(event);
		}
	}

	#handleWaiting(): void {
		if (this.#asking) this.#setState("waiting");
	}

	/** Over a restart of the server the chat comes before we know again how the room stands. */
	#handleReplayed(event: RoomEvent): void {
		if (this.#state !== "away" || !this.#connection.resumed(this.name)?.restarted) return;
		if (isChatEvent({ ...event })) this.chat.handleEvent(event as ChatEvent);
	}

	#handleFrom(event: Extract<RoomEvent, { type: "signal" | "accept" | "reject" | "relay" }>): void {
		const from = this.presence.byId(event.from);
		if (!from) return;
		if (event.type === "signal") this.emit("signal", { from, data: event.data });
		else if (event.type === "accept") this.emit("accept", from);
		else if (event.type === "reject") this.emit("reject", { from, reason: event.reason });
		else this.emit("relay", { from, codec: event.codec });
	}

	#handleLeft(id: string, reason: LeaveReason, detail?: string): void {
		if (id !== this.#self?.id) return this.presence.handleLeft(id, reason, detail);
		if (reason === "kick" || reason === "replaced" || reason === "closed")
			this.#end({ reason, detail });
	}

	#handleSelf(changes: Changes): void {
		if (!this.#self) return;
		const { name, role, metadata: _, ...state } = changes;
		this.#self = { ...this.#self, state: { ...this.#self.state, ...state } };
		if (name !== undefined) this.#self.name = name;
		if (role !== undefined) this.#self.role = role;
		this.door.handleRole(this.#self.role);
		this.emit("self", this.#self);
	}

	#end(why: RoomEvents["ended"]): void {
		this.#finish("ended");
		this.emit("ended", why);
	}

	#finish(state: RoomState): void {
		clearTimeout(this.#retry);
		for (const off of this.#offs.splice(0)) off();
		this.#firstJoin = undefined;
		this.presence.handleEnded();
		this.chat.handleEnded(ConnectionError.closed("out of the room"));
		this.#setState(state);
	}

	#setState(state: RoomState): void {
		if (this.#state === state) return;
		this.#state = state;
		this.#connection.log("info", "room", state, { room: this.name });
		this.emit("state", state);
	}
}
