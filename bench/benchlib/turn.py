"""TURN: the server beside coturn, with turnload between clients and a peer of its own.

Nobody is pinned to a CPU, unless pin() says so: coturn has two relay threads, and all of them run where the
kernel puts them, as when they are installed.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from .load import LIMIT_S
from .servers import (
    ANY_CPU, GENERATOR_CPU, SERVER_CPU, START_LIMIT_S, BenchError, Parley, Server, pinned,
)

PARLEY_TURN = [
    "--turn.user", "bench:bench", "--turn.allow-peer", "127.0.0.0/8",
    "--turn.max-allocations=0", "--turn.user-quota=0", "--turn.address-quota=0",
    "--turn.unproven-rate=0", "--turn.self-check=false",
]


class ParleyTurn(Parley):
    """The server, open to the load of one address and one user."""

    options = PARLEY_TURN
    cpu = ANY_CPU


class OnUdpPort(Server):
    """A server that is told its port, and is ready when it answers a Binding request."""

    cpu = ANY_CPU

    def __init__(self, command, port):
        super().__init__(command)
        self.port = port
        self.await_binding()

    def await_binding(self):
        request = bytes([0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, *range(12)])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.1)
            while self.process.poll() is None and time.monotonic() - self.spawned < START_LIMIT_S:
                s.sendto(request, ("127.0.0.1", self.port))
                try:
                    s.recv(1024)
                    self.is_ready()
                    return
                except OSError:
                    continue
        self.stop()
        raise BenchError(f"{self.name} does not start: {self.said()!r}")


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Refturn(OnUdpPort):
    """The yardstick: bench/refturn."""

    name = "refturn"
    program = None

    def __init__(self):
        port = free_udp_port()
        super().__init__([self.program, str(port), "300"], port)


class Coturn(OnUdpPort):
    """Debian's coturn, with the threads it takes by itself."""

    name = "coturn"

    def __init__(self):
        if not shutil.which("turnserver"):
            raise BenchError("there is no turnserver: scripts/install-deps bench")
        self.dir = tempfile.mkdtemp(prefix="parley-bench-")
        port = free_udp_port()
        super().__init__([
            "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout",
            "--no-stdout-log", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", str(port),
            "-a", "-u", "bench:bench", "-r", "bench", "--allow-loopback-peers",
            "--userdb", os.path.join(self.dir, "db"), "--pidfile", os.path.join(self.dir, "pid"),
        ], port)

    def stop(self):
        super().stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class TurnVariant:
    """A fresh server and one run of turnload."""

    program = None  # turnload
    cpu = ANY_CPU

    def __init__(self, name, server, args):
        self.name = name
        self.server = server
        self.args = args

    def run(self, _):
        with self.server() as server:
            command = [self.program, "--server", f"127.0.0.1:{server.port}"]
            command += ["--pid", str(server.pid), *self.args]
            try:
                done = subprocess.run(
                    command, preexec_fn=pinned(self.cpu), capture_output=True, text=True,
                    timeout=LIMIT_S, check=False,
                )
                result = json.loads(done.stdout)
            except subprocess.TimeoutExpired as e:
                raise BenchError(f"turnload took more than {LIMIT_S} s") from e
            except ValueError as e:
                raise BenchError(f"turnload failed: {done.stderr.strip()[-300:]}") from e
        check(result)
        return result


def check(result):
    """A run counts when every allocation was made and every payload that arrived was right."""
    bad = sum(result.get(way, {}).get("bad", 0) for way in ("up", "down"))
    if result["failed"] or bad or result.get("allocated") != result["allocations"]:
        raise BenchError(f"{result['failed']} failed, {bad} payloads wrong")
    for way in ("up", "down"):
        counts = result.get(way)
        if counts and counts["sent"]:
            result["loss_pct"] = max(result.get("loss_pct", 0), counts["loss_pct"])


def pin():
    """The servers on one CPU and the generator on another, as in the other cases."""
    ParleyTurn.cpu = OnUdpPort.cpu = SERVER_CPU
    TurnVariant.cpu = GENERATOR_CPU
