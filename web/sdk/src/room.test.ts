import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ExponentialBackoff } from "./backoff.js";
import { Connection } from "./connection.js";
import { Room } from "./room.js";
import { FakeSocket, member } from "./testing.js";
import type { Member } from "./wire.js";

describe("Room", () => {
	let sockets: FakeSocket[];
	let room: Room;
	let log: string[];
	const socket = () => sockets.at(-1) as FakeSocket;
	const seat = (members: Member[] = [], extra: object = {}) =>
		socket().reply(socket().last("join"), {
			room: "fox",
			seq: 1,
			you: member(`me${sockets.length}`, "me"),
			members,
			capacity: 6,
			ring: false,
			chat: [],
			...extra,
		});
	const comeBack = async () => {
		socket().break();
		vi.advanceTimersByTime(1250);
		await socket().hello();
	};

	beforeEach(() => {
		vi.useFakeTimers();
		sockets = [];
		log = [];
		const connection = new Connection({
			url: "ws://test",
			openSocket: () => {
				sockets.push(new FakeSocket());
				return socket();
			},
		});
		const rejoinPolicy = new ExponentialBackoff(() => 0);
		const options = { capacity: 4, ring: true };
		room = new Room(connection, { room: "fox", name: "Me", user: "me", options, rejoinPolicy });
		room.on("joined", ({ id }) => log.push(`joined ${id}`));
		room.on("back", ({ id }) => log.push(`back ${id}`));
		room.on("left", ({ person }) => log.push(`left ${person.id}`));
	});
	afterEach(() => {
		room.leave();
		vi.useRealTimers();
	});

	it("asks for a seat once the server says hello", async () => {
		const seated = room.join();
		await socket().hello();
		expect(socket().last("join")).toMatchObject({
			room: "fox",
			name: "Me",
			user: "me",
			options: { capacity: 4, ring: true },
			metadata: { instance: room.instance },
		});
		await seat([member("m1", "ann")]);
		expect((await seated).members.length).toBe(1);
		expect(room.state).toBe("in");
		expect(log).toEqual(["joined m1"]);
	});

	it("says so when the room is full", async () => {
		const seated = expect(room.join()).rejects.toMatchObject({ reason: "room_full" });
		await socket().hello();
		await socket().refuse(socket().last("join"), "room_full");
		await seated;
		expect(room.state).toBe("ended");
	});

	it("rejoins after a lost line as the same user with what it last told of itself", async () => {
		void room.join();
		await socket().hello();
		await seat();
		room.update({ mic: true, hand: true });
		const first = socket().last("join");
		await comeBack();
		const again = socket().last("join");
		expect(again).toMatchObject({ user: first.user, metadata: first.metadata });
		expect(again.state).toEqual({ mic: true, hand: true });
	});

	it("heals presence after the server was restarted, whoever is back first", async () => {
		void room.join();
		await socket().hello();
		await seat([member("m1", "ann"), member("m2", "ben")]);
		await comeBack();
		expect(room.state).toBe("away");
		await seat([member("m7", "ann")]);
		expect(log.slice(2)).toEqual(["left m2", "back m7"]);
	});

	it("makes a room that a restart forgot as it was, not as this client would have", async () => {
		void room.join();
		await socket().hello();
		await seat([], { capacity: 6, ring: false });
		await comeBack();
		expect(socket().last("join").options).toEqual({ capacity: 6, ring: false });
	});

	it("is patient when its own ghost still has the last seat", async () => {
		void room.join();
		await socket().hello();
		await seat();
		await comeBack();
		await socket().refuse(socket().last("join"), "room_full");
		expect(room.state).toBe("away");
		vi.advanceTimersByTime(1000);
		expect(socket().count("join")).toBe(2);
		await seat();
		expect(room.state).toBe("in");
	});

	it("stays out when it was kicked", async () => {
		void room.join();
		await socket().hello();
		await seat();
		const ended: unknown[] = [];
		room.on("ended", (why) => ended.push(why));
		const left = {
			type: "left",
			room: "fox",
			seq: 3,
			member: "me1",
			reason: "kick",
			detail: "bye",
		};
		await socket().say(left);
		expect(ended).toEqual([{ reason: "kick", detail: "bye" }]);
		await comeBack();
		expect(socket().count("join")).toBe(0);
	});

	it("tells signals by the person, and none of strangers or other rooms", async () => {
		void room.join();
		await socket().hello();
		await seat([member("m1", "ann")]);
		const seen: unknown[] = [];
		room.on("signal", ({ from, data }) => seen.push([from.key, data]));
		const signal = { type: "signal", room: "fox", seq: 2, from: "m1", data: { a: 1 } };
		await socket().say(signal);
		await socket().say({ ...signal, from: "m9" });
		await socket().say({ ...signal, room: "hen" });
		expect(seen).toEqual([["ann/1", { a: 1 }]]);
	});

	it("signals nothing while the line is down, and says so", async () => {
		void room.join();
		await socket().hello();
		await seat();
		expect(room.signal({ a: 1 }, "m1")).toBe(true);
		socket().break();
		expect(room.signal({ a: 1 }, "m1")).toBe(false);
	});
});
