// The alert rules and the dashboard of contrib/ name metrics that there are.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { samples } from "./lib/metrics.mjs";
import { startServer } from "./lib/server.mjs";

const read = (name) => readFileSync(new URL(`../contrib/${name}`, import.meta.url), "utf8");

describe("contrib/", () => {
	let server;
	let known;
	before(async () => {
		server = await startServer();
		known = new Set((await samples(server)).map(({ name }) => name));
	});
	after(() => server.stop());

	const mustBeKnown = (text) => {
		const names = new Set([...text.matchAll(/\bparley_[a-z0-9_]+/g)].map(([name]) => name));
		assert.ok(names.size > 5);
		for (const name of names) {
			assert.ok(known.has(name), `/metrics has no ${name}`);
		}
	};

	it("alerts.yml watches metrics of /metrics", () => {
		const text = read("alerts.yml");
		mustBeKnown(text);
		const alerts = [...text.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
		assert.equal(new Set(alerts).size, alerts.length);
		assert.equal(text.match(/\bexpr: /g).length, alerts.length);
		assert.equal(text.match(/\bsummary: /g).length, alerts.length);
		assert.equal(text.match(/\bseverity: /g).length, alerts.length);
	});

	it("grafana.json shows metrics of /metrics", () => {
		const dashboard = JSON.parse(read("grafana.json"));
		const exprs = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
		mustBeKnown(exprs.join("\n"));
		assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
	});
});
