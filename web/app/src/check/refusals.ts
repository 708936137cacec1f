import { type Finding, fail } from "./finding.js";

/** What the server says of a credential that a relay of its own has refused (docs/turn.md). */
export interface Refusal {
	why: string;
	code: number;
	reason: string;
	/** Milliseconds since. */
	ago: number;
	/** How long the credential had expired, in milliseconds. */
	expiredFor?: number;
}

/** Browsers tell their pages the code only. The newest first; none when the relay is another server's. */
export async function askRefusals(user: string, signal: AbortSignal): Promise<Refusal[]> {
	try {
		const answer = await fetch(`/api/turn-refusals?user=${encodeURIComponent(user)}`, {
			cache: "no-store",
			signal,
		});
		return answer.ok ? ((await answer.json()) as { refusals: Refusal[] }).refusals : [];
	} catch {
		return [];
	}
}

/** To be given a new nonce is nothing, unless there is nothing else. */
export function refusalFinding(refusals: readonly Refusal[]): Finding | null {
	const refusal = refusals.find(({ code }) => code !== 438) ?? refusals[0];
	if (!refusal) return null;
	const [cause, cure] = words(refusal);
	return fail(`The relay refused (${refusal.code} ${refusal.reason}): ${cause}.`, cure);
}

function words({ why, expiredFor = 0 }: Refusal): [cause: string, cure: string] {
	switch (why) {
		case "EXPIRED":
			return [
				`the credential had expired ${span(expiredFor)} before`,
				"If it was handed out just now, the clocks of the relay and of who made it differ: set both by " +
					"NTP. Else turn.credential-lifetime is too short.",
			];
		case "USER":
		case "PASSWORD":
			return [
				"the credential was made with another secret",
				"See that turn.static-auth-secret is the same everywhere.",
			];
		case "REALM":
			return ["the credential is for another realm", "See that turn.realm is the same everywhere."];
		case "SESSION":
			return ["the session that it was made for has ended", "Enter the room again."];
		case "STALE":
		case "NAME":
			return [
				"it sees you at another address with each request",
				"Your network has several ways out, perhaps a VPN. The relay by TCP may work.",
			];
		default:
			return ["it did not understand the request", "The server's log says more."];
	}
}

function span(ms: number): string {
	const seconds = Math.round(ms / 1000);
	if (seconds < 120) return `${seconds} s`;
	return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
