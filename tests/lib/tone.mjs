// A WAV file with a tone: what the browsers' fake microphone plays.
import { writeFileSync } from "node:fs";

const RATE = 48_000;

/** Two seconds of 16-bit mono that join without a click; Chromium plays the file round and round. */
export function writeTone(path, hertz = 440, seconds = 2) {
	const samples = Buffer.alloc(RATE * seconds * 2);
	for (let i = 0; i < RATE * seconds; i++) {
		const value = Math.sin((2 * Math.PI * hertz * i) / RATE) * 0.5;
		samples.writeInt16LE(Math.round(value * 32767), i * 2);
	}
	const head = Buffer.alloc(44);
	head.write("RIFF", 0);
	head.writeUInt32LE(36 + samples.length, 4);
	head.write("WAVEfmt ", 8);
	head.writeUInt32LE(16, 16);
	head.writeUInt16LE(1, 20); // PCM
	head.writeUInt16LE(1, 22); // channels
	head.writeUInt32LE(RATE, 24);
	head.writeUInt32LE(RATE * 2, 28);
	head.writeUInt16LE(2, 32);
	head.writeUInt16LE(16, 34);
	head.write("data", 36);
	head.writeUInt32LE(samples.length, 40);
	writeFileSync(path, Buffer.concat([head, samples]));
}
