/**
 * The sounds of ringing, made of sine waves: nothing to download. `incoming` is a soft
 * two-note bell, `outgoing` the quiet tone a caller hears.
 */
const TONES = {
	incoming: { notes: [659.3, 880], every: 2_400, volume: 0.16 },
	outgoing: { notes: [440], every: 3_600, volume: 0.05 },
} as const;

/** Rings until the returned function is called. */
export function startRinging(kind: keyof typeof TONES): () => void {
	const { notes, every, volume } = TONES[kind];
	const context = new AudioContext();
	const ring = () => {
		for (const [index, pitch] of notes.entries()) strike(context, pitch, index * 0.28, volume);
	};
	void context.resume();
	ring();
	const timer = setInterval(ring, every);
	return () => {
		clearInterval(timer);
		void context.close();
	};
}

function strike(context: AudioContext, pitch: number, delay: number, volume: number): void {
	const start = context.currentTime + delay;
	const tone = context.createOscillator();
	const swell = context.createGain();
	tone.frequency.value = pitch;
	swell.gain.setValueAtTime(0, start);
	swell.gain.linearRampToValueAtTime(volume, start + 0.03);
	swell.gain.exponentialRampToValueAtTime(0.0001, start + 1.1);
	tone.connect(swell).connect(context.destination);
	tone.start(start);
	tone.stop(start + 1.2);
}
