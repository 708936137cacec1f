// A gate on the way to a server: what goes through can be swallowed, cut, and refused.
import { createConnection, createServer } from "node:net";

export class Gate {
	/** The server's answers go nowhere: from now on, or from when it is sent this text. */
	mute = false;
	muteAt = null;
	/** Nobody gets in. */
	shut = false;
	#pairs = new Set();

	/** `at`: its own port. */
	static async to(port, at = 0) {
		const gate = new Gate();
		gate.server = createServer((inside) => gate.#enter(inside, port));
		await new Promise((resolve) => gate.server.listen(at, "127.0.0.1", resolve));
		gate.port = gate.server.address().port;
		return gate;
	}

	#enter(inside, port) {
		if (this.shut) {
			inside.destroy();
			return;
		}
		const outside = createConnection(port, "127.0.0.1");
		const pair = [inside, outside];
		this.#pairs.add(pair);
		inside.on("data", (bytes) => {
			if (this.muteAt && bytes.includes(this.muteAt)) this.mute = true;
			outside.write(bytes);
		});
		outside.on("data", (bytes) => this.mute || inside.write(bytes));
		for (const socket of pair) {
			socket.setNoDelay();
			socket.on("error", () => {});
			socket.on("close", () => {
				this.#pairs.delete(pair);
				for (const each of pair) each.destroy();
			});
		}
	}

	/** All that is open now ends; what comes next goes through. */
	cut() {
		this.mute = false;
		this.muteAt = null;
		for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
	}

	async close() {
		this.cut();
		await new Promise((resolve) => this.server.close(resolve));
	}
}
