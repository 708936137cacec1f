import { ConnectionError, RequestError } from "./errors.js";
import type { Reply } from "./wire.js";

interface Pending {
	resolve(data: unknown): void;
	reject(error: Error): void;
	timer: ReturnType<typeof setTimeout>;
}

/** Request ids and the promises that wait for their replies. */
export class Requests {
	readonly #pending = new Map<number, Pending>();
	#next = 1;

	get size(): number {
		return this.#pending.size;
	}

	/** A new id, and the promise that its reply, a timeout or the loss of the line settles. */
	open(timeoutMs: number): { id: number; done: Promise<unknown> } {
		const id = this.#next++;
		const done = new Promise<unknown>((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#pending.delete(id);
				reject(new ConnectionError("timeout", `no reply within ${timeoutMs} ms`));
			}, timeoutMs);
			this.#pending.set(id, { resolve, reject, timer });
		});
		return { id, done };
	}

	/** False if nobody waits for this reply (any more). */
	handleReply(reply: Reply): boolean {
		const pending = this.#pending.get(reply.id);
		if (!pending) return false;
		this.#pending.delete(reply.id);
		clearTimeout(pending.timer);
		if (reply.ok) pending.resolve(reply.data);
		else {
			const { code = "unavailable", message = "refused", detail } = reply.error ?? {};
			pending.reject(new RequestError(code, message, detail));
		}
		return true;
	}

	handleLost(error: ConnectionError): void {
		for (const pending of this.#pending.values()) {
			clearTimeout(pending.timer);
			pending.reject(error);
		}
		this.#pending.clear();
	}
}
