import { useEffect, useMemo } from "preact/hooks";
import { CheckModel, type Line } from "../check/check-model.js";
import { Brand, CopyButton } from "./parts.js";

/** `/check`: which path of a call works from here, and what cures the one that does not. */
export function CheckPage() {
	const model = useMemo(() => new CheckModel(), []);
	useEffect(() => {
		void model.start();
		return () => model.stop();
	}, [model]);
	const running = model.running.value;
	return (
		<div class="home">
			<header class="home-head">
				<Brand />
			</header>
			<main class="check">
				<h1>Does a call work from here?</h1>
				<p class="lead">
					Each way that voice and picture can take is tried, and your microphone and camera with it.
					Nothing of it is kept.
				</p>
				<ol class="check-lines card" data-testid="check-lines" aria-busy={running}>
					{model.lines.value.map((line) => (
						<CheckLine key={line.check.id} line={line} />
					))}
				</ol>
				<p class="check-sum" role="status" data-testid="check-sum">
					{summary(model.lines.value, running)}
				</p>
				<div class="row">
					<button
						type="button"
						class="primary"
						data-testid="check-again"
						disabled={running}
						onClick={() => void model.start()}
					>
						Check again
					</button>
					<CopyButton text={() => model.report()} label="Copy the report" testid="check-copy" />
				</div>
			</main>
		</div>
	);
}

const MARKS = { pass: "✓", fail: "✕", "left-out": "–" } as const;
const WORDS = { pass: "works", fail: "fails", "left-out": "left out" } as const;

function CheckLine({ line: { check, finding } }: { line: Line }) {
	const state = finding === null ? "waiting" : finding === "running" ? finding : finding.verdict;
	const done = finding && finding !== "running" ? finding : null;
	return (
		<li class="check-line" data-check={check.id} data-state={state}>
			<span class="check-mark" aria-hidden="true">
				{done ? MARKS[done.verdict] : ""}
			</span>
			<div>
				<strong>{check.title}</strong>{" "}
				<span class="check-word">{done ? WORDS[done.verdict] : state}</span>
				{done?.verdict === "pass" && <p class="check-text">{done.measured}</p>}
				{done && done.verdict !== "pass" && <p class="check-text">{done.cause}</p>}
				{done?.verdict === "fail" && <p class="check-cure">{done.cure}</p>}
			</div>
		</li>
	);
}

function summary(lines: readonly Line[], running: boolean): string {
	if (running) return "Checking…";
	const failed = lines.filter(
		({ finding }) => finding && finding !== "running" && finding.verdict === "fail",
	).length;
	if (failed === 0) return "Everything that was tried works.";
	return failed === 1 ? "One thing does not work." : `${failed} things do not work.`;
}
