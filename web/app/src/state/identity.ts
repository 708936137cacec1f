import { randomId } from "../../../sdk/src/index.js";

const KEY = "parley.user";

/**
 * Who we are as long as this tab lives: a page that was reloaded takes the seat of the one before
 * it, even if that had no time to say goodbye. Another tab is somebody else.
 */
export function tabUser(): string {
	try {
		const user = sessionStorage.getItem(KEY) ?? `u_${randomId()}`;
		sessionStorage.setItem(KEY, user);
		return user;
	} catch {
		return `u_${randomId()}`;
	}
}

/** A private window may have no storage: the outbox then lives as long as the page. */
export function outboxOption(): { outbox?: Storage } {
	try {
		return { outbox: sessionStorage };
	} catch {
		return {};
	}
}
