import { batch, signal } from "@preact/signals";
import type { ChatEntry, Room, Visit } from "../../../sdk/src/index.js";
import { chatTrouble, fileTrouble, gistOf, typingText } from "./chat-words.js";
import { cutBytes } from "./names.js";
import { Uploads } from "./uploads.js";

/** What fills the panel. */
export type ChatView = "messages" | "search" | "people";

/** How far a question to the server has come. */
export type Asking = "idle" | "busy" | "failed";

/** How a room was left, so that what comes meanwhile can be told from what was there. */
export interface ChatLeft {
	unread: number;
	since: number | undefined;
}

const TEXT_BYTES = 8_192;
const SEARCH_MS = 250;

/** The chat of a room as signals, without a document. */
export class ChatModel {
	readonly room: Room;
	readonly open = signal(false);
	readonly view = signal<ChatView>("messages");
	readonly entries = signal<readonly ChatEntry[]>([]);
	readonly unread = signal(0);
	/** The first message that came while nobody looked: a line goes above it. */
	readonly firstUnread = signal<string>();
	readonly typing = signal("");
	readonly older = signal<Asking>("idle");
	readonly hasOlder = signal(true);
	readonly replyTo = signal<ChatEntry>();
	readonly editing = signal<ChatEntry>();
	/** What did not work, until the next thing does. */
	readonly trouble = signal("");
	/** Files on their way. */
	readonly uploads: Uploads;
	readonly query = signal("");
	readonly found = signal<{ state: Asking; entries: readonly ChatEntry[]; more: boolean }>({
		state: "idle",
		entries: [],
		more: false,
	});
	readonly visits = signal<{ state: Asking; visits: readonly Visit[]; more: boolean }>({
		state: "idle",
		visits: [],
		more: false,
	});
	/** Who we are in `reactions`. */
	readonly reader = signal<string>();
	/** What was said before this time is no news. */
	#since: number | undefined;
	readonly #announce: (text: string) => void;
	readonly #offs: (() => void)[];
	#searching: AbortController | undefined;
	#searchTimer: ReturnType<typeof setTimeout> | undefined;

	/**
	 * @param announce what a screen reader is told
	 * @param left what the room was left with before
	 */
	constructor(room: Room, announce: (text: string) => void, left?: ChatLeft) {
		this.unread.value = left?.unread ?? 0;
		this.#since = left?.since;
		this.room = room;
		this.#announce = announce;
		const { chat } = room;
		this.uploads = new Uploads(chat, (error, file) => {
			this.trouble.value = fileTrouble(error, file, chat.fileLimit);
		});
		this.#offs = [
			chat.on("changed", () => this.refresh()),
			chat.on("message", ({ entry }) => this.#handleMessage(entry)),
			chat.on("typing", (ids) => {
				this.typing.value = typingText(ids.map((id) => this.nameOf(id)));
			}),
			room.on("seated", ({ you }) => {
				this.reader.value = you.user ?? you.id;
				this.#since ??= you.joinedAt;
			}),
		];
	}

	/** For a later ChatModel of the same room: what is here already is no news to it. */
	get left(): ChatLeft {
		const last = this.room.chat.entries.filter(({ state }) => state === "sent").at(-1);
		return { unread: this.unread.peek(), since: last ? last.time + 1 : this.#since };
	}

	close(): void {
		for (const off of this.#offs.splice(0)) off();
		clearTimeout(this.#searchTimer);
		this.#searching?.abort();
		this.uploads.cancelAll();
	}

	refresh(): void {
		const { chat } = this.room;
		batch(() => {
			this.entries.value = chat.entries;
			this.hasOlder.value = chat.hasOlder;
			this.uploads.refresh();
		});
	}

	nameOf(id: string): string {
		return this.room.presence.byId(id)?.name || "Somebody";
	}

	toggle(): void {
		batch(() => {
			this.open.value = !this.open.value;
			this.view.value = "messages";
			if (this.open.value) this.markRead();
			else this.firstUnread.value = undefined;
		});
	}

	/** What there is has been looked at. */
	markRead(): void {
		this.unread.value = 0;
		const last = this.room.chat.entries.filter(({ n }) => n !== undefined).at(-1);
		if (last?.n !== undefined) this.room.chat.markRead(last.n);
	}

	/** False if there was nothing to say. What is said waits for the server if it must. */
	say(typed: string): boolean {
		const text = cutBytes(typed.trim(), TEXT_BYTES);
		const editing = this.editing.value;
		if (editing) {
			this.editing.value = undefined;
			if (text && text !== editing.text) this.#try((n) => this.room.chat.edit(n, text), editing);
			return true;
		}
		if (!text) return false;
		const reply = this.replyTo.value?.n;
		batch(() => {
			this.replyTo.value = undefined;
			this.firstUnread.value = undefined;
			this.trouble.value = "";
		});
		this.room.chat.send(text, { reply }).catch((error: unknown) => {
			if (this.#offs.length > 0) this.trouble.value = chatTrouble(error);
		});
		return true;
	}

	/** Sends files, each as a message; the first as the reply, if one is being written. */
	attach(files: Iterable<File>): void {
		let reply = this.replyTo.value?.n;
		batch(() => {
			this.replyTo.value = undefined;
			this.trouble.value = "";
			for (const file of files) {
				this.uploads.add(file, reply);
				reply = undefined;
			}
		});
	}

	retry(entry: ChatEntry): void {
		this.trouble.value = "";
		this.room.chat.retry(entry);
	}

	discard(entry: ChatEntry): void {
		this.trouble.value = "";
		this.room.chat.discard(entry);
	}

	remove(entry: ChatEntry): void {
		this.#try((n) => this.room.chat.remove(n), entry);
	}

	react(entry: ChatEntry, emoji: string): void {
		const own = this.reader.value;
		const on = own === undefined || !entry.reactions[emoji]?.includes(own);
		this.#try((n) => this.room.chat.react(n, emoji, on), entry);
	}

	startReply(entry: ChatEntry): void {
		batch(() => {
			this.editing.value = undefined;
			this.replyTo.value = entry;
		});
	}

	startEdit(entry: ChatEntry): void {
		batch(() => {
			this.replyTo.value = undefined;
			this.editing.value = entry;
		});
	}

	/** Our last message that can still be changed. */
	editLast(): void {
		const last = this.entries.value
			.filter(({ owned, state, deleted }) => owned && state === "sent" && !deleted)
			.at(-1);
		if (last) this.startEdit(last);
	}

	/** True if there was something to cancel. */
	cancel(): boolean {
		const something = this.replyTo.value !== undefined || this.editing.value !== undefined;
		batch(() => {
			this.replyTo.value = undefined;
			this.editing.value = undefined;
		});
		return something;
	}

	async loadOlder(): Promise<void> {
		if (this.older.value === "busy" || !this.hasOlder.value) return;
		this.older.value = "busy";
		try {
			await this.room.chat.older();
			this.older.value = "idle";
		} catch {
			this.older.value = "failed";
		}
	}

	/** The text of the message that an entry answers. */
	answered(entry: ChatEntry): ChatEntry | undefined {
		return entry.reply === undefined ? undefined : this.room.chat.find(entry.reply);
	}

	/** Loads until that message is here. False if it is not to be had. */
	async reveal(n: number): Promise<boolean> {
		this.view.value = "messages";
		while (!this.room.chat.find(n) && this.hasOlder.value) {
			await this.loadOlder();
			if (this.older.value === "failed") return false;
		}
		return this.room.chat.find(n) !== undefined;
	}

	/** Searches once the typing pauses. */
	search(query: string): void {
		this.query.value = query;
		clearTimeout(this.#searchTimer);
		this.#searching?.abort();
		if (!query.trim()) {
			this.found.value = { state: "idle", entries: [], more: false };
			return;
		}
		this.found.value = { ...this.found.value, state: "busy" };
		this.#searchTimer = setTimeout(() => void this.#search(false), SEARCH_MS);
	}

	moreFound(): void {
		this.found.value = { ...this.found.value, state: "busy" };
		void this.#search(true);
	}

	async loadVisits(further = false): Promise<void> {
		const known = further ? this.visits.value.visits : [];
		this.visits.value = { ...this.visits.value, state: "busy" };
		try {
			const before = known.at(-1)?.visit;
			const { visits, more } = await this.room.chat.visits({ before });
			this.visits.value = { state: "idle", visits: [...known, ...visits], more };
		} catch {
			this.visits.value = { ...this.visits.value, state: "failed" };
		}
	}

	show(view: ChatView): void {
		this.view.value = view;
		if (view === "people") void this.loadVisits();
		if (view === "messages") this.markRead();
	}

	async #search(further: boolean): Promise<void> {
		const control = new AbortController();
		this.#searching = control;
		const known = further ? this.found.value.entries : [];
		try {
			const { entries, more } = await this.room.chat.search(this.query.value.trim(), {
				before: known.at(-1)?.n,
				signal: control.signal,
			});
			this.found.value = { state: "idle", entries: [...known, ...entries], more };
		} catch {
			if (!control.signal.aborted) this.found.value = { ...this.found.value, state: "failed" };
		}
	}

	#handleMessage(entry: ChatEntry): void {
		if (entry.mine || entry.time < (this.#since ?? Number.POSITIVE_INFINITY)) return;
		const looking = this.open.value && this.view.value === "messages";
		if (looking) return this.markRead();
		batch(() => {
			this.unread.value += 1;
			this.firstUnread.value ??= entry.key;
		});
		if (!looking) this.#announce(`${entry.name || "Somebody"} writes: ${gistOf(entry)}`);
	}

	#try(ask: (n: number) => Promise<void>, { n }: ChatEntry): void {
		if (n === undefined) return;
		this.trouble.value = "";
		ask(n).catch((error: unknown) => {
			this.trouble.value = chatTrouble(error);
		});
	}
}
