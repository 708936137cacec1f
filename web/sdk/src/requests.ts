import type { Abortable } from "./abort.js";
import { ConnectionError, RequestError } from "./errors.js";
import type { Reply } from "./wire.js";

interface Pending {
	resolve(data: unknown): void;
	reject(error: unknown): void;
}

/** How a request is waited for. */
export interface RequestWait extends Abortable {
	/**
	 * Hears the data of a granted request in its place among the events. The promise is heard a
	 * moment later, when events that came along with the reply may have been told already.
	 */
	granted?: (data: unknown) => void;
	/** Asked when the time for an answer is over: true waits as long once more. */
	patient?: () => boolean;
}

/** Request ids and the promises that wait for their replies. */
export class Requests {
	readonly #pending = new Map<number, Pending>();
	#next = 1;

	get size(): number {
		return this.#pending.size;
	}

	/**
	 * A new id, and the promise that its reply, a timeout, the loss of the line or an abort
	 * settles. What was asked may be carried out in spite of an abort: its reply is let go.
	 */
	open(timeoutMs: number, wait: RequestWait = {}): { id: number; done: Promise<unknown> } {
		const { signal, granted, patient } = wait;
		const id = this.#next++;
		const done = new Promise<unknown>((resolve, reject) => {
			const settle = <T>(how: (value: T) => void) => {
				return (value: T) => {
					this.#pending.delete(id);
					clearTimeout(timer);
					signal?.removeEventListener("abort", abort);
					how(value);
				};
			};
			const grant = (data: unknown) => {
				granted?.(data);
				resolve(data);
			};
			const pending = { resolve: settle(grant), reject: settle(reject) };
			const abort = () => pending.reject(signal?.reason);
			const expire = () => {
				if (patient?.()) timer = setTimeout(expire, timeoutMs);
				else pending.reject(ConnectionError.timeout(timeoutMs));
			};
			let timer = setTimeout(expire, timeoutMs);
			signal?.addEventListener("abort", abort);
			this.#pending.set(id, pending);
		});
		return { id, done };
	}

	/** False if nobody waits for this reply (any more). */
	handleReply(reply: Reply): boolean {
		const pending = this.#pending.get(reply.id);
		if (!pending) return false;
		if (reply.ok) pending.resolve(reply.data);
		else pending.reject(RequestError.from(reply.error));
		return true;
	}

	handleLost(error: ConnectionError): void {
		for (const pending of [...this.#pending.values()]) pending.reject(error);
	}
}
