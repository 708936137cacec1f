import { describe, expect, it } from "vitest";
import { ConnectionError, MediaError, RequestError } from "../../../sdk/src/index.js";
import { bestGrid } from "./grid.js";
import { linkOf } from "./people.js";
import { doorWords, joinWords, mutedWords, problemWords, roleWords } from "./plain-words.js";
import { mergePrefs } from "./prefs.js";
import { parseRoute, pathOf } from "./route.js";
import { durationText, type StatusInput, secondsUntil, statusOf } from "./status.js";
import { nameIn, splitToken } from "./token.js";

describe("bestGrid", () => {
	it("stacks two on a phone and puts them side by side on a desk", () => {
		expect(bestGrid(2, 370, 700)).toEqual({ columns: 1, rows: 2 });
		expect(bestGrid(2, 1250, 620)).toEqual({ columns: 2, rows: 1 });
	});

	it("has a place for everybody up to six", () => {
		for (let count = 1; count <= 6; count++) {
			for (const [width, height] of [
				[360, 640],
				[1280, 800],
				[800, 360],
			] as const) {
				const { columns, rows } = bestGrid(count, width, height);
				expect(columns * rows).toBeGreaterThanOrEqual(count);
			}
		}
	});

	it("survives a stage without size", () => {
		expect(bestGrid(3, 0, 0)).toEqual({ columns: 1, rows: 3 });
	});
});

describe("statusOf", () => {
	const input: StatusInput = {
		connection: "open",
		room: "in",
		micOn: false,
		links: ["connected"],
		wasIn: true,
	};
	const tone = (changes: Partial<StatusInput>) => statusOf({ ...input, ...changes }).tone;

	it("is blue when connected and green when the microphone is on", () => {
		expect(tone({})).toBe("connected");
		expect(tone({ micOn: true })).toBe("live");
	});

	it("is yellow while the room or a path is being entered", () => {
		expect(tone({ room: "joining", wasIn: false })).toBe("connecting");
		expect(tone({ links: ["connected", "connecting"] })).toBe("connecting");
		expect(tone({ links: ["lost"] })).toBe("connecting");
		expect(tone({ links: ["connected", "relayed"] })).toBe("connected");
	});

	it("says that one waits to be let in", () => {
		const status = statusOf({ ...input, room: "waiting", wasIn: false, links: [] });
		expect(status).toEqual({ tone: "connecting", text: "Waiting" });
	});

	it("is orange when the server is away, and says whether the call goes on", () => {
		expect(statusOf({ ...input, connection: "waiting", room: "away" })).toEqual({
			tone: "local",
			text: "Server away, call goes on",
		});
		const alone = { ...input, connection: "waiting", room: "joining", links: [] } as const;
		expect(statusOf({ ...alone, wasIn: false }).text).toBe("Server away, local only");
	});
});

describe("durationText and secondsUntil", () => {
	it("reads like a clock", () => {
		expect([7_000, 760_000, 3_723_000].map(durationText)).toEqual(["0:07", "12:40", "1:02:03"]);
	});

	it("counts down in whole seconds and stops at none", () => {
		expect([secondsUntil(2_500, 0), secondsUntil(0, 500)]).toEqual([3, 0]);
	});
});

describe("problemWords", () => {
	const denied = new MediaError("permission-denied", "x");

	it("says once what goes for camera and microphone", () => {
		const words = problemWords({ audio: denied, camera: denied }, "http://h/r/x");
		expect(words.length).toBe(1);
		expect(words[0]?.[1].title).toContain("camera and microphone");
	});

	it("says twice what differs", () => {
		const missing = new MediaError("no-device", "x");
		expect(problemWords({ audio: denied, camera: missing }, "").length).toBe(2);
	});

	it("shows the way to https from an insecure page", () => {
		const insecure = new MediaError("insecure-origin", "x");
		const [[, words] = []] = problemWords({ audio: insecure }, "http://h:8443/r/x");
		expect(words?.link?.href).toBe("https://h:8443/r/x");
	});
});

describe("joinWords", () => {
	it("tells a full room from an absent server", () => {
		expect(joinWords(new RequestError("room_full", "x")).title).toBe("This room is full");
		expect(joinWords(new ConnectionError("timeout", "x")).title).toContain("cannot be reached");
		const expired = new RequestError("unauthorized", "x", "expired");
		expect(joinWords(expired).advice).toContain("Ask whoever");
		expect(joinWords(new RequestError("new_code", "x")).advice).toContain("new_code");
	});

	it("says why the door stays shut, and what can be done", () => {
		const title = (code: string, waited = false) =>
			joinWords(new RequestError(code, "x"), waited).title;
		expect(title("locked")).toBe("This room is locked");
		expect(title("banned")).toContain("may not come back");
		expect(title("denied")).toBe("You may not enter this room");
		expect(title("denied", true)).toBe("You were not let in");
		expect(title("limit")).toContain("no place");
	});
});

describe("what others do to us", () => {
	it("is told with what it means", () => {
		expect(roleWords("listener", "speaker").advice).toContain("microphone and camera are off");
		expect(roleWords("speaker", "listener").advice).toContain("Switch your microphone");
		expect(roleWords("speaker", "moderator").advice).not.toContain("microphone");
		expect(mutedWords(true).advice).toContain("when they allow it");
	});

	it("is told of the door only when that is another", () => {
		const shut = { locked: true, lobby: false };
		expect(doorWords(shut, false, false)).toContain("locked");
		expect(doorWords({ locked: false, lobby: true }, true, true)).toContain("no longer locked");
		expect(doorWords({ locked: false, lobby: true }, false, false)).toContain("wait");
		expect(doorWords(shut, true, false)).toBeUndefined();
	});
});

describe("parseRoute", () => {
	it("reads what pathOf writes", () => {
		for (const room of ["amber-fox", "a b/c?d", "100%", "café"]) {
			for (const ring of [true, false]) {
				const url = new URL(pathOf({ page: "room", room, ring }), "http://h");
				expect(parseRoute(url.pathname, url.search)).toEqual({ page: "room", room, ring });
			}
		}
	});

	it("knows the start page, and what is no page", () => {
		for (const path of ["/", "/r", "/r/"]) expect(parseRoute(path, "")).toEqual({ page: "home" });
		for (const path of ["/x/y", "/rooms", "/r/a/b"]) {
			expect(parseRoute(path, "")).toEqual({ page: "lost" });
		}
		expect(pathOf({ page: "lost" })).toBe("/");
	});

	it("takes a broken escape as it stands", () => {
		expect(parseRoute("/r/100%", "")).toMatchObject({ room: "100%" });
	});
});

describe("splitToken and nameIn", () => {
	const body = btoa(JSON.stringify({ name: "Ann", sub: "ann" })).replace(/=/g, "");
	const token = `e30.${body}.sig`;

	it("takes the token out of the address, wherever it stands", () => {
		const plain = "https://h/r/fox?ring=1";
		for (const href of [`${plain}#token=${token}`, `https://h/r/fox?token=${token}&ring=1`]) {
			expect(splitToken(href)).toEqual({ token, href: plain });
		}
		expect(splitToken(`${plain}#top`)).toEqual({ token: undefined, href: `${plain}#top` });
	});

	it("reads the name, or none from what is no token", () => {
		expect(nameIn(token)).toBe("Ann");
		for (const wrong of ["", "x", "a.b.c", `a.${btoa("[]")}.c`, `a.${btoa('{"name":5}')}.c`]) {
			expect(nameIn(wrong)).toBeUndefined();
		}
	});
});

describe("mergePrefs", () => {
	it("takes what has the right form and nothing else", () => {
		expect(mergePrefs({ name: "Ann", micOn: "yes", evil: 1 })).toMatchObject({
			name: "Ann",
			micOn: true,
		});
		expect(mergePrefs({ evil: 1 })).not.toHaveProperty("evil");
		expect(mergePrefs(null).cameraOn).toBe(true);
	});
});

describe("linkOf", () => {
	it("calls every state by one of three names", () => {
		expect(linkOf("new")).toBe("connecting");
		expect(linkOf("connected")).toBe("connected");
		expect(linkOf("disconnected")).toBe("lost");
	});
});
