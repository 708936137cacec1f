import { parseRoute } from "./route.js";

/** `/r/{room}#token=...` or `?token=...`: the token, and the address without it. */
export function splitToken(href: string): { token: string | undefined; href: string } {
	const url = new URL(href);
	const hash = new URLSearchParams(url.hash.slice(1));
	const token = hash.get("token") ?? url.searchParams.get("token") ?? undefined;
	if (token === undefined) return { token, href };
	hash.delete("token");
	url.searchParams.delete("token");
	url.hash = hash.toString();
	return { token: token || undefined, href: url.href };
}

/** The name that a token gives its bearer. The server is who checks it; this is for the eyes. */
export function nameIn(token: string): string | undefined {
	try {
		const [, body = ""] = token.split(".");
		const bytes = atob(body.replace(/-/g, "+").replace(/_/g, "/"));
		const text = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
		const name = JSON.parse(text)?.name;
		return typeof name === "string" && name !== "" ? name : undefined;
	} catch {
		return undefined;
	}
}

const keyOf = (room: string) => `parley.token.${room}`;

/**
 * Takes the token out of the address before anything else sees it (history, referrers, shared
 * links) and keeps it for this tab, so that a reload still comes in.
 */
export function takeToken(): void {
	const { token, href } = splitToken(location.href);
	if (href === location.href) return;
	history.replaceState(history.state, "", href);
	const route = parseRoute(location.pathname, location.search);
	if (token === undefined || route.page !== "room") return;
	kept.set(route.room, token);
	try {
		sessionStorage.setItem(keyOf(route.room), token);
	} catch {
		// No storage: it is kept as long as the page.
	}
}

const kept = new Map<string, string>();

/** The token that this tab came with for a room. */
export function tokenOf(room: string): string | undefined {
	try {
		return kept.get(room) ?? sessionStorage.getItem(keyOf(room)) ?? undefined;
	} catch {
		return kept.get(room);
	}
}
