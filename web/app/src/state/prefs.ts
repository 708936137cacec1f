/** What is remembered on this device. Private windows may refuse; then nothing is. */
export interface Prefs {
	name: string;
	audio: string;
	video: string;
	output: string;
	micOn: boolean;
	cameraOn: boolean;
	/** Media over TURN servers alone. */
	relayOnly: boolean;
	/** The notice about a server without keys was read. */
	openRead: boolean;
}

const KEY = "parley.prefs";
const DEFAULTS: Prefs = {
	name: "",
	audio: "",
	video: "",
	output: "",
	micOn: true,
	cameraOn: true,
	relayOnly: false,
	openRead: false,
};

export function loadPrefs(): Prefs {
	try {
		return mergePrefs(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
	} catch {
		return { ...DEFAULTS };
	}
}

/** Takes what has the right form from what was stored by this or an older version. */
export function mergePrefs(stored: unknown): Prefs {
	const prefs = { ...DEFAULTS };
	if (typeof stored !== "object" || stored === null) return prefs;
	for (const [key, value] of Object.entries(stored)) {
		if (key in prefs && typeof value === typeof prefs[key as keyof Prefs]) {
			Object.assign(prefs, { [key]: value });
		}
	}
	return prefs;
}

export function savePrefs(changes: Partial<Prefs>): void {
	try {
		localStorage.setItem(KEY, JSON.stringify({ ...loadPrefs(), ...changes }));
	} catch {
		// Not remembered: the next visit asks again.
	}
}
