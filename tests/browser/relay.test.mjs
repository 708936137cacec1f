// Two connections in Chromium that may use relays only: by UDP, TCP and TLS, with the credential of a hello. For TLS the
// browser trusts a test CA.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { launchBrowser } from "../lib/browser.mjs";
import { trustedHome } from "../lib/certificate.mjs";
import { metricIs } from "../lib/metrics.mjs";
import { freshDir, startServer } from "../lib/server.mjs";

/** Runs in the page: what two relay-only connections of that server say to each other. */
async function talk(server) {
	const config = { iceServers: [server], iceTransportPolicy: "relay" };
	const [a, b] = [new RTCPeerConnection(config), new RTCPeerConnection(config)];
	const errors = [];
	for (const [pc, other] of [
		[a, b],
		[b, a],
	]) {
		pc.onicecandidate = ({ candidate }) => candidate && other.addIceCandidate(candidate);
		pc.onicecandidateerror = ({ url, errorCode, errorText }) =>
			errors.push(`${url} ${errorCode} ${errorText}`);
	}
	const channel = a.createDataChannel("talk");
	const heard = new Promise((resolve) => {
		b.ondatachannel = ({ channel: far }) => {
			far.onmessage = ({ data }) => resolve(data);
		};
	});
	channel.onopen = () => channel.send("hello through the relay");
	await a.setLocalDescription();
	await b.setRemoteDescription(a.localDescription);
	await b.setLocalDescription();
	await a.setRemoteDescription(b.localDescription);
	const late = new Promise((resolve) => setTimeout(() => resolve(`nothing: ${errors}`), 60_000));
	const text = await Promise.race([heard, late]);
	const stats = [...(await a.getStats()).values()];
	const pair = stats.find(({ type, nominated }) => type === "candidate-pair" && nominated);
	const local = stats.find(({ id }) => id === pair?.localCandidateId);
	a.close();
	b.close();
	return { text, type: local?.candidateType, by: local?.relayProtocol, errors };
}

describe("in Chromium, relays alone", () => {
	let server;
	let browser;
	let page;
	let home;

	before(async () => {
		home = freshDir();
		const { cert, key } = trustedHome(home, "localhost");
		server = await startServer({
			workers: 2,
			args: ["--tls.cert", cert, "--tls.key", key],
		});
		browser = await launchBrowser({ home });
		page = await browser.newPage();
		// The page itself comes by https, which fails unless the CA is trusted.
		await page.goto(`https://localhost:${server.port}/livez`);
	});
	after(async () => {
		await browser?.close();
		await server?.stop();
		rmSync(home, { recursive: true, force: true });
	});

	const ways = { udp: "turn:", tcp: "turn:", tls: "turns:" };
	for (const [by, scheme] of Object.entries(ways)) {
		it(`carry data by ${by}`, async () => {
			const answer = await page.evaluate(async () => (await fetch("/ice-servers")).json());
			const { urls, ...rest } = answer.iceServers.find(({ credential }) => credential);
			const transport = by === "udp" ? "udp" : "tcp";
			const url = urls.find((u) => u.startsWith(scheme) && u.endsWith(`transport=${transport}`));
			const { text, type, by: used, errors } = await page.evaluate(talk, { urls: url, ...rest });
			assert.equal(text, "hello through the relay", errors.join("; "));
			assert.deepEqual({ type, used }, { type: "relay", used: by });
			await metricIs(server, "turn_allocations", 0);
		});
	}

	it("are refused with a credential that is none, and the log says why", async () => {
		const bad = {
			urls: `turn:127.0.0.1:${server.port}?transport=udp`, // by a name it would be sought at ::1 as well, for 40 s
			username: "1600000000:x",
			credential: "x",
		};
		const { errors } = await page.evaluate(async (iceServer) => {
			const pc = new RTCPeerConnection({ iceServers: [iceServer] });
			const seen = [];
			pc.onicecandidateerror = ({ errorCode, errorText }) => seen.push(`${errorCode} ${errorText}`);
			const gathered = new Promise((done) => {
				pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
			});
			pc.createDataChannel("x");
			await pc.setLocalDescription();
			await gathered;
			pc.close();
			return { errors: seen };
		}, bad);
		assert.ok(
			errors.some((error) => error.startsWith("401 ")),
			errors.join("; "),
		);
		await server.logged(/turn +refused from=\S+ why=PASSWORD user=1600000000:x/);
	});
});
