import {
	type ChatEntry,
	ChatError,
	ConnectionError,
	type Person,
	RequestError,
} from "../../../sdk/src/index.js";

/** Ann is writing… Ann and Ben are writing… Three people are writing… */
export function typingText(names: readonly string[]): string {
	const [first, second] = names;
	if (!first) return "";
	if (!second) return `${first} is writing…`;
	if (names.length === 2) return `${first} and ${second} are writing…`;
	return "Several people are writing…";
}

/** Why something in the chat did not work, in one sentence. */
export function chatTrouble(error: unknown): string {
	if (error instanceof ConnectionError) return "The server is away. Try again in a moment.";
	if (error instanceof ChatError && error.reason === "outbox-full") {
		return "Many messages wait to be sent already. Wait until the server is back.";
	}
	if (!(error instanceof RequestError)) return "That did not work. Try again in a moment.";
	switch (error.reason) {
		case "denied":
			return "You may not do that in this room.";
		case "rate_limited":
			return "That was too fast. Wait a little, then try again.";
		case "unavailable":
			return "The server cannot keep messages at the moment. Try again soon.";
		case "too_large":
		case "bad_field":
			return "The server does not take this message. Make it shorter.";
		default:
			return "That did not work. Try again in a moment.";
	}
}

/** Why a file was not sent, in one sentence. */
export function fileTrouble(error: unknown, name: string, limit: number | undefined): string {
	const reason = error instanceof RequestError ? error.reason : "";
	if (reason === "too_large") {
		const most = limit === undefined ? "" : `: at most ${sizeText(limit)}`;
		return `“${name}” is too large${most}.`;
	}
	if (reason === "limit") return `“${name}” was not sent: there is no room for more files here.`;
	if (reason === "denied" || reason === "unauthorized")
		return "You may not send files in this room.";
	if (reason === "rate_limited") return "Too many files at once. Wait a minute, then try again.";
	if (error instanceof ChatError && error.reason === "no-files") {
		return "Files cannot be sent just now.";
	}
	return `“${name}” could not be sent. Try again in a moment.`;
}

/** 512 B, 34 kB, 1.2 MB. */
export function sizeText(bytes: number): string {
	if (bytes < 1_000) return `${bytes} B`;
	const units = ["kB", "MB", "GB", "TB"];
	let value = bytes / 1_000;
	let unit = 0;
	while (value >= 999.5 && unit < units.length - 1) {
		value /= 1_000;
		unit += 1;
	}
	return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ${units[unit]}`;
}

/** 12:40 today, else with the day. */
export function timeText(time: number, now: number): string {
	const date = new Date(time);
	const clock = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
	if (new Date(now).toDateString() === date.toDateString()) return clock;
	return `${dayText(time, now)}, ${clock}`;
}

/** Today, Yesterday, or the date. */
export function dayText(time: number, now: number): string {
	const day = new Date(time).toDateString();
	if (day === new Date(now).toDateString()) return "Today";
	if (day === new Date(now - 86_400_000).toDateString()) return "Yesterday";
	const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
	return new Date(time).toLocaleDateString([], {
		day: "numeric",
		month: "long",
		...(sameYear ? {} : { year: "numeric" }),
	});
}

/** 3 min, 2 h 5 min. */
export function spanText(ms: number): string {
	const minutes = Math.max(0, Math.round(ms / 60_000));
	if (minutes < 1) return "less than a minute";
	if (minutes < 60) return `${minutes} min`;
	const rest = minutes % 60;
	return `${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ""}`;
}

/** What a message says in a line: for replies, search hits and screen readers. */
export function gistOf(entry: Pick<ChatEntry, "text" | "deleted" | "files">): string {
	if (entry.deleted) return "Message deleted";
	return entry.text || entry.files.map(({ name }) => name).join(", ");
}

/** Names of those who reacted; `You` for ourselves, first. */
export function readersText(
	readers: readonly string[],
	own: string | undefined,
	people: readonly Person[],
	entries: readonly ChatEntry[],
): string {
	const nameOf = (reader: string) =>
		people.find(({ user, id }) => user === reader || id === reader)?.name ??
		entries.find(({ user, from }) => user === reader || from === reader)?.name ??
		"Somebody who left";
	const others = readers.filter((reader) => reader !== own).map(nameOf);
	return [...(own !== undefined && readers.includes(own) ? ["You"] : []), ...others].join(", ");
}
