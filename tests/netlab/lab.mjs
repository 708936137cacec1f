// A small network of namespaces (root, iproute2, nftables):
//
//     site 1: client -- router ---+
//     site 2: client -- router ---+-- the internet, with the server on it
//
// The internet is 203.0.113.0/24 with the server at .10; site N has the router 203.0.113.N and
// its client at 10.N.0.2. A namespace lives as long as the program that holds it, and those end
// with this process: nothing is left behind, whatever happens to a test.
//
// The way from a client to its router can be slow, thin and lossy (wire.py).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freshDir } from "../lib/server.mjs";
import { run } from "../lib/wait.mjs";

export const SERVER = "203.0.113.10";
const DOOR = new URL("door.mjs", import.meta.url).pathname;
const WIRE = new URL("wire.py", import.meta.url).pathname;

/** What a router does. `firewall` is empty but while something is blocked; `home` keeps out what nobody has asked for
 * (in its own input as well: an entry for what came unasked would take the port that the client's own packet wants). */
const RULES = `
	table inet lab {
		chain firewall { type filter hook forward priority 0; }
		chain home { type filter hook forward priority 1; }
		chain home_input { type filter hook input priority 1; }
		chain post { type nat hook postrouting priority 100; }
	}`;

/** How a router puts its own address for its client's: with the client's own port for every destination, where it is
 * free (endpoint-independent, RFC 4787), or with another for each (symmetric). */
const NAT = { keeps: "masquerade", symmetric: "masquerade fully-random" };

// A TURN message in a TCP segment: the cookie of STUN at offset 4, behind a header with timestamps.
const STUN_IN_TCP = "@th,288,32 0x2112a442";

/** What can be blocked, each a list of rules. */
const BLOCKS = {
	all: () => ["drop"],
	udp: () => ["meta l4proto udp drop"],
	tcp: () => ["meta l4proto tcp drop"],
	/** All but connections to that port that speak TLS, as far as a firewall can tell. */
	butTls: (port) => [`tcp dport ${port} ${STUN_IN_TCP} drop`, ...BLOCKS.butTcp(port)],
	relays: () => [`ip daddr ${SERVER} udp dport 49152-65535 drop`],
	butTcp: (port) => [`tcp dport ${port} accept`, `tcp sport ${port} accept`, "drop"],
};

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

	/** A device's one address, in place of the former; the routes over it go with that. */
	setAddress(device, address, gateway) {
		this.ip("address", "flush", "dev", device);
		this.ip("address", "add", `${address}/24`, "dev", device);
		this.ip("route", "add", "default", "via", gateway);
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
			await endOf(child);
		}
		rmSync(this.#dir, { recursive: true, force: true });
	}
}

/** The process that is a wire between the devices of two namespaces; see wire.py. */
class Wire {
	#process;

	static async open(one, device, other, there) {
		const wire = new Wire();
		const ends = [one.pid, device, other.pid, there].map(String);
		wire.#process = spawn("python3", [WIRE, ...ends], { stdio: ["pipe", "pipe", "inherit"] });
		await once(wire.#process.stdout, "data");
		one.ip("link", "set", device, "up");
		other.ip("link", "set", there, "up");
		return wire;
	}

	/** Resolves when it is so. */
	async set(setting) {
		this.#process.stdin.write(`${JSON.stringify(setting)}\n`);
		await once(this.#process.stdout, "data");
	}

	close() {
		return endOf(this.#process);
	}
}

/** Ends a child that ends with its input. */
async function endOf(child) {
	if (child.exitCode !== null || child.signalCode !== null) {
		return;
	}
	const ended = once(child, "exit");
	child.stdin.end();
	await ended;
}

/** A client's place behind its router. */
export class Site {
	#number;
	#router;
	#client;
	#wire;
	#moves = 0;

	/** nat: see NAT; without, the client can be reached. wire: see set(). */
	static async open(internet, number, { nat, wire = false } = {}) {
		const site = new Site();
		site.#number = number;
		site.outside = `203.0.113.${number}`; // what others see as a client's address
		site.#router = await Namespace.open();
		site.#client = await Namespace.open();
		const router = site.#router;
		const client = site.#client;
		router.forward();
		router.wire("wan", internet, `site${number}`);
		internet.ip("link", "set", `site${number}`, "master", "bridge");
		if (wire) {
			site.#wire = await Wire.open(router, "lan", client, "eth0");
		} else {
			router.wire("lan", client, "eth0");
		}
		router.setAddress("wan", site.outside, SERVER);
		router.ip("address", "add", `10.${number}.0.1/24`, "dev", "lan");
		client.setAddress("eth0", `10.${number}.0.2`, `10.${number}.0.1`);
		router.nft(RULES);
		if (nat) {
			site.nat = nat;
		} else {
			internet.ip("route", "add", `10.${number}.0.0/24`, "via", site.outside);
		}
		return site;
	}

	/** What the router does with connections that begin from now on; see NAT. */
	set nat(nat) {
		for (const chain of ["post", "home", "home_input"]) {
			this.#router.nft(`flush chain inet lab ${chain}`);
		}
		this.#router.nft(`add rule inet lab post oifname wan ${NAT[nat]}`);
		this.#router.nft("add rule inet lab home iifname wan ct state new drop");
		this.#router.nft("add rule inet lab home_input iifname wan ct state new drop");
	}

	/** Swallowed without a word from now on, and nothing else; see BLOCKS. */
	block(what, port) {
		this.unblock();
		for (const rule of BLOCKS[what](port)) {
			this.#router.nft(`add rule inet lab firewall ${rule}`);
		}
	}

	unblock() {
		this.#router.nft("flush chain inet lab firewall");
	}

	/** {delay: ms, loss: percent, rate: kbit/s} in both directions, for who has a wire. */
	set(setting) {
		return this.#wire.set(setting);
	}

	/** The client has another address from now on, as after a change of the Wi-Fi. */
	moveClient() {
		this.#moves += 1;
		this.#client.setAddress("eth0", `10.${this.#number}.0.${2 + this.#moves}`, `10.${this.#number}.0.1`);
	}

	/** The router has another address from now on, and has forgotten what it had translated to the former. */
	moveRouter() {
		this.#moves += 1;
		this.outside = `203.0.113.${10 * this.#number + 90 + this.#moves}`;
		this.#router.setAddress("wan", this.outside, SERVER);
	}

	/** The words that run a program in here. */
	get prefix() {
		return this.#client.command();
	}

	/** See Namespace. */
	program(path) {
		return this.#client.program(path);
	}

	dialer(port) {
		return this.#client.dialer(port);
	}

	async close() {
		await this.#wire?.close();
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
		// Its own would be another with each site that joins, and who knows the former would wait for an answer.
		const mac = ["address", "02:00:00:00:00:01"];
		lab.#internet.ip("link", "add", "name", "bridge", ...mac, "type", "bridge");
		lab.#internet.ip("link", "set", "bridge", "up");
		lab.#internet.ip("address", "add", `${SERVER}/24`, "dev", "bridge");
		return lab;
	}

	/** One more address of the server's machine, on `lo` or a bridge that is made for it. */
	addOwn(address, device) {
		if (device !== "lo") {
			this.#internet.ip("link", "add", "name", device, "type", "bridge");
			this.#internet.ip("link", "set", device, "up");
		}
		this.#internet.ip("address", "add", address, "dev", device);
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
