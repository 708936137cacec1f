/**
 * Tells from levels whether somebody speaks. Two thresholds and a hold time, so that the
 * pauses between words do not make the sign flicker and each change is worth a message.
 */
export class SpeakingDetector {
	#speaking = false;
	#loudSince: number | undefined;
	#loudAt = 0;

	static readonly ON = 0.03;
	static readonly OFF = 0.015;
	static readonly RISE_MS = 120;
	static readonly HOLD_MS = 700;

	/** The verdict of now. */
	get speaking(): boolean {
		return this.#speaking;
	}

	/** @param level RMS of the samples, 0..1. True if the verdict changed. */
	handleLevel(level: number, now: number): boolean {
		const loud = level >= (this.#speaking ? SpeakingDetector.OFF : SpeakingDetector.ON);
		if (loud) {
			this.#loudSince ??= now;
			this.#loudAt = now;
		} else this.#loudSince = undefined;
		return this.#set(this.#verdict(now));
	}

	/** The microphone is off. True if the verdict changed. */
	handleSilence(): boolean {
		this.#loudSince = undefined;
		return this.#set(false);
	}

	#verdict(now: number): boolean {
		if (this.#speaking) return now - this.#loudAt < SpeakingDetector.HOLD_MS;
		return this.#loudSince !== undefined && now - this.#loudSince >= SpeakingDetector.RISE_MS;
	}

	#set(speaking: boolean): boolean {
		const changed = speaking !== this.#speaking;
		this.#speaking = speaking;
		return changed;
	}
}

/** RMS as a length of a meter: 0..1 over the 50 dB that voices span. */
export function meterOf(level: number): number {
	if (level <= 0) return 0;
	const decibels = 20 * Math.log10(level);
	return Math.min(1, Math.max(0, (decibels + 55) / 50));
}
