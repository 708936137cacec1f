// What a process has in its memory.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

// Larger ones are what a sanitizer reserves.
const LARGEST = 256 << 20;

/** The places that can be written to. */
function regions(pid) {
	return readFileSync(`/proc/${pid}/maps`, "latin1")
		.split("\n")
		.map((line) => line.match(/^([0-9a-f]+)-([0-9a-f]+) rw/))
		.filter(Boolean)
		.map(([, from, to]) => ({
			from: BigInt(`0x${from}`),
			size: Number(BigInt(`0x${to}`) - BigInt(`0x${from}`)),
		}))
		.filter(({ size }) => size <= LARGEST);
}

/** How often a text is there. */
export function timesInMemory(pid, text) {
	const memory = openSync(`/proc/${pid}/mem`, "r");
	const wanted = Buffer.from(text);
	let times = 0;
	try {
		for (const { from, size } of regions(pid)) {
			const bytes = Buffer.alloc(size);
			let n = 0;
			try {
				n = readSync(memory, bytes, 0, size, from);
			} catch {
				continue; // it has no pages, or is gone
			}
			for (let at = -1; (at = bytes.subarray(0, n).indexOf(wanted, at + 1)) >= 0; ) times++;
		}
	} finally {
		closeSync(memory);
	}
	return times;
}
