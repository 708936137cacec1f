import { type Check, type Finding, fail, leftOut, pass, since, within } from "./finding.js";

const PATIENCE = 8000;
const CLOCK_MAX = 5; // seconds; credentials and tokens live by the clock

export const secureCheck: Check = {
	id: "secure",
	title: "Secure page",
	async run() {
		if (!isSecureContext) {
			return fail(
				"This page came without https, so the browser gives it no camera and no microphone.",
				"Open it by https. The server prints that address when it starts.",
			);
		}
		return pass(location.protocol === "https:" ? "https" : "this machine");
	},
};

export const serverCheck: Check = {
	id: "server",
	title: "Server",
	async run(signal) {
		const begin = performance.now();
		const answer = await ask("/readyz", signal);
		if (!answer) return unreachable();
		if (answer.ok) return pass(`ready, answered in ${since(begin)}`);
		return fail(
			`The server says: ${(await answer.text()).trim() || answer.status}.`,
			"The server's log tells what it waits for.",
		);
	},
};

export const clockCheck: Check = {
	id: "clock",
	title: "Clock",
	async run(signal) {
		const answer = await ask("/livez", signal);
		if (!answer) return unreachable();
		const theirs = Date.parse(answer.headers.get("date") ?? "");
		if (Number.isNaN(theirs)) return leftOut("The server tells no time.");
		const ahead = Math.round((theirs - Date.now()) / 1000);
		if (Math.abs(ahead) <= CLOCK_MAX) return pass(`within ${CLOCK_MAX} s`);
		return fail(
			`The server's clock is ${Math.abs(ahead)} s ${ahead < 0 ? "behind" : "ahead of"} yours.`,
			"Let both machines set their clocks from the network. Credentials expire by the clock.",
		);
	},
};

export const webSocketCheck: Check = {
	id: "websocket",
	title: "WebSocket",
	run: (signal) => within(openSocket(signal), PATIENCE, fail("No answer came.", PROXY_UPGRADE)),
};

export const pollingCheck: Check = {
	id: "polling",
	title: "Long polling",
	async run(signal) {
		const begin = performance.now();
		const answer = await ask("/socket.io/?EIO=4&transport=polling", signal);
		if (!answer) return unreachable();
		if (answer.ok && (await answer.text()).startsWith("0{")) return pass(since(begin));
		return fail(
			`The server answered ${answer.status}.`,
			"A proxy in between must pass /socket.io/ with its query.",
		);
	},
};

const PROXY_UPGRADE =
	"A proxy in between must pass WebSockets: HTTP/1.1 with the Upgrade header (nginx: " +
	"proxy_http_version 1.1).";

function openSocket(signal: AbortSignal): Promise<Finding> {
	const begin = performance.now();
	const url = new URL("/v1/connect", location.href);
	url.protocol = url.protocol.replace("http", "ws");
	const socket = new WebSocket(url, "parley.v1");
	return new Promise<Finding>((resolve) => {
		let open = false;
		signal.addEventListener("abort", () => socket.close());
		socket.onopen = () => {
			open = true;
		};
		socket.onmessage = () => {
			resolve(pass(`hello in ${since(begin)}`));
			socket.close(1000);
		};
		socket.onclose = ({ code, reason }) => {
			const why = reason || `code ${code}`;
			resolve(
				open
					? fail(`The connection was closed: ${why}.`, "The server's log says why.")
					: fail("The connection was refused.", PROXY_UPGRADE),
			);
		};
	});
}

async function ask(path: string, signal: AbortSignal): Promise<Response | null> {
	try {
		const limit = AbortSignal.timeout(PATIENCE);
		const both = new AbortController();
		for (const one of [signal, limit]) one.addEventListener("abort", () => both.abort());
		return await fetch(path, { cache: "no-store", signal: both.signal });
	} catch {
		return null;
	}
}

function unreachable(): Finding {
	return fail(
		"The server does not answer.",
		"See whether it runs, and whether its TCP port is open in the firewall.",
	);
}
