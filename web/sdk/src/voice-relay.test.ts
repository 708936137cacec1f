// Whom VoiceRelay asks for a voice, and when it says that it needs it no more. The engine that plays is a page's own
// affair (tests/browser): here it is one that notes what it is told.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Emitter } from "./emitter.js";
import { VoiceRelay, type VoiceRelayParts } from "./voice-relay.js";
import { VoiceRule } from "./voice-rule.js";

const heard: string[] = [];
vi.mock("./voice-engine.js", () => ({
	VoiceEngine: {
		open: async () => ({
			codec: "opus",
			sender: { handleRelay: (id: string, codec: string) => heard.push(`${id} wants ${codec}`) },
			hear: (id: string) => {
				heard.push(`hear ${id}`);
				return { id };
			},
			hearNoMore: (id: string) => heard.push(`no more ${id}`),
			handleBytes: () => undefined,
			close: () => heard.push("closed"),
		}),
	},
}));

class Part extends Emitter<Record<string, unknown>> {
	say(event: string, data: unknown): void {
		this.emit(event, data);
	}
}

/** A call with Ann in it, whose page can do this, or not. */
function call({ voice = true, away = false } = {}) {
	const asked: string[] = [];
	const ann = { key: "ann", id: "m_ann", away, metadata: { voice } };
	const peer = Object.assign(new Part(), { key: "ann" });
	const mesh = new Part();
	const connection = Object.assign(new Part(), { state: "open", voice: {}, log: () => undefined });
	const room = Object.assign(new Part(), {
		presence: {
			get: (key: string) => (key === "ann" ? ann : undefined),
			byId: (id: string) => (id === ann.id ? ann : undefined),
		},
		relay: async (id: string, codec: string) => {
			asked.push(`${codec} of ${id}`);
		},
	});
	const parts = { connection, room, mesh, media: {}, worklet: "" } as unknown as VoiceRelayParts;
	const relay = new VoiceRelay(parts);
	const changes: boolean[] = [];
	relay.on("changed", ({ relayed }) => changes.push(relayed));
	mesh.say("added", peer);
	return { relay, ann, peer, room, mesh, asked, changes };
}

beforeEach(() => {
	vi.useFakeTimers();
	vi.stubGlobal("AudioWorkletNode", class {});
	heard.length = 0;
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

it("asks when no path was found in time, and ends when there is one", async () => {
	const { relay, peer, asked, changes } = call();
	await vi.advanceTimersByTimeAsync(VoiceRule.FIND_MS - 1);
	expect(asked).toEqual([]);
	await vi.advanceTimersByTimeAsync(1);
	expect(asked).toEqual(["opus of m_ann"]);
	expect(relay.relayed("ann")).toBe(true);
	peer.say("state", "connected");
	expect(asked).toEqual(["opus of m_ann", "none of m_ann"]);
	expect(relay.relayed("ann")).toBe(false);
	expect(heard).toEqual(["hear m_ann", "no more m_ann"]);
	expect(changes).toEqual([true, false]);
});

it("asks at once when a path fails, and again with another seat", async () => {
	const { ann, peer, room, asked } = call();
	peer.say("state", "connected");
	await vi.advanceTimersByTimeAsync(2 * VoiceRule.FIND_MS);
	expect(asked).toEqual([]);
	peer.say("state", "failed");
	await vi.advanceTimersByTimeAsync(0);
	expect(asked).toEqual(["opus of m_ann"]);
	ann.id = "m_new";
	room.say("back", ann);
	await vi.advanceTimersByTimeAsync(0);
	expect(asked).toEqual(["opus of m_ann", "opus of m_new"]);
	expect(heard).toEqual(["hear m_ann", "no more m_ann", "hear m_new"]);
});

it.each([
	["another kind of client", { voice: false }],
	["somebody who is away", { away: true }],
])("does not ask %s", async (_, who) => {
	const { asked } = call(who);
	await vi.advanceTimersByTimeAsync(2 * VoiceRule.FIND_MS);
	expect(asked).toEqual([]);
});

it("asks for nothing where it cannot be played", async () => {
	vi.unstubAllGlobals();
	const { asked } = call();
	await vi.advanceTimersByTimeAsync(2 * VoiceRule.FIND_MS);
	expect(asked).toEqual([]);
});

it("sends to who asks, and stops with the call", async () => {
	const { relay, room } = call();
	room.say("relay", { from: { id: "m_bob" }, codec: "pcm" });
	await vi.advanceTimersByTimeAsync(0);
	expect(heard).toEqual(["m_bob wants pcm"]);
	relay.close();
	await vi.advanceTimersByTimeAsync(0);
	expect(heard).toEqual(["m_bob wants pcm", "closed"]);
});
