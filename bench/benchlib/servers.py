"""The servers that are measured: how each is started, and how one speaks to it."""

import contextlib
import glob
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

START_LIMIT_S = 10
STOP_LIMIT_S = 10

# The server has a CPU of its own, and so has the generator.
SERVER_CPU = 0
GENERATOR_CPU = 1
ANY_CPU = None

PARLEY_OPTIONS = [
    "--log-level", "warn",
    "--limit.messages=0",
    "--room.capacity=2000",
    "--room.max-rooms=100000",
    "--debug.echo=true",
    "--net.max-connections=100000",
]


class BenchError(Exception):
    """A run that cannot count."""


def pinned(cpu):
    """For subprocess: one CPU, and ahead of what else runs here where that is allowed."""

    def apply():
        if cpu is not ANY_CPU:
            os.sched_setaffinity(0, {cpu % os.cpu_count()})
        with contextlib.suppress(OSError):
            os.setsid()  # an autogroup of its own, so that its weight counts
            with open("/proc/self/autogroup", "w", encoding="ascii") as f:
                f.write("-20")
        with contextlib.suppress(OSError):
            os.nice(-20)

    return apply


def memory_kb(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise BenchError(f"no {field} of process {pid}")


class Server:
    """A running server. Subclasses say how to start it and what its clients say."""

    name = ""
    echo = []
    room = []
    quiet = []
    cpu = SERVER_CPU

    def __init__(self, command):
        self.log = tempfile.TemporaryFile()  # a pipe that nobody reads would stop it
        self.spawned = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            preexec_fn=pinned(self.cpu), env=self.environment(),
        )
        self.port = None
        self.ready_ms = None

    @staticmethod
    def environment():
        return {k: v for k, v in os.environ.items() if not k.startswith("PARLEY_")}

    @property
    def pid(self):
        return self.process.pid

    def is_ready(self):
        self.ready_ms = (time.monotonic() - self.spawned) * 1000

    def said(self):
        """The end of its log."""
        self.log.seek(0)
        return self.log.read()[-300:].decode(errors="replace")

    def metrics(self):
        """Values of /metrics by name with labels; nothing for a server without them."""
        return {}

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class OnPort(Server):
    """A server that is told its port and says nothing."""

    def __init__(self, command, port):
        super().__init__(command)
        self.port = port
        self.await_port()

    def await_port(self):
        while self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    self.is_ready()
                    return
            if time.monotonic() - self.spawned > START_LIMIT_S:
                break
            time.sleep(0.002)
        self.stop()
        raise BenchError(f"{self.name} does not start: {self.said()!r}")


class Refws(OnPort):
    """The yardstick: bench/refws."""

    name = "refws"
    program = None
    room = ["--first", "J{room}", "--await", "joined"]

    def __init__(self, workers=1, data_dir=None):
        del workers, data_dir  # it has one thread and keeps nothing
        port = free_port()
        super().__init__([self.program, str(port), "300"], port)


class Floor(Refws):
    """The kernel's floor: bench/floor. It joins rooms by the same words, without WebSocket."""

    name = "floor"
    echo = ["--proto", "tcp"]
    room = [*echo, *Refws.room]


SIO = ["--proto", "sio", "--path", "/socket.io/?EIO=4&transport=websocket"]


class SocketIo(OnPort):
    """The npm package socket.io: bench/peers/sio_server.js."""

    name = "socket.io"
    program = os.path.join(os.path.dirname(__file__), "..", "peers", "sio_server.js")
    sio_echo = [*SIO, "--msg", '42["echo","{stamp}{pad}"]']
    sio_quiet = SIO
    sio_room = [
        *SIO, "--first", '42["join","{room}"]', "--await", '"joined"',
        "--msg", '42["msg","{stamp}{pad}"]',
    ]

    def __init__(self, workers=1, data_dir=None):
        del workers, data_dir
        port = free_port()
        super().__init__(["node", self.program, str(port)], port)


class SocketIoChat(OnPort):
    """The same with better-sqlite3: bench/peers/chat_server.js."""

    name = "socket.io+sqlite"
    program = os.path.join(os.path.dirname(__file__), "..", "peers", "chat_server.js")
    chat = [
        *SIO, "--first", '42["join","{room}"]', "--await", '"joined"',
        "--msg", '421["chat","{stamp}{pad}"]',
    ]

    def __init__(self, workers=1, data_dir=None):
        del workers, data_dir
        port = free_port()
        self.data_dir = tempfile.mkdtemp(prefix="parley-bench-")
        try:
            super().__init__(["node", self.program, str(port), self.data_dir], port)
        except BenchError as e:
            shutil.rmtree(self.data_dir, ignore_errors=True)
            raise BenchError(f"{e}; scripts/install-deps bench") from e

    def stop(self):
        super().stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)


# What bench/peers/sio_server.js does, in the place of the duo dialect.
TABLE = """
dialect  duo
speaks   socketio
route    socketio /

on join
    join room=$1
on msg
    relay others
when welcome
    send joined $room
"""


def write_table(data_dir):
    os.makedirs(os.path.join(data_dir, "dialects"), exist_ok=True)
    with open(os.path.join(data_dir, "dialects", "duo.dialect"), "w", encoding="utf-8") as f:
        f.write(TABLE)


class Parley(Server):
    """The server itself, over plain HTTP on its one port."""

    name = "parley"
    program = None
    options = []
    connect = ["--path", "/v1/connect", "--header", "Sec-WebSocket-Protocol: parley.v1"]
    joined = [
        "--first", '{"type":"join","id":1,"room":"{room}","name":"b"}',
        "--await", '"ok":true',
    ]
    echo = ["--path", "/v1/echo"]
    room = connect + joined + ["--msg", '{"type":"signal","data":"{stamp}{pad}"}']
    quiet = connect
    chat = connect + joined + ["--msg", '{"type":"chat","id":1,"text":"{stamp}{pad}"}']
    coach = [
        "--path", "/ws-simple/{room}",
        "--first", '{"type":"join","roomId":"{room}","userId":"u{id}","userName":"b"}',
        "--await", "peer-discovery",
        "--msg", '{"type":"ice-candidate","candidate":{"candidate":"{stamp}{pad}"}}',
    ]

    sio_echo = SocketIo.sio_echo
    sio_quiet = SocketIo.sio_quiet
    sio_room = SocketIo.sio_room

    def __init__(self, workers=1, data_dir=None):
        self.own_dir = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="parley-bench-")
        write_table(self.data_dir)
        super().__init__([
            self.program, "--listen", "127.0.0.1:0", "--workers", str(workers),
            "--data-dir", self.data_dir, *PARLEY_OPTIONS, *self.options,
        ])
        self.await_line()

    def await_line(self):
        """The first line on stdout says that it is ready, and where."""
        readable, _, _ = select.select([self.process.stdout], [], [], START_LIMIT_S)
        line = self.process.stdout.readline() if readable else b""
        self.is_ready()
        try:
            ready = json.loads(line)
            self.port = int(ready["urls"][0].split("/")[2].rsplit(":", 1)[1])
        except (ValueError, KeyError, IndexError, TypeError) as e:
            self.stop()
            raise BenchError(f"parley does not start: {line!r} {self.said()!r}") from e

    def metrics(self):
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")
        return {name: float(value) for name, value in pairs}

    def stop(self):
        super().stop()
        if self.own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)


class Postgres:
    """A PostgreSQL server of our own on loopback, with what Debian sets: each commit waits for the disk."""

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
        if not programs:
            raise BenchError("no PostgreSQL server here: scripts/install-deps bench")
        self.bin = programs[-1]
        # initdb and postgres refuse to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        self.dir = tempfile.mkdtemp(prefix="parley-bench-")
        self.port = free_port()
        self.started = False
        if self.user:
            shutil.chown(self.dir, self.user)
        try:
            self.run("initdb", "--pgdata", self.data, "--auth=trust", "--username=parley",
                     "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def data(self):
        return os.path.join(self.dir, "data")

    @property
    def url(self):
        return f"postgresql://parley@127.0.0.1:{self.port}/postgres"

    def run(self, program, *args):
        done = subprocess.run([os.path.join(self.bin, program), *args], cwd="/", user=self.user,
                              extra_groups=[] if self.user else None,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"{program}: {done.stderr[-300:].decode(errors='replace')}")

    def start(self):
        log = os.path.join(self.dir, "log")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.dir}"
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", log, "-o", options)
        self.started = True

    def stop(self):
        if self.started:
            self.run("pg_ctl", "stop", "-D", self.data, "-m", "immediate")
        shutil.rmtree(self.dir, ignore_errors=True)


class ParleyPostgres(Parley):
    """The server with PostgreSQL beside it on the same machine, whose own CPU time is not in the figures."""

    name = "parley+postgresql"

    def __init__(self, workers=1, data_dir=None):
        self.postgres = Postgres()
        self.options = ["--store.url", self.postgres.url]
        try:
            super().__init__(workers, data_dir)
        except BaseException:
            self.postgres.stop()
            raise

    def stop(self):
        super().stop()
        self.postgres.stop()


def per_worker(metrics, name):
    """The values of one metric, worker by worker."""
    return [v for k, v in sorted(metrics.items()) if k.startswith(name + "{worker=")]


def total(metrics, name):
    return metrics[name] if name in metrics else sum(per_worker(metrics, name))
