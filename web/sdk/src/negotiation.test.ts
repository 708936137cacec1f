import { describe, expect, it } from "vitest";
import { Negotiation } from "./negotiation.js";

const candidate = { candidate: "candidate:1" };

describe("Negotiation", () => {
	it("lets the impolite side ignore an offer that collides with its own", () => {
		const impolite = new Negotiation(false);
		impolite.handleOfferStarted();
		expect(impolite.handleDescription("offer", "stable")).toBe("ignore");
		impolite.handleOfferMade();
		expect(impolite.handleDescription("offer", "have-local-offer")).toBe("ignore");
	});

	it("lets the polite side take the other's offer and forget its own", () => {
		const polite = new Negotiation(true);
		polite.handleOfferStarted();
		expect(polite.handleDescription("offer", "have-local-offer")).toBe("apply");
	});

	it("takes an offer that collides with nothing on both sides", () => {
		for (const polite of [true, false]) {
			expect(new Negotiation(polite).handleDescription("offer", "stable")).toBe("apply");
		}
	});

	it("takes no collision in an offer that comes while an answer is being set", () => {
		const impolite = new Negotiation(false);
		expect(impolite.handleDescription("answer", "have-local-offer")).toBe("apply");
		expect(impolite.handleDescription("offer", "have-local-offer")).toBe("apply");
	});

	it("ignores an answer to nothing", () => {
		expect(new Negotiation(true).handleDescription("answer", "stable")).toBe("ignore");
	});

	it("keeps candidates until the description is there, then hands them out once", () => {
		const negotiation = new Negotiation(true);
		expect(negotiation.handleCandidate(candidate)).toBe("queue");
		expect(negotiation.handleCandidate(null)).toBe("queue");
		negotiation.handleDescription("offer", "stable");
		expect(negotiation.handleApplied()).toEqual([candidate, null]);
		expect(negotiation.handleApplied()).toEqual([]);
		expect(negotiation.handleCandidate(candidate)).toBe("add");
	});

	it("ignores the candidates of an offer that it ignored", () => {
		const impolite = new Negotiation(false);
		impolite.handleOfferStarted();
		impolite.handleDescription("offer", "stable");
		expect(impolite.handleCandidate(candidate)).toBe("ignore");
		impolite.handleOfferMade();
		impolite.handleDescription("answer", "have-local-offer");
		impolite.handleApplied();
		expect(impolite.handleCandidate(candidate)).toBe("add");
	});

	it("keeps no more candidates than its limit", () => {
		const negotiation = new Negotiation(true);
		for (let i = 0; i < Negotiation.MAX_QUEUED + 50; i++) negotiation.handleCandidate(candidate);
		expect(negotiation.handleApplied().length).toBe(Negotiation.MAX_QUEUED);
	});

	it("forgets the candidates of a connection that another one replaced", () => {
		const negotiation = new Negotiation(true);
		negotiation.handleCandidate(candidate);
		negotiation.handleAdopted();
		expect(negotiation.handleApplied()).toEqual([]);
	});
});
