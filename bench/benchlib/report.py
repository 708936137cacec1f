"""Medians and round-by-round ratios, as Markdown."""

import os
import platform
import statistics
import subprocess
import time

from .cases import Ratio


LATE_SHARE = 0.005  # of paced messages; above, the tail is the machine's and not the server's


def flat(result):
    """Adds what is worked out from other figures of a run."""
    result = dict(result)
    if "latency_us" in result:
        result["p50_us"] = result["latency_us"]["p50"]
        if result.get("generator_late_share", 0) <= LATE_SHARE:
            result["p99_us"] = result["latency_us"]["p99"]
    if "rss_peak_kb" in result:
        result["rss_grown_kb"] = result["rss_peak_kb"] - result["rss_before_kb"]
    return result


class Results:
    """Figures by case, variant and round."""

    def __init__(self):
        self.runs = {}

    def add(self, case, variant, rnd, result):
        self.runs[case, variant, rnd] = flat(result)

    def figures(self, case, variant, key):
        """Round -> figure; rounds that failed, or have none, are left out."""
        return {
            rnd: run[key]
            for (c, v, rnd), run in sorted(self.runs.items(), key=lambda item: item[0][2])
            if c == case and v == variant and key in run
        }

    def ratios(self, case, m):
        """Neighbouring runs are compared, so that the machine's mood cancels out."""
        over = self.figures(case, m.over, m.key)
        under = self.figures(case, m.under, m.key)
        return [over[r] / under[r] for r in over if under.get(r)]


def number(v):
    if v >= 100:
        return f"{v:.0f}"
    return f"{v:.2f}" if v >= 1 else f"{v:.3f}"


def verdict(value, limit, least=False):
    if limit is None:
        return "", ""
    good = value >= limit if least else value <= limit
    return f"{'≥' if least else '≤'} {limit:g}", "yes" if good else "**no**"


def nothing(limit):
    """The cells of a figure that no round gave."""
    return ["—", "", "", "" if limit is None else "**no**"]


def ratio_row(results, case, m):
    values = results.ratios(case.name, m)
    if not values:
        return [case.name, m.what, m.under, m.over, *nothing(m.limit)]
    over = statistics.median(results.figures(case.name, m.over, m.key).values())
    under = statistics.median(results.figures(case.name, m.under, m.key).values())
    median = statistics.median(values)
    limit, met = verdict(median, m.limit)
    rounds = " ".join(f"{v:.2f}" for v in values)
    return [case.name, m.what, f"{m.under} {number(under)}", f"{m.over} {number(over)}",
            f"{median:.2f}", rounds, limit, met]


def figure_row(results, case, m):
    values = list(results.figures(case.name, m.variant, m.key).values())
    if not values:
        return [case.name, m.what, *nothing(m.limit)]
    median = statistics.median(values)
    limit, met = verdict(median, m.limit, m.least)
    rounds = " ".join(number(v) for v in values)
    return [case.name, m.what, f"{number(median)} {m.unit}".strip(), rounds, limit, met]


def table(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines)


def rows_of(results, cases, ratios):
    make = ratio_row if ratios else figure_row
    return [make(results, c, m) for c in cases for m in c.measures
            if isinstance(m, Ratio) == ratios]


def missed(results, cases):
    rows = rows_of(results, cases, True) + rows_of(results, cases, False)
    return [f"{row[0]}: {row[1]}" for row in rows if "no" in row[-1]]


def tables(results, cases):
    parts = []
    ratios = rows_of(results, cases, True)
    figures = rows_of(results, cases, False)
    if ratios:
        parts.append(table(["case", "what", "base (µs, median)", "measured (µs, median)",
                            "ratio", "round by round", "goal", "met"], ratios))
    if figures:
        parts.append(table(["case", "what", "median", "round by round", "goal", "met"], figures))
    return "\n\n".join(parts)


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def commit(root):
    command = ["git", "-C", root, "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def document(root, command, results, cases, problems, seconds):
    """The text of RESULTS.md."""
    lost = missed(results, cases)
    parts = [
        "# Results",
        f"Written by `{command}` in {seconds / 60:.1f} minutes; how to read it is in "
        "[README.md](README.md).",
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, commit {commit(root)}, "
        f"{os.cpu_count()} CPUs ({cpu_name()}), Linux {platform.release()}. "
        "Ratios carry over to another day and machine; the figures they are made of do not.",
        tables(results, cases),
        "Goals missed: " + ("; ".join(lost) if lost else "none") + ".",
        "Runs that did not count: " + ("none." if not problems else ""),
        "\n".join(f"* {p}" for p in problems),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"
