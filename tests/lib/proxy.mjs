// A reverse proxy as it comes out of the box: it forwards requests, and knows no WebSocket.
import { createServer, request } from "node:http";

/** Headers that are for the next hop alone (RFC 9110, 7.6.1). */
const HOP = ["connection", "upgrade", "keep-alive", "transfer-encoding"];

function endToEnd(headers) {
	return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.includes(name)));
}

/** In front of the server until the test ends; its URL. ahead: the seconds by which its answers are dated in the future. */
export async function proxyFor(t, server, { ahead = 0 } = {}) {
	const proxy = createServer((asked, answer) => {
		const { method, url: path, headers } = asked;
		const to = { host: "127.0.0.1", port: server.port, method, path, headers: endToEnd(headers) };
		const onward = request(to, (told) => {
			const date = new Date(Date.parse(told.headers.date) + ahead * 1000).toUTCString();
			answer.writeHead(told.statusCode, { ...endToEnd(told.headers), date });
			told.pipe(answer);
		});
		onward.on("error", () => answer.destroy());
		answer.on("close", () => onward.destroy());
		asked.pipe(onward);
	});
	proxy.listen(0, "127.0.0.1");
	await new Promise((resolve) => proxy.once("listening", resolve));
	t.after(() => {
		proxy.closeAllConnections();
		proxy.close();
	});
	return `http://127.0.0.1:${proxy.address().port}`;
}
