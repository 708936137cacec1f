// A small network of namespaces (root, iproute2, nftables):
//
//     site 1: client -- router ---+
//     site 2: client -- router ---+-- the internet, with the server on it
//
// The internet is 203.0.113.0/24 with the server at .10; site N has the router 203.0.113.N and
// its client at 10.N.0.2. A namespace lives as long as the program that holds it, and those end
// with this process: nothing is left behind, whatever happens to a test.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freshDir } from "../lib/server.mjs";
import { run } from "../lib/wait.mjs";

export const SERVER = "203.0.113.10";
const DOOR = new URL("door.mjs", import.meta.url).pathname;

/** What a router lets through; each chain is empty but while something is blocked. */
const RULES = (nat) => `
	table inet lab {
		chain no_all { type filter hook forward priority 0; }
		chain no_udp { type filter hook forward priority 1; }
		chain no_tcp { type filter hook forward priority 2; }
		chain post { type nat hook postrouting priority 100; ${nat ? `oifname wan masquerade ${nat === "symmetric" ? "fully-random" : ""};` : ""} }
	}`;

class Namespace {
	#holder;
	#dir = freshDir();
	#doors = [];

	static async open() {
		const space = new Namespace();
		// `cat` ends with its input, and that with us.
		space.#holder = spawn("unshare", ["--net", "sh", "-c", "echo ready; exec cat"], {
			stdio: ["pipe", "pipe", "inherit"],
		});
		await once(space.#holder.stdout, "data");
		// Addresses that come by themselves, and late, are a change of network to browsers.
		space.write("ipv6/conf/all/disable_ipv6", 1);
		space.write("ipv6/conf/default/disable_ipv6", 1);
		space.ip("link", "set", "lo", "up");
		return space;
	}

	get pid() {
		return this.#holder.pid;
	}

	/** The words that run a command in here. */
	command(...words) {
		return ["nsenter", "--net", "--target", String(this.pid), "--", ...words];
	}

	run(...words) {
		const [program, ...args] = this.command(...words);
		return run(program, ...args);
	}

	ip(...args) {
		return this.run("ip", ...args);
	}

	nft(text) {
		return this.run("nft", text);
	}

	/** A wire to another namespace: device `name` here, `there` in the other. */
	wire(name, other, there) {
		const peer = ["peer", "name", there, "netns", String(other.pid)];
		this.ip("link", "add", "name", name, "type", "veth", ...peer);
		this.ip("link", "set", name, "up");
		other.ip("link", "set", there, "up");
	}

	/** Settings of the kernel, below net. */
	write(setting, value) {
		this.run("sh", "-c", `echo ${value} > /proc/sys/net/${setting}`);
	}

	forward() {
		this.write("ipv4/ip_forward", 1);
	}

	/** A program that runs `path` in here, for whoever can only name a program. */
	program(path) {
		const file = join(this.#dir, path.replaceAll("/", "-"));
		writeFileSync(file, `#!/bin/sh\nexec ${this.command(path).join(" ")} "$@"\n`);
		chmodSync(file, 0o755);
		return file;
	}

	/** For `ws`: makes TCP connections to the server's port that start in here (see door.mjs). */
	async dialer(port) {
		const path = join(this.#dir, `door-${port}`);
		const [program, ...args] = this.command("node", DOOR, path, SERVER, String(port));
		const door = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
		this.#doors.push(door);
		await once(door.stdout, "data");
		return () => connect(path);
	}

	async close() {
		for (const child of [...this.#doors, this.#holder]) {
			const ended = once(child, "exit");
			child.stdin.end();
			await ended;
		}
		rmSync(this.#dir, { recursive: true, force: true });
	}
}

/** A client's place behind its router. */
export class Site {
	#router;
	#client;

	/** nat: the router puts its own address for the client's, "symmetric": and for each destination another port; else the
	 * client can be reached. */
	static async open(internet, number, { nat = false } = {}) {
		const site = new Site();
		site.#router = await Namespace.open();
		site.#client = await Namespace.open();
		const router = site.#router;
		const client = site.#client;
		router.forward();
		router.wire("wan", internet, `site${number}`);
		router.wire("lan", client, "eth0");
		internet.ip("link", "set", `site${number}`, "master", "bridge");
		router.ip("address", "add", `203.0.113.${number}/24`, "dev", "wan");
		router.ip("route", "add", "default", "via", SERVER);
		router.ip("address", "add", `10.${number}.0.1/24`, "dev", "lan");
		client.ip("address", "add", `10.${number}.0.2/24`, "dev", "eth0");
		client.ip("route", "add", "default", "via", `10.${number}.0.1`);
		if (!nat) {
			internet.ip("route", "add", `10.${number}.0.0/24`, "via", `203.0.113.${number}`);
		}
		router.nft(RULES(nat));
		return site;
	}

	/** `all`, or only `udp` or `tcp`, is swallowed without a word from now on. */
	block(what) {
		const match = what === "all" ? "" : `meta l4proto ${what}`;
		this.#router.nft(`add rule inet lab no_${what} ${match} drop`);
	}

	unblock(what) {
		this.#router.nft(`flush chain inet lab no_${what}`);
	}

	/** See Namespace. */
	program(path) {
		return this.#client.program(path);
	}

	dialer(port) {
		return this.#client.dialer(port);
	}

	async close() {
		await this.#client.close();
		await this.#router.close();
	}
}

export class Lab {
	#internet;
	#sites = [];
	#count = 0;

	static async open() {
		const lab = new Lab();
		lab.#internet = await Namespace.open();
		lab.#internet.forward();
		lab.#internet.ip("link", "add", "name", "bridge", "type", "bridge");
		lab.#internet.ip("link", "set", "bridge", "up");
		lab.#internet.ip("address", "add", `${SERVER}/24`, "dev", "bridge");
		return lab;
	}

	/** How the server is started in here: for Server's options. */
	get serverOptions() {
		return { listen: `${SERVER}:0`, prefix: this.#internet.command() };
	}

	/** As a site's, but from beside the server. */
	dialer(port) {
		return this.#internet.dialer(port);
	}

	async site(options) {
		this.#count += 1;
		const site = await Site.open(this.#internet, this.#count, options);
		this.#sites.push(site);
		return site;
	}

	async close() {
		for (const site of this.#sites) {
			await site.close();
		}
		await this.#internet.close();
	}
}
