// What clients of all kinds have in common: an inbox that can be waited for, and the calls that a page
// makes. Descriptions are texts that only have to arrive. The pages wait half a second or one before they
// offer; these do not.
import { DEADLINE, Waiters } from "./wait.mjs";

const has = (message, wanted) =>
	Object.entries(wanted).every(
		([key, value]) => JSON.stringify(message[key]) === JSON.stringify(value),
	);

/** Keeps whatever it hears; what it hears by is its own. */
export class Hearer extends Waiters {
	inbox = [];
	gone = null;

	mustBeSound() {
		if (this.broken) {
			throw this.broken;
		}
	}

	/** Resolves with condition()'s value; `what` says what did not come. */
	wait(condition, what, ms = DEADLINE) {
		return this.until(
			() => {
				this.mustBeSound();
				const value = condition();
				if (!value && this.gone) {
					throw new Error(`closed (${JSON.stringify(this.gone)}) instead of ${what}`);
				}
				return value;
			},
			() => `${what}; inbox: ${JSON.stringify(this.inbox)}`,
			ms,
		);
	}

	/** Takes the first message with these fields out of the inbox, when it comes. */
	async next(type, wanted = {}) {
		const at = () => this.inbox.findIndex((m) => m.type === type && has(m, wanted));
		await this.wait(() => at() >= 0, `${type} ${JSON.stringify(wanted)}`);
		return this.inbox.splice(at(), 1)[0];
	}
}

/** Adds to a Hearer with a `name` what a simulated page does with its RTCPeerConnections, one for each `id` it
 * knows: say(id, kind, body) is the page's own. */
export const calling = (Base) =>
	class extends Base {
		links = new Map();
		faults = [];
		sent = { offer: 0, answer: 0 };

		link(id) {
			if (!this.links.has(id)) {
				this.links.set(id, { state: "new", remote: null, candidates: [] });
			}
			return this.links.get(id);
		}

		fault(text) {
			this.faults.push(text);
		}

		offer(id) {
			const link = this.link(id);
			if (link.state !== "new") {
				this.fault(`${this.name} is made to offer to ${id} again`);
			}
			link.state = "offered";
			this.sent.offer += 1;
			this.say(id, "offer", { type: "offer", sdp: `v=0 offer of ${this.name}\r\n` });
			this.trickle(id);
		}

		trickle(id) {
			for (const n of [1, 2]) {
				this.candidate(id, n);
			}
		}

		candidate(id, n) {
			this.say(id, "candidate", {
				candidate: `candidate:${n} 1 udp 1 192.0.2.1 9 typ host ${this.name}`,
				sdpMid: "0",
				sdpMLineIndex: 0,
				usernameFragment: "frag",
			});
		}

		onOffer(id, offer) {
			const link = this.link(id);
			if (link.state !== "new") {
				this.fault(`${this.name} gets an offer of ${id} while ${link.state}`);
			}
			this.mustDescribe(offer, "offer");
			link.state = "connected";
			link.remote = offer.sdp;
			this.sent.answer += 1;
			this.say(id, "answer", { type: "answer", sdp: `v=0 answer of ${this.name}\r\n` });
			this.trickle(id);
		}

		onAnswer(id, answer) {
			const link = this.links.get(id);
			if (link?.state !== "offered") {
				this.fault(`${this.name} gets an answer of ${id} while ${link?.state}`);
				return;
			}
			this.mustDescribe(answer, "answer");
			link.state = "connected";
			link.remote = answer.sdp;
		}

		onCandidate(id, candidate) {
			const link = this.links.get(id);
			if (!link?.remote) {
				this.fault(`${this.name} gets a candidate of ${id} before its description`);
				return;
			}
			if (typeof candidate?.candidate !== "string" || candidate.sdpMLineIndex !== 0) {
				this.fault(`${this.name} gets the candidate ${JSON.stringify(candidate)}`);
				return;
			}
			link.candidates.push(candidate.candidate);
		}

		mustDescribe(description, type) {
			if (description?.type !== type || !description.sdp?.startsWith(`v=0 ${type} of `)) {
				this.fault(`${this.name} gets the ${type} ${JSON.stringify(description)}`);
			}
		}

		/** Resolves when it has a description and `candidates` candidates of each of `names`. */
		meets(names, candidates = 2) {
			const whole = (name) => {
				const link = [...this.links.values()].find(({ remote }) => remote?.includes(` ${name}\r`));
				return link?.state === "connected" && link.candidates.length >= candidates;
			};
			return this.wait(
				() => {
					if (this.faults.length > 0) {
						throw new Error(this.faults.join("; "));
					}
					return names.every(whole);
				},
				`${this.name} to meet ${names}; links ${JSON.stringify([...this.links])}`,
			);
		}

		/** A further candidate to everybody it is connected with. */
		mark(n) {
			for (const id of this.links.keys()) {
				this.candidate(id, n);
			}
		}
	};
