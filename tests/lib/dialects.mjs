// Clients of the other dialects, and of our own, as their pages behave: who offers when, which
// fields are read, what is sent back.
import assert from "node:assert/strict";
import { calling, Hearer } from "./calls.mjs";
import { socketIo, WebSocket } from "./deps.mjs";
import { mustBeValid } from "./schemas.mjs";
import { within } from "./wait.mjs";

let marks = 0;

/** A WebSocket that speaks JSON objects and keeps whatever it hears. */
export class Talker extends Hearer {
	constructor(server, path, protocol = []) {
		super();
		this.socket = new WebSocket(server.ws + path, protocol, { perMessageDeflate: false });
		this.opened = new Promise((resolve, reject) => {
			this.socket.on("open", resolve);
			this.socket.on("error", reject);
		});
		this.opened.catch(() => {});
		this.closed = new Promise((resolve) => {
			this.socket.on("close", (code, reason) => {
				this.gone = { code, reason: reason.toString() };
				this.poke();
				resolve(this.gone);
			});
		});
		this.socket.on("message", (bytes, isBinary) => {
			try {
				assert.ok(!isBinary, "the server should send text");
				this.lastText = bytes.toString("utf8");
				this.take(JSON.parse(this.lastText));
			} catch (error) {
				this.broken ??= error;
			}
			this.poke();
		});
	}

	take(message) {
		Object.defineProperty(message, "text", { value: this.lastText });
		this.inbox.push(message);
	}

	send(message) {
		this.socket.send(JSON.stringify(message));
	}

	raw(text) {
		this.socket.send(text);
	}

	/** How the server closed: {code, reason}. */
	ended() {
		return within(this.closed, "the server's close");
	}

	async close(code) {
		this.socket.close(code);
		await within(this.closed, "the end of the closing handshake");
	}

	vanish() {
		this.socket.terminate();
	}
}

class Page extends calling(Talker) {
	constructor(server, path, name, protocol) {
		super(server, path, protocol);
		this.name = name;
	}
}

/** parley.v1, without perfect negotiation: there must be nothing to negotiate about. */
export class NativePage extends Page {
	constructor(server, { room, name }) {
		super(server, `/v1/connect?room=${encodeURIComponent(room)}`, name, "parley.v1");
		this.room = room;
	}

	say(id, kind, body) {
		const data = kind === "candidate" ? { candidate: body } : { description: body };
		this.tell({ type: "signal", room: this.room, to: id, data });
	}

	tell(message) {
		mustBeValid("client", message);
		this.send(message);
	}

	take(message) {
		super.take(message);
		mustBeValid("server", message);
		if (message.type === "hello") {
			this.tell({ type: "join", id: 1, room: this.room, name: this.name });
		} else if (message.type === "reply" && message.id === 1) {
			assert.ok(message.ok, this.lastText);
			for (const { id, offer } of message.data.members) {
				this.begin(id, offer);
			}
		} else if (message.type === "joined") {
			this.begin(message.member.id, message.offer);
		} else if (message.type === "left") {
			this.links.delete(message.member);
		} else if (message.type === "signal") {
			this.#onSignal(message);
		}
	}

	begin(id, offer) {
		if (offer) {
			this.offer(id);
		}
	}

	#onSignal({ from, data }) {
		if (data.description?.type === "offer") {
			this.onOffer(from, data.description);
		} else if (data.description?.type === "answer") {
			this.onAnswer(from, data.description);
		} else if (data.candidate) {
			this.onCandidate(from, data.candidate);
		}
	}
}

/** What the three pages of /ws-simple share. */
class CoachPage extends Page {
	constructor(server, { room, name, user, role, kind }) {
		super(server, `/ws-simple/${encodeURIComponent(room)}`, name);
		this.user = user;
		this.role = role;
		const join = { type: "join", roomId: room, userId: user, userName: name };
		this.socket.on("open", () => this.send({ ...join, userRole: role, participantType: kind }));
	}
}

/** D1: one connection for whoever there is. */
export class SimplePage extends CoachPage {
	constructor(server, options) {
		super(server, { ...options, role: undefined, kind: undefined });
	}

	say(_id, kind, body) {
		const type = kind === "candidate" ? "ice-candidate" : kind;
		this.send({ type, [kind]: body });
	}

	take(message) {
		super.take(message);
		if (message.type === "user-joined" && message.shouldCreateOffer) {
			this.offer("other");
		} else if (message.type === "user-left") {
			this.links.clear();
		} else if (message.type === "offer") {
			this.onOffer("other", message.offer);
		} else if (message.type === "answer") {
			this.onAnswer("other", message.answer);
		} else if (message.type === "ice-candidate") {
			this.onCandidate("other", message.candidate);
		}
	}
}

/** D2: the coach offers to whoever is announced, the client waits. */
export class HybridPage extends CoachPage {
	constructor(server, options) {
		super(server, { ...options, kind: undefined });
	}

	say(_id, kind, body) {
		if (kind === "candidate") {
			this.send({ type: "ice-candidate", candidate: body });
		} else if (kind === "offer") {
			this.send({ type: "webrtc-offer", offer: body });
		} else {
			this.send({ type: "webrtc-answer", answer: body, to: this.caller });
		}
	}

	take(message) {
		super.take(message);
		if (message.type === "user-joined") {
			this.#onJoined(message);
		} else if (message.type === "user-left") {
			this.links.clear();
		} else if (message.type === "webrtc-offer") {
			this.caller = message.from;
			this.onOffer("other", message.offer);
		} else if (message.type === "webrtc-answer") {
			this.onAnswer("other", message.answer);
		} else if (message.type === "ice-candidate") {
			this.onCandidate("other", message.candidate);
		}
	}

	#onJoined({ userRole }) {
		if (userRole === undefined) {
			this.fault(`the page of ${this.name} shows "undefined joined"`);
		}
		if (this.role === "coach") {
			this.offer("other");
		}
	}
}

/** D3: a connection for each; newcomers work out from the list whether they offer. */
export class TriPage extends CoachPage {
	constructor(server, { kind = "human", ...options }) {
		super(server, { ...options, kind });
		this.kind = kind;
	}

	say(id, kind, body) {
		const type = kind === "candidate" ? "ice-candidate" : kind;
		this.send({ type, [kind]: body, toId: id });
	}

	#offersTo(peer) {
		if (this.kind === "ai" || peer.participantType === "ai") {
			return this.kind !== "ai";
		}
		return this.role === peer.userRole ? this.user < peer.userId : this.role === "coach";
	}

	take(message) {
		super.take(message);
		if (message.type === "peer-discovery") {
			for (const peer of message.peers.filter((peer) => this.#offersTo(peer))) {
				this.offer(peer.userId);
			}
		} else if (message.type === "user-joined" && message.shouldCreateOffer) {
			this.offer(message.userId);
		} else if (message.type === "user-left") {
			this.links.delete(message.userId);
		} else if (message.type === "offer") {
			this.onOffer(message.fromId, message.offer);
		} else if (message.type === "answer") {
			this.onAnswer(message.fromId, message.answer);
		} else if (message.type === "ice-candidate") {
			this.onCandidate(message.fromId, message.candidate);
		}
	}
}

/** coworking: members offer to whoever is announced; the name it goes by is its own invention. */
export class CoworkingPage extends Page {
	constructor(server, { room, name, user, path = (id) => `/ws/room/${id}` }) {
		super(server, path(encodeURIComponent(room)), name);
		this.room = room;
		this.alias = `${user}_5173_${++marks}`;
		this.socket.on("open", () => this.envelope("user-joined", { userId: this.alias }, undefined));
	}

	envelope(type, data, to) {
		this.send({ type, data, from: this.alias, to, roomId: this.room });
	}

	say(id, kind, body) {
		this.envelope(kind === "candidate" ? "ice-candidate" : kind, body, id);
	}

	take(message) {
		super.take(message);
		for (const key of ["type", "data", "from", "roomId"]) {
			if (message[key] === undefined) {
				this.fault(`no ${key} in ${this.lastText}`);
			}
		}
		if (message.roomId !== this.room) {
			this.fault(`another room in ${this.lastText}`);
		}
		if (message.type === "user-joined") {
			this.offer(message.from);
		} else if (message.type === "user-left") {
			this.links.delete(message.from);
		} else if (message.type === "offer") {
			this.onOffer(message.from, message.data);
		} else if (message.type === "answer") {
			this.onAnswer(message.from, message.data);
		} else if (message.type === "ice-candidate") {
			this.onCandidate(message.from, message.data);
		}
	}
}

/** duo: a stock client of Socket.IO; of two the one with the smaller id calls as soon as it hears of the other. */
export class DuoPage extends calling(Hearer) {
	constructor(server, { room, name, transports = ["polling", "websocket"] }) {
		super();
		this.room = room;
		this.name = name;
		this.socket = socketIo[4](server.http, { forceNew: true, reconnection: false, transports });
		this.opened = new Promise((resolve, reject) => {
			this.socket.on("connect", resolve);
			this.socket.on("connect_error", reject);
		});
		this.opened.catch(() => {});
		this.socket.on("connect", () => this.emit("room:join", { room, userName: name }));
		this.socket.on("disconnect", (reason) => {
			this.gone = { reason };
			this.poke();
		});
		this.socket.onAny((event, message) => {
			this.inbox.push({ type: event, ...message });
			this.#take(event, message);
			this.poke();
		});
	}

	emit(event, message) {
		this.socket.emit(event, message);
	}

	say(to, kind, body) {
		if (kind === "offer") {
			this.emit("user:call", { to, offer: body, userName: this.name });
		} else if (kind === "answer") {
			this.emit("call:accepted", { to, ans: body, userName: this.name });
		} else {
			this.emit("ice:candidate", { to, candidate: body });
		}
	}

	#take(event, message) {
		if (event === "room:joined") {
			for (const { id } of message.users.filter(({ id }) => id !== this.socket.id)) {
				this.#meet(id);
			}
		} else if (event === "user:joined") {
			this.#meet(message.id);
		} else if (event === "user:left") {
			this.links.delete(message.id);
		} else if (event === "incoming:call") {
			this.onOffer(message.from, message.offer);
		} else if (event === "call:accepted") {
			this.onAnswer(message.from, message.ans);
		} else if (event === "ice:candidate") {
			this.onCandidate(message.from, message.candidate);
		}
	}

	#meet(id) {
		if (this.socket.id < id) {
			this.offer(id);
		}
	}

	close() {
		this.socket.close();
	}

	vanish() {
		this.socket.close();
	}
}

/** Each kind of page by its name; make(server, {room, name, user}). */
export const PAGES = {
	native: (server, options) => new NativePage(server, options),
	D1: (server, options) => new SimplePage(server, options),
	"D2 coach": (server, options) => new HybridPage(server, { ...options, role: "coach" }),
	"D2 client": (server, options) => new HybridPage(server, { ...options, role: "client" }),
	"D3 coach": (server, options) => new TriPage(server, { ...options, role: "coach" }),
	"D3 client": (server, options) => new TriPage(server, { ...options, role: "client" }),
	"D3 AI": (server, options) => new TriPage(server, { ...options, role: "ai", kind: "ai" }),
	coworking: (server, options) => new CoworkingPage(server, options),
	duo: (server, options) => new DuoPage(server, options),
	"duo, polling": (server, options) => new DuoPage(server, { ...options, transports: ["polling"] }),
};

/** A page that is closed with the test; it is open, and has said what it says at first. */
export async function openPage(t, server, kind, options) {
	const page = PAGES[kind](server, options);
	t.after(() => page.vanish());
	await within(page.opened, `the socket of ${options.name}`);
	return page;
}

/** Everybody has heard all that the others said up to now. `say(member, mark)` reaches all others. */
export async function fenceOf(members, say, heard) {
	marks += 1;
	const name = (i) => `mark-${marks}-${i}`;
	for (const [i, member] of members.entries()) {
		say(member, name(i));
	}
	for (const [i] of members.entries()) {
		for (const other of members.filter((_, k) => k !== i)) {
			await heard(other, name(i));
		}
	}
}

/** A socket on which the test itself says everything. */
export async function talkTo(t, server, path, protocol) {
	const talker = new Talker(server, path, protocol);
	t.after(() => {
		talker.vanish();
		talker.mustBeSound();
	});
	await within(talker.opened, `the socket at ${path}`);
	return talker;
}
