import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "./connection.js";
import { ExponentialBackoff } from "./exponential-backoff.js";
import { Room } from "./room.js";
import { type FakeSocket, fakeSockets, member } from "./testing.js";
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
		vi.advanceTimersByTime(2500);
		await socket().hello();
	};

	beforeEach(() => {
		vi.useFakeTimers();
		sockets = [];
		log = [];
		const connection = new Connection({
			url: "ws://test",
			WebSocket: fakeSockets(sockets),
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

	it("is over when the server wants another token", async () => {
		const seated = expect(room.join()).rejects.toMatchObject({ reason: "unauthorized" });
		const error = { code: "unauthorized", message: "no valid token", detail: "expired" };
		await socket().say({ type: "error", error });
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

	it("waits in the lobby for as long as it takes, and begins anew when its line was lost", async () => {
		const seated = room.join();
		await socket().hello();
		await socket().say({ type: "waiting", room: "fox" });
		expect(room.state).toBe("waiting");
		// The line is kept alive meanwhile.
		for (let round = 0; round < 6; round++) {
			vi.advanceTimersByTime(10_000);
			await socket().say({ type: "pong" });
		}
		expect(room.state).toBe("waiting");
		await comeBack();
		expect(room.state).toBe("joining");
		await socket().say({ type: "waiting", room: "fox" });
		await seat();
		expect([room.state, (await seated).room]).toEqual(["in", "fox"]);
	});

	it("is over when it is turned away in the lobby", async () => {
		const seated = expect(room.join()).rejects.toMatchObject({ reason: "denied" });
		await socket().hello();
		await socket().say({ type: "waiting", room: "fox" });
		await socket().refuse(socket().last("join"), "denied");
		await seated;
		expect(room.state).toBe("ended");
	});

	it("asks the server to mute, ban and close, and tells what it refuses", async () => {
		void room.join();
		await socket().hello();
		await seat([member("m1", "ann")]);
		const asked = [
			room.mute("m1"),
			room.mute(undefined, false),
			room.ban("m1", { reason: "spam" }),
			room.unban("ann"),
		];
		expect(socket().sent.slice(-4)).toMatchObject([
			{ type: "mute", room: "fox", member: "m1", on: true },
			{ type: "mute", room: "fox", on: false },
			{ type: "ban", room: "fox", member: "m1", reason: "spam" },
			{ type: "unban", room: "fox", user: "ann" },
		]);
		for (const type of ["mute", "ban", "unban"]) {
			for (const sent of socket().sent.filter((one) => one.type === type)) {
				await socket().reply(sent, {});
			}
		}
		await Promise.all(asked);
		const closed = expect(room.close("over")).rejects.toMatchObject({ reason: "denied" });
		await socket().refuse(socket().last("close"), "denied");
		await closed;
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

	const lost = async () => {
		void room.join();
		await socket().hello("first");
		await seat([member("m1", "ann")]);
		await socket().say({ type: "accept", room: "fox", seq: 4, from: "m1" });
		room.update({ hand: true });
		socket().break();
		vi.advanceTimersByTime(1250);
		await socket().hello("other");
		log = [];
	};
	const resumed = (complete: boolean) =>
		socket().reply(socket().last("resume"), {
			session: "s",
			secret: "second",
			rooms: [{ room: "fox", seq: 6, complete, you: "me1" }],
		});

	it("goes on in its seat when the server still has it, and then says what it could not", async () => {
		await lost();
		const resume = { session: "s", secret: "first", seen: { fox: 4 }, chat: {} };
		expect(socket().last("resume")).toMatchObject(resume);
		expect(room.state).toBe("away");
		await resumed(true);
		expect(room.state).toBe("in");
		room.on("resumed", () => log.push("resumed"));
		await socket().say({ type: "left", room: "fox", seq: 6, member: "m1", reason: "leave" });
		await socket().reply(socket().last("ping"), {});
		expect(log).toEqual(["left m1", "resumed"]);
		expect(socket().count("join")).toBe(0);
		expect(socket().last("update")).toMatchObject({ hand: true });
		await comeBack();
		expect(socket().last("resume")).toMatchObject({ secret: "second", seen: { fox: 6 } });
	});

	it("asks how the room stands when too much was missed", async () => {
		await lost();
		await resumed(false);
		expect(room.state).toBe("away");
		await socket().reply(socket().last("sync"), {
			room: "fox",
			seq: 90,
			you: member("me1", "me"),
			members: [member("m1", "ann"), member("m2", "ben")],
			capacity: 6,
			ring: false,
			chat: [],
		});
		expect(room.state).toBe("in");
		expect(log).toEqual(["back m1", "joined m2"]);
		expect(socket().count("join")).toBe(0);
	});

	it("takes what came in the chat over a restart, from where it was, once", async () => {
		const written = (n: number) => ({
			...{ type: "chat", room: "fox", from: "m1", name: "Ann", text: `text ${n}`, time: n, n },
			epoch: 7,
		});
		void room.join();
		await socket().hello("first");
		const seated = {
			...{ room: "fox", seq: 3, you: member("me1", "me"), members: [], capacity: 6, ring: false },
			...{ epoch: 7, n: 4, chat: [written(4)] },
		};
		await socket().reply(socket().last("join"), seated);
		socket().break();
		vi.advanceTimersByTime(1250);
		await socket().hello("other");
		expect(socket().last("resume")).toMatchObject({ chat: { fox: 4 } });
		await socket().reply(socket().last("resume"), {
			...{ session: "s", secret: "second" },
			rooms: [{ room: "fox", seq: 90, complete: false, restarted: true, you: "me1" }],
		});
		await socket().say(written(5));
		await socket().say(written(6));
		expect(room.chat.entries.map(({ n }) => n)).toEqual([4, 5, 6]);
		const again = { ...seated, seq: 90, n: 6, chat: [4, 5, 6].map(written) };
		await socket().reply(socket().last("sync"), again);
		expect(room.chat.entries.map(({ n }) => n)).toEqual([4, 5, 6]);
		expect(socket().count("history")).toBe(0);
	});

	it("joins anew when the server has let go of its session", async () => {
		await lost();
		await socket().refuse(socket().last("resume"), "cannot_resume");
		expect(socket().count("join")).toBe(1);
		await seat([member("m1", "ann")]);
		expect(room.state).toBe("in");
		await comeBack();
		expect(socket().count("resume")).toBe(1);
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
