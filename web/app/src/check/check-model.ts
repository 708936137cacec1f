import { signal } from "@preact/signals";
import { cameraCheck, microphoneCheck } from "./device-checks.js";
import type { Check, Finding } from "./finding.js";
import { iceChecks } from "./ice-checks.js";
import {
	clockCheck,
	pollingCheck,
	secureCheck,
	serverCheck,
	webSocketCheck,
} from "./web-checks.js";

export interface Line {
	check: Check;
	/** Not there while it waits; "running" while it runs. */
	finding: Finding | "running" | null;
}

/** The checks of /check, one after the other, so that they do not disturb each other. */
export class CheckModel {
	readonly lines = signal<readonly Line[]>([]);
	readonly running = signal(false);
	#stop = new AbortController();

	async start(): Promise<void> {
		this.stop();
		const stop = new AbortController();
		this.#stop = stop;
		this.running.value = true;
		const first = [secureCheck, serverCheck, clockCheck, webSocketCheck, pollingCheck];
		const last = [microphoneCheck, cameraCheck];
		this.lines.value = [...first, ...last].map((check) => ({ check, finding: null }));
		const between = await iceChecks(stop.signal);
		if (stop.signal.aborted) return;
		this.lines.value = [...first, ...between, ...last].map((check) => ({ check, finding: null }));
		for (const { check } of this.lines.value) {
			this.#put(check, "running");
			const finding = await check.run(stop.signal);
			if (stop.signal.aborted) return;
			this.#put(check, finding);
		}
		this.running.value = false;
	}

	stop(): void {
		this.#stop.abort();
		this.running.value = false;
	}

	/** For somebody who helps: plain text, without credentials. */
	report(): string {
		const lines = this.lines.value.map(({ check, finding }) => {
			if (!finding || finding === "running") return `?         ${check.title}`;
			if (finding.verdict === "pass") return `pass      ${check.title}: ${finding.measured}`;
			if (finding.verdict === "fail")
				return `fail      ${check.title}: ${finding.cause} Cure: ${finding.cure}`;
			return `left out  ${check.title}: ${finding.cause}`;
		});
		return [`${location.origin}, ${new Date().toISOString()}`, navigator.userAgent, ...lines].join(
			"\n",
		);
	}

	#put(check: Check, finding: Line["finding"]): void {
		this.lines.value = this.lines.value.map((line) =>
			line.check === check ? { check, finding } : line,
		);
	}
}
