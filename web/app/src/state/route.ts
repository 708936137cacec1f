import { signal } from "@preact/signals";

/** `/`, `/check`, or `/r/{room}`, with `?ring=1` for a room that rings. `lost`: there is no such page. */
export type Route =
	| { page: "home" }
	| { page: "lost" }
	| { page: "check" }
	| { page: "room"; room: string; ring: boolean };

export function parseRoute(path: string, query: string): Route {
	if (/^\/check\/?$/.test(path)) return { page: "check" };
	const match = /^\/r\/([^/]+)\/?$/.exec(path);
	if (!match?.[1]) return { page: /^\/(r\/?)?$/.test(path) ? "home" : "lost" };
	let room: string;
	try {
		room = decodeURIComponent(match[1]);
	} catch {
		room = match[1];
	}
	return { page: "room", room, ring: new URLSearchParams(query).get("ring") === "1" };
}

export function pathOf(route: Route): string {
	if (route.page === "check") return "/check";
	if (route.page !== "room") return "/";
	return `/r/${encodeURIComponent(route.room)}${route.ring ? "?ring=1" : ""}`;
}

/** The page shown now, in step with the browser's history. */
export class Router {
	readonly route = signal<Route>(parseRoute(location.pathname, location.search));

	constructor() {
		addEventListener("popstate", () => {
			this.route.value = parseRoute(location.pathname, location.search);
		});
	}

	go(route: Route): void {
		history.pushState(null, "", pathOf(route));
		this.route.value = route;
	}
}
