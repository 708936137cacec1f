/** What one check found: the number measured, or the cause in words and the setting that cures it. */
export type Finding =
	| { verdict: "pass"; measured: string }
	| { verdict: "fail"; cause: string; cure: string }
	| { verdict: "left-out"; cause: string };

export interface Check {
	id: string;
	title: string;
	/** Never rejects but for `signal`; ends by itself within some seconds. */
	run(signal: AbortSignal): Promise<Finding>;
}

export const pass = (measured: string): Finding => ({ verdict: "pass", measured });
export const fail = (cause: string, cure: string): Finding => ({ verdict: "fail", cause, cure });
export const leftOut = (cause: string): Finding => ({ verdict: "left-out", cause });

/** Milliseconds since `begin`, for people. */
export function since(begin: number): string {
	const ms = performance.now() - begin;
	return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** Settles with `late` when the promise takes longer. */
export async function within<T>(promise: Promise<T>, ms: number, late: T): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const timeout = new Promise<T>((resolve) => {
		timer = setTimeout(() => resolve(late), ms);
	});
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}
