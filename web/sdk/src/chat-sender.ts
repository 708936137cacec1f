import type { Abortable } from "./abort.js";
import { ChatError, RequestError } from "./errors.js";
import type { LogLevel, LogLine } from "./log.js";
import type { Outbox, Outgoing } from "./outbox.js";
import type { ReconnectPolicy } from "./reconnect-policy.js";
import type { UploadPlace } from "./upload.js";

/** The room's end of the line, as the chat needs it. */
export interface ChatLine {
	request(type: string, fields: object, wait?: Abortable): Promise<unknown>;
	send(type: string, fields: object): boolean;
	/** A token says who we are. */
	readonly identified: boolean;
	/** Where files go; undefined: the server takes none, or we have no seat. */
	uploadPlace(): UploadPlace | undefined;
	/** The whole address of a path of the server. */
	urlOf(path: string): string;
	log(level: LogLevel, event: string, fields?: LogLine["fields"]): void;
}

interface Waiting<T> {
	resolve(value: T): void;
	reject(reason: unknown): void;
}

// Refusals that may pass: the message stays in the outbox and is tried again.
const PASSING = ["unavailable", "rate_limited", "not_joined"];

/**
 * Sends what is in the outbox, one message after the other, so that they stay in their order
 * whatever happens. A message whose fate is unknown is sent again: its key makes that harmless.
 */
export class ChatSender<T> {
	readonly #line: ChatLine;
	readonly #policy: ReconnectPolicy;
	readonly #handleSent: (item: Outgoing, reply: unknown) => void;
	readonly #handleChanged: () => void;
	readonly #waiting = new Map<string, Waiting<T>>();
	#seated = false;
	#flushing = false;
	#attempt = 0;
	#retry: ReturnType<typeof setTimeout> | undefined;

	/**
	 * @param handleSent the server has it; to be followed by `settle`
	 * @param handleChanged the outbox is another
	 */
	constructor(
		line: ChatLine,
		readonly outbox: Outbox,
		policy: ReconnectPolicy,
		handleSent: (item: Outgoing, reply: unknown) => void,
		handleChanged: () => void,
	) {
		this.#line = line;
		this.#policy = policy;
		this.#handleSent = handleSent;
		this.#handleChanged = handleChanged;
	}

	get seated(): boolean {
		return this.#seated;
	}

	/** Resolves with what `settle` is given. */
	send(item: Outgoing, signal: AbortSignal | undefined): Promise<T> {
		if (signal?.aborted) return Promise.reject(signal.reason);
		if (!this.outbox.handleWritten(item)) {
			return Promise.reject(ChatError.outboxFull(this.outbox.limit));
		}
		const done = new Promise<T>((resolve, reject) => {
			this.#waiting.set(item.key, { resolve, reject });
		});
		const abort = () => this.drop(item.key, signal?.reason);
		signal?.addEventListener("abort", abort);
		this.#handleChanged();
		void this.#flush();
		return done.finally(() => signal?.removeEventListener("abort", abort));
	}

	retry(key: string): void {
		this.outbox.handleRetry(key);
		this.#handleChanged();
		void this.#flush();
	}

	/** Takes a message out, unless it is gone already. */
	drop(key: string, why: unknown): void {
		if (!this.outbox.handleDone(key)) return;
		this.#reject(key, why);
		this.#handleChanged();
	}

	/** The server has the message, as its reply or its event says. */
	settle(key: string, value: T): void {
		this.outbox.handleDone(key);
		this.#waiting.get(key)?.resolve(value);
		this.#waiting.delete(key);
	}

	handleSeated(): void {
		this.#seated = true;
		void this.#flush();
	}

	handleAway(): void {
		this.#seated = false;
		clearTimeout(this.#retry);
	}

	handleEnded(why: unknown): void {
		this.handleAway();
		for (const key of [...this.#waiting.keys()]) this.#reject(key, why);
	}

	async #flush(): Promise<void> {
		if (this.#flushing) return;
		this.#flushing = true;
		let item = this.outbox.next;
		while (this.#seated && item && (await this.#deliver(item))) item = this.outbox.next;
		this.#flushing = false;
	}

	/** False if it is to be tried again later. */
	async #deliver(item: Outgoing): Promise<boolean> {
		const { key, reply, to } = item;
		const files = item.files?.map(({ id }) => id);
		const text = item.text || undefined;
		try {
			const answer = await this.#line.request("chat", { key, text, reply, to, files });
			this.#attempt = 0;
			this.#handleSent(item, answer);
			return true;
		} catch (error) {
			if (error instanceof RequestError && !PASSING.includes(error.reason)) {
				this.#line.log("warn", "message refused", { reason: error.reason });
				this.outbox.handleRefused(key, error.reason);
				this.#reject(key, error);
				this.#handleChanged();
				return true;
			}
			this.#tryLater();
			return false;
		}
	}

	#tryLater(): void {
		const delay = this.#policy.nextDelay(this.#attempt++);
		clearTimeout(this.#retry);
		if (this.#seated && delay !== undefined) {
			this.#retry = setTimeout(() => void this.#flush(), delay);
		}
	}

	#reject(key: string, why: unknown): void {
		this.#waiting.get(key)?.reject(why);
		this.#waiting.delete(key);
	}
}
