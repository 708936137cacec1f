// A line to the server that can be cut: clients connect to it as if it were the server.
import net from "node:net";

export class Line {
	#ends = new Set();
	#down = false;

	static async open(t, server) {
		const line = new Line();
		line.listener = net.createServer((near) => line.#join(near, server));
		await new Promise((resolve) => line.listener.listen(0, "127.0.0.1", resolve));
		line.port = line.listener.address().port;
		t.after(() => line.close());
		return line;
	}

	get http() {
		return `http://127.0.0.1:${this.port}`;
	}

	#join(near, server) {
		if (this.#down) {
			near.destroy();
			return;
		}
		const far = net.connect(server.port, "127.0.0.1");
		for (const end of [near, far]) {
			this.#ends.add(end);
			end.on("error", () => {});
			end.on("close", () => {
				this.#ends.delete(end);
				near.destroy();
				far.destroy();
			});
		}
		near.pipe(far);
		far.pipe(near);
	}

	/** Both sides are told, and nothing gets through until it is mended. */
	cut() {
		this.#down = true;
		for (const end of this.#ends) {
			end.destroy();
		}
	}

	/** Neither side is told: what was under way is lost. */
	silence() {
		for (const end of this.#ends) {
			end.unpipe();
			end.pause();
		}
	}

	/** The same, and nothing new gets through until it is mended. */
	die() {
		this.silence();
		this.#down = true;
	}

	mend() {
		this.#down = false;
	}

	close() {
		this.cut();
		this.listener.close();
	}
}
