// examples/python against the real server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, freshRoom } from "./lib/client.mjs";
import { serverFor, startServer } from "./lib/server.mjs";
import { Waiters } from "./lib/wait.mjs";

// Debian's own, for which python3-websockets is.
const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";
const PROGRAM = fileURLToPath(new URL("../examples/python/parley_client.py", import.meta.url));

class Example extends Waiters {
	output = "";

	constructor(t, server, room, name) {
		super();
		this.process = spawn(PYTHON, [PROGRAM, server, room, name], { stdio: "pipe" });
		t.after(() => this.process.kill("SIGKILL"));
		for (const stream of [this.process.stdout, this.process.stderr]) {
			stream.setEncoding("utf8").on("data", (text) => {
				this.output += text;
				this.poke();
			});
		}
		this.process.on("close", (code) => {
			this.code = code;
			this.poke();
		});
	}

	prints(text) {
		return this.until(
			() => this.output.includes(text),
			() => `${text} in:\n${this.output}`,
		);
	}

	say(text) {
		this.process.stdin.write(`${text}\n`);
	}

	ends() {
		return this.until(
			() => this.code !== undefined,
			() => `the end; output:\n${this.output}`,
		);
	}
}

describe("the Python example", () => {
	it("tells who is here, who comes and goes, and talks", async (t) => {
		const server = await serverFor(t);
		const room = freshRoom("python");
		const bob = await connect(t, server);
		await bob.join(room, { name: "Bob" });
		const robot = new Example(t, server.http, room, "Robot");
		await robot.prints("* here: Bob");
		assert.equal((await bob.next("joined")).member.name, "Robot");
		robot.say("hello Bob");
		assert.equal((await bob.next("chat")).text, "hello Bob");
		await robot.prints("Robot: hello Bob");
		const cem = await connect(t, server);
		await cem.join(room, { name: "Cem" });
		await robot.prints("* Cem has come");
		cem.send({ type: "chat", text: "hello all" });
		await robot.prints("Cem: hello all");
		await cem.close();
		await robot.prints("* Cem has left (leave)");
		robot.process.stdin.end();
		await robot.ends();
		await bob.next("left");
	});

	it("says why it was refused", async (t) => {
		const server = await serverFor(t, { args: ["--room.capacity=1"] });
		const room = freshRoom("python");
		const bob = await connect(t, server);
		await bob.join(room, { name: "Bob" });
		const robot = new Example(t, server.http, room, "Robot");
		await robot.ends();
		assert.equal(robot.code, 1);
		assert.match(robot.output, /^refused: .*\(room_full\)$/m);
	});

	it("comes back after the server was restarted, and repeats nothing", async (t) => {
		const first = await startServer();
		const room = freshRoom("python");
		const robot = new Example(t, first.http, room, "Robot");
		await robot.prints("* here: nobody else");
		robot.say("one");
		await robot.prints("Robot: one");
		await first.stop();
		await robot.prints("* the server is away");
		const again = await startServer({ port: first.port });
		t.after(() => again.stop());
		const bob = await connect(t, again);
		await bob.join(room, { name: "Bob" });
		await robot.until(
			() => robot.output.match(/\* here: Bob|\* Bob has come/),
			() => `Bob in:\n${robot.output}`,
		);
		bob.send({ type: "chat", text: "two" });
		await robot.prints("Bob: two");
		assert.equal(robot.output.match(/Robot: one/g).length, 1);
		robot.process.stdin.end();
		await robot.ends();
	});
});
