// A line to a server (a TCP proxy): it cuts what goes through it, and lets nothing new in, as a
// broken network does.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Line {
	#pairs = new Set();
	#broken = false;
	#server;

	static async open(t, server) {
		const line = new Line();
		line.#server = createServer((inside) => line.#take(inside, server.port));
		line.#server.listen(0, "127.0.0.1");
		await once(line.#server, "listening");
		t.after(() => {
			line.cut();
			line.#server.close();
		});
		return line;
	}

	get http() {
		return `http://127.0.0.1:${this.#server.address().port}`;
	}

	#take(inside, port) {
		if (this.#broken) {
			inside.destroy();
			return;
		}
		const outside = connect({ host: "127.0.0.1", port });
		this.#pairs.add(inside).add(outside);
		inside.pipe(outside).pipe(inside);
		for (const [one, other] of [
			[inside, outside],
			[outside, inside],
		]) {
			one.on("error", () => other.destroy());
			one.on("close", () => {
				this.#pairs.delete(one);
				other.destroy();
			});
		}
	}

	cut() {
		this.#broken = true;
		for (const socket of this.#pairs) {
			socket.destroy();
		}
	}

	mend() {
		this.#broken = false;
	}
}
