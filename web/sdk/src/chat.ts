import type { Abortable } from "./abort.js";
import type { ChatEvents, PageOptions, SendFileOptions, SendOptions } from "./chat-options.js";
import { type ChatLine, ChatSender } from "./chat-sender.js";
import { type ChatEntry, ChatTimeline, type SentEntry } from "./chat-timeline.js";
import {
	type ChatEvent,
	type ChatMessage,
	type ChatPage,
	isChatMessage,
	isChatPage,
	isVisits,
	type Visit,
} from "./chat-wire.js";
import { Emitter } from "./emitter.js";
import { ChatError } from "./errors.js";
import { ExponentialBackoff } from "./exponential-backoff.js";
import { isObject } from "./json.js";
import { Outbox, type Outgoing } from "./outbox.js";
import { OwnIds } from "./own-ids.js";
import { randomId } from "./random.js";
import type { ReconnectPolicy } from "./reconnect-policy.js";
import { Typing } from "./typing.js";
import { type ChatFile, upload } from "./upload.js";

/** What the reply to a join says of the chat. */
interface Told {
	chat: readonly ChatMessage[];
	epoch?: number;
	/** The last number. */
	n?: number;
}

/** Ourselves, as the server has us. */
interface Own {
	id: string;
	name: string;
	user?: string | undefined;
}

const PAGE = 50;
// What a room may have said while we were away, at most, in pages: beyond that, `older` has it.
const MISSED_PAGES = 20;

/**
 * What is written in a room. A message that is sent while the server is away waits in the outbox and
 * is sent once when it is back, however often it has to be tried.
 *
 * ```ts
 * const { chat } = room;
 * chat.on("changed", () => {
 * 	for (const { key, name, text, state } of chat.entries) console.log(key, name, text, state);
 * });
 * const { n } = await chat.send("hello");
 * await chat.react(n, "👍", true);
 * while (await chat.older()) console.log(chat.entries.length, "messages so far");
 * ```
 */
export class Chat extends Emitter<ChatEvents> {
	readonly #line: ChatLine;
	readonly #sender: ChatSender<SentEntry>;
	readonly #ownIds: OwnIds;
	readonly #timeline: ChatTimeline;
	readonly #typing = new Typing();
	readonly #markers = new Map<string, number>();
	#own: Own = { id: "", name: "" };
	/** What came after this number may be missing here. */
	#gap: number | undefined;
	#more = true;
	#older: Promise<boolean> | undefined;
	#forget: ReturnType<typeof setTimeout> | undefined;

	constructor(
		line: ChatLine,
		outbox = new Outbox(),
		policy: ReconnectPolicy = new ExponentialBackoff(),
		ownIds = new OwnIds(),
	) {
		super();
		this.#line = line;
		this.#ownIds = ownIds;
		this.#timeline = new ChatTimeline(ownIds);
		this.#sender = new ChatSender(
			line,
			outbox,
			policy,
			(item, reply) => this.#handleSent(item, reply),
			() => this.emit("changed", undefined),
		);
	}

	/** All that is here, oldest first; what waits in the outbox comes last. */
	get entries(): readonly ChatEntry[] {
		return [
			...this.#timeline.entries,
			...this.#sender.outbox.items.map((item) => this.#pending(item)),
		];
	}

	/** There may be older messages on the server. */
	get hasOlder(): boolean {
		return this.#more;
	}

	/** Up to which number all is here; undefined: nothing is known yet. For going on over a restart. */
	get known(): number | undefined {
		return this.#timeline.epoch === undefined ? undefined : (this.#gap ?? this.#timeline.newest);
	}

	/** How many bytes a file may have; undefined: none can be sent now. */
	get fileLimit(): number | undefined {
		return this.#line.uploadPlace()?.limit;
	}

	/** How far each member has read, by member id. */
	get markers(): ReadonlyMap<string, number> {
		return this.#markers;
	}

	/** The member ids of those who are writing now. */
	get typists(): readonly string[] {
		return this.#typing.at(Date.now());
	}

	/** The message of a number, if it is here. */
	find(n: number): ChatEntry | undefined {
		return this.#timeline.find(n);
	}

	/**
	 * Resolves when everybody has it, which may be after a reconnect; rejects when it is refused for
	 * good or the outbox is full. An abort takes it out of the outbox if it is still there.
	 */
	send(text: string, options: SendOptions = {}): Promise<SentEntry> {
		return this.#say(text, options);
	}

	/**
	 * Uploads a file, then says a message with it, which waits in the outbox like any other. Rejects when
	 * the upload fails; an abort ends it, or takes the message back if it is still here.
	 *
	 * ```ts
	 * const [file] = document.querySelector<HTMLInputElement>("input[type=file]")?.files ?? [];
	 * if (file) {
	 * 	const onProgress = (part: number) => console.log(Math.round(part * 100), "%");
	 * 	const { files } = await room.chat.sendFile(file, { onProgress });
	 * 	for (const sent of files) console.log(sent.name, sent.size, room.chat.urlOf(sent));
	 * }
	 * ```
	 */
	async sendFile(file: Blob, options: SendFileOptions = {}): Promise<SentEntry> {
		const place = this.#line.uploadPlace();
		if (!place) throw ChatError.noFiles();
		const { text = "", name, onProgress, ...send } = options;
		const sent = await upload(place, file, { name, onProgress, signal: send.signal });
		return this.#say(text, send, [sent]);
	}

	/** Where a file is: for links and pictures. */
	urlOf({ id, name }: ChatFile): string {
		return this.#line.urlOf(`/files/${id}/${encodeURIComponent(name)}`);
	}

	/** Tries a refused message again, at its old place. */
	retry(entry: ChatEntry): void {
		this.#sender.retry(keyOf(entry));
	}

	/** Takes a message out of the outbox. */
	discard(entry: ChatEntry): void {
		this.#sender.drop(keyOf(entry), ChatError.discarded());
	}

	/** Changes a message of ours. */
	async edit(n: number, text: string, wait?: Abortable): Promise<void> {
		await this.#line.request("edit", { n, text }, wait);
	}

	/** Takes a message back: one of ours, or any for owners and moderators. */
	async remove(n: number, wait?: Abortable): Promise<void> {
		await this.#line.request("delete", { n }, wait);
	}

	/** Reacts to a message, or takes that back. */
	async react(n: number, emoji: string, on: boolean, wait?: Abortable): Promise<void> {
		await this.#line.request("react", { n, emoji, on }, wait);
	}

	/** Tells the others that we are writing. Call it at every key: it says no more than needed. */
	typing(on = true): void {
		if (this.#sender.seated && this.#typing.handleOwn(on, Date.now()))
			this.#line.send("typing", { on });
	}

	/** Tells the others how far we have read. */
	markRead(n: number): void {
		if (n <= (this.#markers.get(this.#own.id) ?? 0) || !this.#sender.seated) return;
		this.#markers.set(this.#own.id, n);
		this.#line.send("read", { n });
	}

	/** Loads a page of older messages into `entries`. Resolves to whether there are more. */
	older({ limit = PAGE, signal }: Omit<PageOptions, "before"> = {}): Promise<boolean> {
		this.#older ??= this.#loadOlder(limit, signal).finally(() => {
			this.#older = undefined;
		});
		return this.#older;
	}

	/** Messages that have these words, newest first; they do not become `entries`. */
	async search(
		text: string,
		{ before, limit = PAGE, signal }: PageOptions = {},
	): Promise<{ entries: ChatEntry[]; more: boolean }> {
		const fields = { text, limit, ...(before !== undefined && { before }) };
		const page = await this.#line.request("search", fields, { signal });
		if (!isChatPage(page)) throw ChatError.notUnderstood();
		const found = new ChatTimeline(this.#ownIds);
		for (const one of page.messages) if (one.type === "chat") found.handleMessage(one);
		return { entries: [...found.entries].reverse(), more: page.more };
	}

	/** Who is and who was in the room, latest first; `before` is the `visit` of the last one known. */
	async visits({
		before,
		limit = 2 * PAGE,
		signal,
	}: PageOptions = {}): Promise<{ visits: Visit[]; more: boolean }> {
		const fields = { limit, ...(before !== undefined && { before }) };
		const reply = await this.#line.request("whowas", fields, { signal });
		if (!isVisits(reply)) throw ChatError.notUnderstood();
		return { visits: [...reply.visits].reverse(), more: reply.more };
	}

	/** We have a seat: what was said before is told now, and what waits can be sent. */
	handleSeated(own: Own, told: Told): void {
		this.#own = own;
		this.#ownIds.handleSeated(own.id, this.#line.identified ? own.user : undefined);
		this.#timeline.handleSelf();
		this.#timeline.handleEpoch(told.epoch);
		const known = this.#timeline.newest;
		for (const message of told.chat) this.#take(message, true);
		this.emit("changed", undefined);
		if (known > 0 && (told.n === undefined || told.n > known)) void this.#catchUp(known);
		this.#sender.handleSeated();
	}

	/** The seat was kept, and what was missed comes by itself. */
	handleResumed(): void {
		this.#sender.handleSeated();
	}

	handleAway(): void {
		this.#sender.handleAway();
	}

	handleEnded(reason: unknown): void {
		clearTimeout(this.#forget);
		this.#sender.handleEnded(reason);
	}

	handleEvent(event: ChatEvent): void {
		switch (event.type) {
			case "chat":
				this.#typing.handleTyping(event.from, false, Date.now());
				this.#tellTyping();
				this.#take(event, event.replay === true);
				return this.emit("changed", undefined);
			case "typing":
				if (event.from === this.#own.id) return;
				this.#typing.handleTyping(event.from, event.on, Date.now());
				return this.#tellTyping();
			case "read":
				this.#markers.set(event.from, event.n);
				return this.emit("read", { member: event.from, n: event.n });
			default:
				if (this.#timeline.handleChange(event)) this.emit("changed", undefined);
		}
	}

	#say(
		text: string,
		{ signal, reply, to }: SendOptions,
		files?: readonly ChatFile[],
	): Promise<SentEntry> {
		const item: Outgoing = { key: randomId(), text, time: Date.now() };
		if (reply !== undefined) item.reply = reply;
		if (to !== undefined) item.to = to;
		if (files) item.files = files;
		this.typing(false);
		return this.#sender.send(item, signal);
	}

	#takePage(page: ChatPage, missed: boolean): void {
		for (const one of page.messages) {
			if (one.type !== "chat") this.#timeline.handleChange(one);
			else if (missed) this.#take(one, true);
			else this.#timeline.handleMessage(one);
		}
		this.emit("changed", undefined);
	}

	#take(message: ChatMessage, missed: boolean): void {
		const { entry, fresh } = this.#timeline.handleMessage(message);
		if (entry.mine && message.key) this.#sender.settle(message.key, entry);
		if (fresh) this.emit("message", { entry, missed });
	}

	#pending({ key, failed, ...item }: Outgoing): ChatEntry {
		const { id, name } = this.#own;
		return {
			...{ key: `own:${key}`, n: undefined, mine: true, owned: true },
			...{ from: id, name, user: undefined },
			state: failed === undefined ? "pending" : "failed",
			text: item.text,
			time: item.time,
			reply: item.reply,
			to: item.to,
			...{ reactions: {}, edited: false, deleted: false, files: item.files ?? [] },
		};
	}

	/** The message is shown at once under its number; the event that follows changes nothing. */
	#handleSent(item: Outgoing, reply: unknown): void {
		const { id: from, name } = this.#own;
		const message: unknown = isObject(reply) && { ...item, ...reply, from, name };
		if (isChatMessage(message)) this.#take(message, false);
		else this.#sender.drop(item.key, ChatError.notUnderstood());
		this.emit("changed", undefined);
	}

	async #loadOlder(limit: number, signal: AbortSignal | undefined): Promise<boolean> {
		const before = this.#timeline.oldest;
		const fields = { limit, ...(before !== undefined && { before }) };
		const page = await this.#line.request("history", fields, { signal });
		if (!isChatPage(page)) throw ChatError.notUnderstood();
		this.#more = page.more && page.messages.length > 0;
		this.#takePage(page, false);
		return this.#more;
	}

	/** Fills the gap between what we knew and what a join told. */
	async #catchUp(known: number): Promise<void> {
		let after = this.#gap ?? known;
		this.#gap = after;
		try {
			for (let page = 0; page < MISSED_PAGES; page++) {
				const reply = await this.#line.request("history", { after, limit: 2 * PAGE });
				if (!isChatPage(reply)) return;
				if (reply.epoch !== this.#timeline.epoch) return;
				this.#takePage(reply, true);
				after = reply.messages.at(-1)?.n ?? after;
				this.#gap = reply.more && reply.messages.length > 0 ? after : undefined;
				if (this.#gap === undefined) return;
			}
			this.#gap = undefined; // older() has the rest
		} catch {
			this.#line.log("warn", "gap not filled", { after });
		}
	}

	#tellTyping(): void {
		clearTimeout(this.#forget);
		const now = Date.now();
		const next = this.#typing.next(now);
		if (next !== undefined) this.#forget = setTimeout(() => this.#tellTyping(), next);
		this.emit("typing", this.#typing.at(now));
	}
}

const keyOf = (entry: ChatEntry): string => entry.key.replace(/^own:/, "");
