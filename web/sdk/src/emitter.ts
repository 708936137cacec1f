/** Takes a listener off again. Calling it twice does nothing. */
export type Unsubscribe = () => void;

type Listener<T> = (payload: T) => void;

/**
 * Typed events: `Events` maps each event's name to its payload.
 *
 * ```ts
 * const off = room.on("joined", (person) => console.log(person.name));
 * off();
 * ```
 */
export class Emitter<Events extends object> {
	readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

	/** Calls `listener` at each `event` until the returned function is called. */
	on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): Unsubscribe {
		const set = this.#listeners.get(event) ?? new Set();
		this.#listeners.set(event, set);
		set.add(listener as Listener<never>);
		return () => set.delete(listener as Listener<never>);
	}

	/** Takes every listener off. */
	clear(): void {
		this.#listeners.clear();
	}

	/**
	 * A listener that throws must not keep the others from hearing the event, nor break the
	 * state machine that emits: its error is reported like any uncaught one.
	 */
	protected emit<K extends keyof Events>(event: K, payload: Events[K]): void {
		for (const listener of [...(this.#listeners.get(event) ?? [])]) {
			try {
				(listener as Listener<Events[K]>)(payload);
			} catch (error) {
				queueMicrotask(() => {
					throw error;
				});
			}
		}
	}
}
