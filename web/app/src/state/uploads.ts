import { signal } from "@preact/signals";
import { type Chat, randomId } from "../../../sdk/src/index.js";

/** A file on its way. */
export interface UploadItem {
	key: string;
	name: string;
	size: number;
	/** How much of it has gone, from 0 to 1. */
	part: number;
}

/** The files that are being sent, one after the other, as signals. */
export class Uploads {
	readonly items = signal<readonly UploadItem[]>([]);
	/** Files can be sent now. */
	readonly possible = signal(false);
	readonly #chat: Chat;
	readonly #failed: (error: unknown, name: string) => void;
	readonly #controls = new Map<string, AbortController>();
	#last: Promise<void> = Promise.resolve();

	/** @param failed what became of a file that was not cancelled */
	constructor(chat: Chat, failed: (error: unknown, name: string) => void) {
		this.#chat = chat;
		this.#failed = failed;
	}

	refresh(): void {
		this.possible.value = this.#chat.fileLimit !== undefined;
	}

	add(file: File, reply?: number): void {
		const key = randomId();
		const { name, size } = file;
		this.#controls.set(key, new AbortController());
		this.items.value = [...this.items.value, { key, name, size, part: 0 }];
		// In their order, and each with the whole of the line.
		this.#last = this.#last.then(() => this.#send(key, file, reply));
	}

	cancel(key: string): void {
		this.#controls.get(key)?.abort();
		this.#remove(key);
	}

	cancelAll(): void {
		for (const { key } of this.items.value) this.cancel(key);
	}

	async #send(key: string, file: File, reply: number | undefined): Promise<void> {
		const signal = this.#controls.get(key)?.signal;
		if (!signal || signal.aborted) return;
		const onProgress = (part: number) => this.#progress(key, part);
		try {
			await this.#chat.sendFile(file, { signal, onProgress, reply });
		} catch (error) {
			if (!signal.aborted) this.#failed(error, file.name);
		}
		this.#remove(key);
	}

	#progress(key: string, part: number): void {
		this.items.value = this.items.value.map((item) =>
			item.key === key ? { ...item, part } : item,
		);
	}

	#remove(key: string): void {
		this.#controls.delete(key);
		this.items.value = this.items.value.filter((item) => item.key !== key);
	}
}
