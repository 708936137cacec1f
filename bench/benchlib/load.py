"""One run: a fresh server, the generator against it, what came out."""

import json
import subprocess

from .servers import BenchError, GENERATOR_CPU, per_worker, pinned, total

LIMIT_S = 150


class Variant:
    """A server with a load: what one case compares with another, or holds to a limit.

    `dialect` names the attribute of the server class that holds what its clients say.
    """

    def __init__(self, name, server, mode, dialect, args, workers=1):
        self.name = name
        self.server = server
        self.mode = mode
        self.dialect = dialect
        self.args = args
        self.workers = workers

    def run(self, wsload):
        with self.server(workers=self.workers) as server:
            result = self.load(wsload, server)
            result.update(after(server))
            return result

    def load(self, wsload, server):
        command = [wsload, self.mode, "--port", str(server.port), "--pid", str(server.pid)]
        command += [*getattr(server, self.dialect), *self.args]
        try:
            done = subprocess.run(
                command, preexec_fn=pinned(GENERATOR_CPU), capture_output=True, text=True,
                timeout=LIMIT_S, check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise BenchError(f"the generator took more than {LIMIT_S} s") from e
        try:
            result = json.loads(done.stdout)
        except ValueError as e:
            raise BenchError(f"the generator failed: {done.stderr.strip()[-300:]}") from e
        check(result)
        return result


def check(result):
    """A run counts only when everything arrived."""
    lost = result.get("expected_total", 0) - result.get("delivered_total", 0)
    trouble = [
        f"{lost} messages lost" if lost else "",
        f"{result.get('stalled')} stalled" if result.get("stalled") else "",
        f"{result.get('failures')} refused" if result.get("failures") else "",
        f"{result['failed']} connections failed" if result["failed"] else "",
        f"only {result['ready']} ready in time" if result["timed_out"] else "",
        f"said instead: {result['said_instead']}" if "said_instead" in result else "",
        result["error"],
    ]
    trouble = [t for t in trouble if t]
    if trouble:
        raise BenchError(", ".join(trouble))


def after(server):
    """What the server itself says at the end of a run."""
    metrics = server.metrics()
    deliveries = per_worker(metrics, "parley_deliveries_total")
    found = {"queue_drops": total(metrics, "parley_write_queue_drops_total")}
    if sum(deliveries) > 0:
        found["least_share"] = min(deliveries) / sum(deliveries)
        found["workers"] = len(deliveries)
    return found
