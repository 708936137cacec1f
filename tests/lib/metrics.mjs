// Reads /metrics (Prometheus text), and checks its form on the way.
import assert from "node:assert/strict";
import { get } from "./http.mjs";
import { poll } from "./wait.mjs";

const SAMPLE = /^([a-z_:][a-z0-9_:]*)(?:\{([^}]*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/i;

/** [{name, labels, value}] */
export async function samples(server) {
	const response = await get(server, "/metrics");
	assert.equal(response.status, 200);
	assert.match(response.headers["content-type"], /^text\/plain; version=0\.0\.4/);
	const typed = new Set();
	const list = [];
	for (const line of response.text.trimEnd().split("\n")) {
		const type = line.match(/^# TYPE (\S+) (counter|gauge)$/);
		if (type) {
			typed.add(type[1]);
		}
		if (line.startsWith("#")) {
			continue;
		}
		const sample = line.match(SAMPLE);
		assert.ok(sample, `not a sample: ${line}`);
		assert.ok(typed.has(sample[1]), `no TYPE before ${sample[1]}`);
		const labels = [...(sample[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
		list.push({
			name: sample[1],
			labels: Object.fromEntries(labels.map(([, name, value]) => [name, value])),
			value: Number(sample[3]),
		});
	}
	return list;
}

/** A map of parley_* names, without the prefix, to the sum over the workers. */
export async function metrics(server) {
	const sums = new Map();
	for (const { name, value } of await samples(server)) {
		const key = name.replace(/^parley_/, "");
		sums.set(key, (sums.get(key) ?? 0) + value);
	}
	return sums;
}

/** A metric of each worker: [value of worker 0, of worker 1, ...]. */
export async function perWorker(server, name) {
	const values = [];
	for (const sample of await samples(server)) {
		if (sample.name === `parley_${name}` && sample.labels.worker !== undefined) {
			values[Number(sample.labels.worker)] = sample.value;
		}
	}
	return values;
}

/** Waits until the metric has the value (a number, or a test of one). */
export async function metricIs(server, name, wanted) {
	const fits = typeof wanted === "function" ? wanted : (value) => value === wanted;
	let seen;
	return poll(
		async () => {
			seen = (await metrics(server)).get(name);
			assert.notEqual(seen, undefined, `there is no metric ${name}`);
			return fits(seen);
		},
		() => `${name} is ${seen}, not ${wanted}`,
	);
}
