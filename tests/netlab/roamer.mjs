// A TURN client in a place of the network lab, which does what it is told: a line of JSON for each wish, and one for what
// came of it. {do: "allocate", transport}, {do: "move", transport} (on to a new socket, by the ticket; without a transport from
// the same one), {do: "permit", peer}, {do: "say", peer, text}, {do: "hear", text}, {do: "release"}.
import { createInterface } from "node:readline";
import { ATTR, TurnClient } from "../lib/turn.mjs";

const [host, port, username, credential] = process.argv.slice(2);
const TICKET = [[ATTR.mobilityTicket, Buffer.alloc(0)]];

let client;

function open(transport) {
	return new TurnClient({ port: Number(port) }, { host, username, credential, transport }).open();
}

const wishes = {
	async allocate({ transport }) {
		client = await open(transport);
		const { code } = await client.allocate(TICKET);
		return { code, relay: client.relay };
	},
	async move({ transport }) {
		const next = transport ? await open(transport) : client;
		const { code } = await next.takeOver(client);
		client = next;
		return { code };
	},
	async permit({ peer }) {
		return { code: (await client.permit(peer)).code };
	},
	async say({ peer, text }) {
		client.send(peer, text);
		return {};
	},
	async hear({ text }) {
		return { from: (await client.gets(text)).from };
	},
	async release() {
		return { code: (await client.refresh(0)).code };
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const wish = JSON.parse(line);
	process.stdout.write(`${JSON.stringify(await wishes[wish.do](wish))}\n`);
}
process.exit(0); // with its sockets
