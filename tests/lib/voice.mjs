// Pieces of voice as docs/protocol.md draws them ("Voice through the server").
import assert from "node:assert/strict";

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const CODECS = ["none", "opus", "pcm"];

function memberBytes(id) {
	const number = [...id.slice(2)].reduce((sum, c) => sum * 32n + BigInt(LETTERS.indexOf(c)), 0n);
	return Buffer.from(number.toString(16).padStart(10, "0"), "hex");
}

function memberId(bytes) {
	let number = BigInt(`0x${bytes.toString("hex")}`);
	let letters = "";
	for (let i = 0; i < 8; i++) {
		letters = LETTERS[Number(number % 32n)] + letters;
		number /= 32n;
	}
	return `m_${letters}`;
}

export function voice(members, extra = {}) {
	const { room = "", codec = "opus", sequence = 0, timestamp = 0, payload = "sound" } = extra;
	const head = Buffer.alloc(7);
	head.writeUInt8(CODECS.indexOf(codec), 0);
	head.writeUInt16BE(sequence, 1);
	head.writeUInt32BE(timestamp, 3);
	return Buffer.concat([
		Buffer.from([0x11, Buffer.byteLength(room)]),
		Buffer.from(room),
		Buffer.from([members.length]),
		...members.map(memberBytes),
		head,
		Buffer.from(payload),
	]);
}

/** What the server sent; throws when it is no piece of voice. */
export function readVoice(bytes) {
	assert.equal(bytes[0], 0x11, "version 1, kind 1");
	const at = 2 + bytes[1];
	assert.equal(bytes[at], 1, "one speaks");
	const sound = bytes.subarray(at + 6);
	assert.ok(sound.length > 7, "something is heard");
	return {
		room: bytes.toString("utf8", 2, at),
		from: memberId(bytes.subarray(at + 1, at + 6)),
		codec: CODECS[sound[0]],
		sequence: sound.readUInt16BE(1),
		timestamp: sound.readUInt32BE(3),
		payload: sound.toString("latin1", 7),
	};
}
