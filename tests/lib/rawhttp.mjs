// TCP and TLS sockets that say exactly the bytes they are told: for what no client library sends.
import net from "node:net";
import tls from "node:tls";
import { Waiters, within } from "./wait.mjs";

/** One answer at the front of `bytes`: {status, headers, body, size}, or null when not whole. */
export function parseResponse(bytes, { head = false } = {}) {
	const end = bytes.indexOf("\r\n\r\n");
	if (end < 0) {
		return null;
	}
	const [first, ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
	const status = Number(first.match(/^HTTP\/1\.1 (\d{3})/)?.[1]);
	if (!status) {
		throw new Error(`not an HTTP answer: ${first}`);
	}
	const headers = {};
	for (const line of lines) {
		const colon = line.indexOf(":");
		headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
	}
	const bodyless = head || status === 304 || status === 204 || status === 101;
	const length = bodyless ? 0 : Number(headers["content-length"] ?? 0);
	const size = end + 4 + length;
	if (bytes.length < size) {
		return null;
	}
	return { status, headers, body: bytes.subarray(end + 4, size), size };
}

export class RawSocket extends Waiters {
	ended = false;
	error = null;
	#store = Buffer.alloc(0);
	#from = 0;
	#to = 0;

	constructor(socket) {
		super();
		this.socket = socket;
		socket.on("data", (part) => {
			this.#add(part);
			this.poke();
		});
		const end = () => {
			this.ended = true;
			this.poke();
		};
		socket.on("end", end);
		socket.on("close", end);
		// A reset is one of the ways in which a server may hang up.
		socket.on("error", (error) => {
			this.error = error;
			end();
		});
	}

	/** What came and was not taken yet. */
	get input() {
		return this.#store.subarray(this.#from, this.#to);
	}

	/** Takes the first n bytes. */
	take(n) {
		this.#from += n;
	}

	#add(part) {
		if (this.#to + part.length > this.#store.length) {
			// Never moved in place: those who took a part of it may still look at it.
			const store = Buffer.alloc(2 * (this.input.length + part.length));
			const size = this.input.copy(store);
			this.#store = store;
			this.#from = 0;
			this.#to = size;
		}
		part.copy(this.#store, this.#to);
		this.#to += part.length;
	}

	/** options.tls: true or the options of tls.connect; the rest is for net.connect. */
	static async connect(to, { tls: secure, ...options } = {}) {
		const where = { host: "127.0.0.1", port: to.port, ...options };
		const extra = secure === true ? {} : secure;
		const socket = secure
			? tls.connect({ ...where, rejectUnauthorized: false, ...extra })
			: net.connect(where);
		const raw = new RawSocket(socket);
		const up = new Promise((resolve, reject) => {
			socket.once(secure ? "secureConnect" : "connect", resolve);
			socket.once("error", reject);
			socket.once("close", () => reject(new Error("closed while connecting")));
		});
		await within(up, "a connection");
		return raw;
	}

	write(bytes) {
		this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
		return this;
	}

	/** The next whole answer, taken from the input. */
	async response(options) {
		const answer = await this.until(
			() => parseResponse(this.input, options) ?? (this.ended && { closed: true }),
			() => `an HTTP answer; so far: ${this.input.toString("latin1")}`,
		);
		if (answer.closed) {
			throw new Error(`closed without an answer: ${this.input.toString("latin1")}`);
		}
		this.take(answer.size);
		return answer;
	}

	/** Resolves when the other side has hung up; what it still said is in `input`. */
	hungUp() {
		return this.until(
			() => this.ended,
			() => `the end of the connection; so far: ${this.input.toString("latin1")}`,
		);
	}

	close() {
		this.socket.destroy();
	}
}
