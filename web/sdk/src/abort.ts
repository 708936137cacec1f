/** What ends a wait early: the promise then rejects with the signal's `reason`. */
export interface Abortable {
	signal?: AbortSignal | undefined;
}

/** Follows `work` until the signal is aborted; what comes too late is handed to `undo`. */
export function abortable<T>(
	work: Promise<T>,
	signal: AbortSignal | undefined,
	undo: (late: T) => void = () => undefined,
): Promise<T> {
	if (!signal) return work;
	return new Promise((resolve, reject) => {
		const abort = () => {
			reject(signal.reason);
			work.then(undo, () => undefined);
		};
		const unhook = () => signal.removeEventListener("abort", abort);
		signal.addEventListener("abort", abort);
		if (signal.aborted) abort();
		work.then(resolve, reject).finally(unhook);
	});
}
