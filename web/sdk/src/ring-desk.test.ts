import { describe, expect, it } from "vitest";
import { RingDesk } from "./ring-desk.js";

const ann = { key: "ann" };

describe("RingDesk", () => {
	it("admits everybody where nothing rings", () => {
		expect(new RingDesk(false).handlePresent(ann, "they")).toBe("admitted");
	});

	it("lets the newcomer call and the other be called", () => {
		expect(new RingDesk(true).handlePresent(ann, "we")).toBe("outgoing");
		expect(new RingDesk(true).handlePresent(ann, "they")).toBe("incoming");
	});

	it("admits on accept, once", () => {
		const desk = new RingDesk(true);
		desk.handlePresent(ann, "we");
		expect(desk.handleAccepted("ann")).toBe(true);
		expect(desk.handleAccepted("ann")).toBe(false);
		expect(desk.keys("admitted")).toEqual(["ann"]);
	});

	it("does not let somebody whom nobody rang accept themselves in", () => {
		const desk = new RingDesk(true);
		expect(desk.handleAccepted("eve")).toBe(false);
		desk.handlePresent(ann, "we");
		desk.handleRejected("ann");
		expect(desk.handleAccepted("ann")).toBe(false);
	});

	it("does not ring again after an accident, and the called does not become the caller", () => {
		const desk = new RingDesk(true);
		desk.handlePresent(ann, "they");
		desk.handleLeft("ann", false);
		expect(desk.handlePresent(ann, "we")).toBe("incoming");
		desk.handleAccepted("ann");
		expect(desk.handlePresent(ann, "they")).toBe("admitted");
	});

	it("rings again for somebody who left and came back", () => {
		const desk = new RingDesk(true);
		desk.handlePresent(ann, "they");
		desk.handleAccepted("ann");
		desk.handleLeft("ann", true);
		expect(desk.handlePresent(ann, "they")).toBe("incoming");
	});
});
