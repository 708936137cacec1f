/**
 * Pieces of voice that go through the server, as docs/protocol.md draws them ("Voice through the
 * server").
 */
export type VoiceCodec = "opus" | "pcm";

export interface Sound {
	codec: VoiceCodec;
	/** Counts the speaker's pieces, 16 bits. */
	sequence: number;
	/** Of the first sample, in 1/48000 s, 32 bits. */
	timestamp: number;
	payload: Uint8Array;
}

export interface VoiceFrame extends Sound {
	room: string;
	/** Member ids: for whom it is, or from the server who speaks. */
	members: string[];
}

const KIND = 0x11;
const CODECS = [undefined, "opus", "pcm"] as const;
const MEMBER_BYTES = 5;
const SOUND_HEAD = 7;
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

export function encodeVoice({ room, members, ...sound }: VoiceFrame): Uint8Array {
	const name = new TextEncoder().encode(room);
	const head = 3 + name.length + members.length * MEMBER_BYTES;
	const bytes = new Uint8Array(head + SOUND_HEAD + sound.payload.length);
	const view = new DataView(bytes.buffer);
	bytes.set([KIND, name.length], 0);
	bytes.set(name, 2);
	bytes[2 + name.length] = members.length;
	for (const [i, id] of members.entries()) {
		bytes.set(memberBytes(id), 3 + name.length + i * MEMBER_BYTES);
	}
	view.setUint8(head, CODECS.indexOf(sound.codec));
	view.setUint16(head + 1, sound.sequence);
	view.setUint32(head + 3, sound.timestamp);
	bytes.set(sound.payload, head + SOUND_HEAD);
	return bytes;
}

/** undefined for what is no piece of voice, or of a kind that we do not know. */
export function parseVoice(bytes: Uint8Array): VoiceFrame | undefined {
	const nameLength = bytes[1] ?? 0;
	const count = bytes[2 + nameLength] ?? 0;
	const head = 3 + nameLength + count * MEMBER_BYTES;
	if (bytes[0] !== KIND || count === 0 || bytes.length <= head + SOUND_HEAD) return undefined;
	const view = new DataView(bytes.buffer, bytes.byteOffset + head);
	const codec = CODECS[view.getUint8(0)];
	if (codec === undefined) return undefined;
	const at = (i: number) => 3 + nameLength + i * MEMBER_BYTES;
	return {
		room: new TextDecoder().decode(bytes.subarray(2, 2 + nameLength)),
		members: Array.from({ length: count }, (_, i) => memberId(bytes.subarray(at(i), at(i + 1)))),
		codec,
		sequence: view.getUint16(1),
		timestamp: view.getUint32(3),
		payload: bytes.subarray(head + SOUND_HEAD),
	};
}

/** The letters of an id are 40 bits, 5 each. */
function memberBytes(id: string): number[] {
	let value = 0n;
	for (const letter of id.slice(2)) value = value * 32n + BigInt(LETTERS.indexOf(letter));
	return [32n, 24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 255n));
}

function memberId(bytes: Uint8Array): string {
	let value = 0n;
	for (const byte of bytes) value = value * 256n + BigInt(byte);
	const letters = [35n, 30n, 25n, 20n, 15n, 10n, 5n, 0n];
	return `m_${letters.map((shift) => LETTERS[Number((value >> shift) & 31n)]).join("")}`;
}

/** How many pieces lie between two of them that follow each other; negative: the later came first. */
export function missingBetween(before: number, now: number): number {
	return ((now - before + 0x8000) & 0xffff) - 0x8000 - 1;
}
