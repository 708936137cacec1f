import { beforeEach, describe, expect, it } from "vitest";
import { keyOf, PresenceStore } from "./presence.js";
import { member } from "./testing.js";

describe("PresenceStore", () => {
	let log: string[];
	let keep: boolean;
	let store: PresenceStore;

	beforeEach(() => {
		log = [];
		keep = false;
		store = new PresenceStore(() => keep);
		store.on("joined", (person) => log.push(`joined ${person.id}`));
		store.on("back", (person) => log.push(`back ${person.id}`));
		store.on("away", (person) => log.push(`away ${person.id}`));
		store.on("left", ({ person, reason }) => log.push(`left ${person.id} ${reason}`));
	});

	it("knows people by user and page load, others by member id", () => {
		expect(keyOf(member("m1", "ann"))).toBe("ann/1");
		expect(keyOf({ id: "m1" })).toBe("id:m1");
		expect(keyOf({ id: "m1", user: "ann" })).toBe("id:m1");
	});

	it("reports who is there at first", () => {
		store.handleSnapshot([member("m1", "ann"), member("m2", "ben")], member("m0", "me"));
		expect(log).toEqual(["joined m1", "joined m2"]);
	});

	it("reports after a rejoin who vanished, who came and who is still there", () => {
		store.handleSnapshot([member("m1", "ann"), member("m2", "ben")], member("m0", "me"));
		log = [];
		store.handleSnapshot([member("m7", "ben"), member("m8", "cat")], member("m0", "me"));
		expect(log).toEqual(["left m1 vanished", "back m7", "joined m8"]);
	});

	it("holds somebody lost by accident as away if told to keep them", () => {
		keep = true;
		store.handleJoined(member("m1", "ann"), false);
		store.handleLeft("m1", "disconnect");
		expect(store.get("ann/1")?.away).toBe(true);
		store.handleJoined(member("m2", "ann"), false);
		expect(store.get("ann/1")).toMatchObject({ id: "m2", away: false });
		expect(log).toEqual(["joined m1", "away m1", "back m2"]);
	});

	it("holds a call with somebody whose seat is kept, and who then comes by another door", () => {
		keep = true;
		store.handleJoined(member("m1", "ann"), false);
		store.handleUpdated("m1", { away: true });
		expect(store.get("ann/1")).toMatchObject({ away: false, state: { away: true } });
		store.handleLeft("m1", "replaced");
		store.handleJoined(member("m2", "ann"), false);
		expect(log).toEqual(["joined m1", "away m1", "back m2"]);
	});

	it("never holds somebody who left or was removed", () => {
		keep = true;
		store.handleJoined(member("m1", "ann"), false);
		store.handleJoined(member("m2", "ben"), false);
		store.handleLeft("m1", "leave");
		store.handleLeft("m2", "kick");
		expect(store.people).toEqual([]);
	});

	it("takes the newer of two with one key; the older is a ghost whose end is no news", () => {
		store.handleJoined(member("m1", "ann"), false);
		store.handleJoined(member("m2", "ann"), true);
		store.handleLeft("m1", "timeout");
		expect(log).toEqual(["joined m1", "back m2"]);
		expect(store.get("ann/1")).toMatchObject({ id: "m2", offer: true });
	});

	it("takes the newer in a snapshot, whatever the order", () => {
		store.handleSnapshot(
			[member("m2", "ann", { joinedAt: 20 }), member("m1", "ann", { joinedAt: 10 })],
			member("m0", "me"),
		);
		expect(store.people.map((person) => person.id)).toEqual(["m2"]);
	});

	it("does not take the ghost of our own last connection for company", () => {
		store.handleSnapshot([member("m1", "me")], member("m0", "me"));
		store.handleJoined(member("m2", "me"), false);
		expect(store.people).toEqual([]);
	});

	it("drops who reloaded the page at once when the new page joins", () => {
		keep = true;
		store.handleJoined(member("m1", "ann"), false);
		store.handleLeft("m1", "disconnect");
		store.handleJoined(member("m2", "ann", { metadata: { instance: "2" } }), false);
		expect(log.slice(2)).toEqual(["left m1 disconnect", "joined m2"]);
	});

	it("keeps two pages of one user apart while both are there", () => {
		store.handleJoined(member("m1", "ann"), false);
		store.handleJoined(member("m2", "ann", { metadata: { instance: "2" } }), false);
		expect(store.people.length).toBe(2);
	});

	it("does not report somebody away as vanished again", () => {
		keep = true;
		store.handleSnapshot([member("m1", "ann")], member("m0", "me"));
		store.handleSnapshot([], member("m0", "me"));
		store.handleSnapshot([], member("m0", "me"));
		expect(log).toEqual(["joined m1", "away m1"]);
		store.release("ann/1");
		expect(log.at(-1)).toBe("left m1 disconnect");
	});

	it("applies updates to the person and names what changed", () => {
		store.handleJoined(member("m1", "ann"), false);
		const seen: unknown[] = [];
		store.on("updated", ({ person, changes }) => seen.push(person.state.mic, changes));
		store.handleUpdated("m1", { mic: true, role: "listener", name: "Anna" });
		expect(seen).toEqual([true, { mic: true, role: "listener", name: "Anna" }]);
		expect(store.byId("m1")).toMatchObject({ name: "Anna", role: "listener" });
	});
});
