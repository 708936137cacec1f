import { beforeEach, describe, expect, it } from "vitest";
import { Door } from "./door.js";
import { RequestError } from "./errors.js";
import { member } from "./testing.js";
import type { JoinReply, RoomEvent } from "./wire.js";

describe("Door", () => {
	let door: Door;
	let asked: unknown[];
	let answer: () => Promise<unknown>;
	const names = () => door.waiting.map(({ name }) => name);
	const knock = (id: string, name: string): RoomEvent => ({
		...{ type: "knock", room: "fox", seq: 2 },
		member: { id, name },
	});
	const seated = (extra: Partial<JoinReply>): JoinReply => ({
		...{ room: "fox", seq: 1, you: member("me", "me"), members: [], capacity: 6, ring: false },
		...{ chat: [], ...extra },
	});

	beforeEach(() => {
		asked = [];
		answer = async () => undefined;
		door = new Door((type, fields) => {
			asked.push({ type, ...fields });
			return answer();
		});
	});

	it("is as the join found it, and as it was set since", () => {
		door.handleSeated(seated({ locked: true }), true);
		expect([door.locked, door.lobby]).toEqual([true, false]);
		door.handleEvent({ type: "settings", room: "fox", seq: 2, locked: false, lobby: true });
		expect([door.locked, door.lobby]).toEqual([false, true]);
	});

	it("knows who waits, each once, in the order of coming", () => {
		const told: string[] = [];
		door.on("knock", ({ name }) => told.push(name));
		door.handleEvent(knock("m1", "Eve"));
		door.handleEvent(knock("m2", "Ben"));
		door.handleEvent(knock("m2", "Ben"));
		expect(names()).toEqual(["Eve", "Ben"]);
		door.handleEvent({ type: "unknock", room: "fox", seq: 3, member: "m1" });
		expect(names()).toEqual(["Ben"]);
		expect(told).toEqual(["Eve", "Ben"]);
	});

	it("forgets who waits with a new seat, but not when it only reads how the room stands", () => {
		door.handleEvent(knock("m1", "Eve"));
		door.handleSeated(seated({ lobby: true }), false);
		expect(names()).toEqual(["Eve"]);
		door.handleSeated(seated({ lobby: true }), true);
		expect(names()).toEqual([]);
	});

	it("forgets who waits when somebody else looks after the room", () => {
		door.handleEvent(knock("m1", "Eve"));
		door.handleRole("moderator");
		expect(names()).toEqual(["Eve"]);
		door.handleRole("speaker");
		expect(names()).toEqual([]);
	});

	it("asks to lock, to put up a lobby, to admit and to deny", async () => {
		await door.setLocked(true);
		await door.setLobby(false);
		await door.admit("m1");
		await door.deny("m2");
		expect(asked).toEqual([
			{ type: "lock", on: true },
			{ type: "lobby", on: false },
			{ type: "admit", member: "m1" },
			{ type: "deny", member: "m2" },
		]);
	});

	it("asks who is kept out, and lets in again by what they are kept out by", async () => {
		const bans = [
			{ user: "eve", name: "Eve", until: 2 },
			{ address: "192.0.2.7", until: 1 },
		];
		answer = async () => ({ room: "fox", more: false, bans });
		expect((await door.bans()).bans).toEqual(bans);
		answer = () => Promise.reject(new RequestError("no_such_member", "gone"));
		for (const ban of bans) await door.lift(ban);
		expect(asked).toEqual([
			{ type: "bans" },
			{ type: "unban", user: "eve" },
			{ type: "unban", address: "192.0.2.7" },
		]);
	});

	it("does not take any answer for a list of bans", async () => {
		for (const bans of [undefined, {}, [{ user: "eve" }], [null]]) {
			answer = async () => ({ bans, more: false });
			await expect(door.bans()).rejects.toBeInstanceOf(RequestError);
		}
		answer = () => Promise.reject(new RequestError("denied", "no"));
		await expect(door.bans()).rejects.toMatchObject({ reason: "denied" });
		await expect(door.lift({ user: "eve" })).rejects.toMatchObject({ reason: "denied" });
	});

	it("takes it as done when somebody else was quicker, and as refused what is refused", async () => {
		door.handleEvent(knock("m1", "Eve"));
		answer = () => Promise.reject(new RequestError("no_such_member", "gone"));
		await door.admit("m1");
		expect(names()).toEqual([]);
		answer = () => Promise.reject(new RequestError("denied", "no"));
		await expect(door.admit("m1")).rejects.toMatchObject({ reason: "denied" });
	});
});
