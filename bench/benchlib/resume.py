"""Many sessions lose their connections at once and come back: how long does it take, and what do
others notice meanwhile?"""

import json
import signal
import subprocess

from .load import after, check
from .servers import BenchError, GENERATOR_CPU, pinned

LIMIT_S = 60
IN_TIME_S = 5  # how long they may take
WITNESSES = ["--rooms", "10", "--members", "2", "--rate", "1000", "--size", "64"]


class Resume:
    """`sessions` in rooms of two; ten rooms of others talk on."""

    name = "parley"

    def __init__(self, subject, sessions):
        self.subject = subject
        self.sessions = sessions

    def run(self, wsload):
        with self.subject() as server:
            room = [arg.replace("{room}", "other-{room}") for arg in server.room]
            others = start(wsload, server, "room", *room, *WITNESSES,
                           "--warmup", str(LIMIT_S), "--duration", str(LIMIT_S))
            lost = start(wsload, server, "resume", *server.connect, *server.joined,
                         "--rooms", str(self.sessions // 2), "--members", "2",
                         "--concurrency", "512", "--duration", str(4 * IN_TIME_S))
            try:
                return self.watch(server, others, lost)
            finally:
                for process in (others, lost):
                    process.kill()
                    process.communicate()

    def watch(self, server, others, lost):
        """The others are measured from the drop until the last is back."""
        if lost.stderr.readline() != "dropping\n":
            raise BenchError("the generator did not come to its drop")
        others.send_signal(signal.SIGUSR1)
        result = read(lost)
        others.send_signal(signal.SIGUSR1)
        witness = read(others)
        result.update(after(server))
        missing = self.sessions - result["resumed"] + result["incomplete"]
        if missing:
            raise BenchError(f"{missing} sessions did not come back with all they had missed")
        result["others_p99_ms"] = witness["latency_us"]["p99"] / 1000
        result["others_max_ms"] = witness["latency_us"]["max"] / 1000
        return result


def start(wsload, server, mode, *args):
    return subprocess.Popen(
        [wsload, mode, "--port", str(server.port), "--pid", str(server.pid), *args],
        preexec_fn=pinned(GENERATOR_CPU), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def read(process):
    try:
        result = json.loads(process.communicate(timeout=LIMIT_S)[0])
    except (subprocess.TimeoutExpired, ValueError) as e:
        raise BenchError("the generator failed") from e
    check(result)
    return result
