import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** Shows a track in a media element; the element lets go of it when it is gone. */
export function useTrack<T extends HTMLMediaElement>(track: MediaStreamTrack | null): RefObject<T> {
	const ref = useRef<T>(null);
	useEffect(() => {
		const element = ref.current;
		if (!element) return;
		element.srcObject = track ? new MediaStream([track]) : null;
		return () => {
			element.srcObject = null;
		};
	}, [track]);
	return ref;
}

/** The size of an element as it changes. */
export function useSize<T extends Element>() {
	const ref = useRef<T>(null);
	const size = useSignal({ width: 0, height: 0 });
	useLayoutEffect(() => {
		const element = ref.current;
		if (!element) return;
		const read = () => {
			size.value = { width: element.clientWidth, height: element.clientHeight };
		};
		const observer = new ResizeObserver(read);
		observer.observe(element);
		read();
		return () => observer.disconnect();
	}, [size]);
	return { ref, size };
}

/** The time, read again every `ms` milliseconds. */
export function useNow(ms: number) {
	const now = useSignal(Date.now());
	useEffect(() => {
		const timer = setInterval(() => {
			now.value = Date.now();
		}, ms);
		return () => clearInterval(timer);
	}, [ms, now]);
	return now;
}

export type Keymap = Readonly<Record<string, () => void>>;

/** Single keys as shortcuts: not while somebody types, nor inside a dialog. */
export function useShortcuts(keymap: Keymap): void {
	const current = useRef(keymap);
	current.current = keymap;
	useEffect(() => {
		const onKey = (event: KeyboardEvent) => {
			if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
			const target = event.target as HTMLElement;
			if (target.closest("input, textarea, select, dialog, [contenteditable]")) return;
			const action = current.current[event.key.toLowerCase()];
			if (!action) return;
			event.preventDefault();
			action();
		};
		addEventListener("keydown", onKey);
		return () => removeEventListener("keydown", onKey);
	}, []);
}
