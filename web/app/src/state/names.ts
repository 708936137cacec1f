// 64 x 64 friendly pairs; short, easy to say on the phone, hard to misread.
const FIRST = (
	"amber azure birch bright brisk calm cedar chalk clear cloud cobalt copper coral crisp " +
	"dawn dusky early ember fern field flint forest frost gentle ginger golden grand green " +
	"hazel honey indigo ivory jade kind lemon light lilac lucky maple meadow mellow merry " +
	"misty moss nimble noble north ocean olive opal pearl pine plum quiet rapid river rosy " +
	"ruby sandy silver sunny swift velvet warm"
).split(" ");
const SECOND = (
	"badger bear beaver bison crane cricket deer dolphin dove duck eagle egret elk falcon " +
	"ferret finch fox gecko goose hare hawk heron ibis jay koala lark lemur lion llama lynx " +
	"marten mole moose moth mouse newt orca osprey otter owl panda parrot pelican pony puffin " +
	"quail rabbit raven robin salmon seal sparrow squirrel stork swan swift tern tiger toad " +
	"turtle walrus whale wolf wren"
).split(" ");

/** A room name such as `amber-fox`. */
export function randomRoomName(random: () => number = Math.random): string {
	const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? "";
	return `${pick(FIRST)}-${pick(SECOND)}`;
}

const ROOM_BYTES = 128;

/** What somebody typed, as a room name: also a pasted link to a room will do. */
export function roomNameOf(typed: string): string {
	const linked = /\/r\/([^/?#]+)/.exec(typed)?.[1];
	const name = (linked === undefined ? typed : decode(linked)).trim().toLowerCase();
	return cutBytes(name.replace(/\s+/g, "-").replace(/[/?#\\]+/g, ""), ROOM_BYTES);
}

/** The first letters of the first two words, for the picture of somebody without camera. */
export function initials(name: string): string {
	const words = name
		.trim()
		.split(/[\s_-]+/)
		.filter(Boolean);
	const letters = words.slice(0, 2).map((word) => [...word][0] ?? "");
	return letters.join("").toUpperCase() || "?";
}

// Hues that go well with the page and with each other.
const HUES = [158, 24, 205, 42, 338, 96, 182, 8, 225, 130];

/** A hue that stays the same for a name. */
export function hueOf(name: string): number {
	let hash = 7;
	for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
	return HUES[hash % HUES.length] ?? 158;
}

export function cutBytes(text: string, limit: number): string {
	const encoder = new TextEncoder();
	let kept = "";
	let size = 0;
	for (const letter of text) {
		size += encoder.encode(letter).length;
		if (size > limit) break;
		kept += letter;
	}
	return kept;
}

function decode(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
