"""What is measured, and what it is held to."""

import os
import shutil
import subprocess
import tempfile

from .chat import ChatVariant, Pages
from .cycles import Cycles
from .load import Variant
from .resume import IN_TIME_S, Resume
from .servers import Floor, Parley, ParleyPostgres, Refws, SocketIo, SocketIoChat, memory_kb

WINDOW = ["--warmup", "0.5", "--duration", "1.2"]
IDLE_CONNS = 19000  # one process of the generator has 20 000 descriptors
SLOW_MEMBERS = 2
SLOW_ROOMS = 4

CPU = "cpu_us_per_delivery"


class Ratio:
    """One figure of one variant, divided by the same of another, round by round."""

    def __init__(self, what, key, over, under, limit=None):
        self.what = what
        self.key = key
        self.over = over
        self.under = under
        self.limit = limit


class Figure:
    """One figure by itself; `least` turns the limit round."""

    def __init__(self, what, key, variant, unit, limit=None, least=False):
        self.what = what
        self.key = key
        self.variant = variant
        self.unit = unit
        self.limit = limit
        self.least = least


class Case:
    """Variants that run one after another in each round, and what is read off them."""

    def __init__(self, name, variants, measures, rounds=99):
        self.name = name
        self.variants = variants
        self.measures = measures
        self.rounds = rounds  # no more are needed


def side_by_side(subject, name, mode, dialect, args, limit, key=CPU):
    """The subject against the yardstick."""
    variants = [
        Variant("refws", Refws, mode, "room" if mode == "room" else "echo", args),
        Variant("parley", subject, mode, dialect, args),
    ]
    what = "CPU per connection" if mode == "storm" else "CPU per delivery"
    return Case(name, variants, [Ratio(what, key, "parley", "refws", limit)])


def echo(subject, depth, size, limit):
    args = ["--conns", "100", "--depth", str(depth), "--size", str(size), *WINDOW]
    return side_by_side(subject, f"echo-d{depth}-{size}", "echo", "echo", args, limit)


def room_args(members, size):
    rooms = max(1, 1000 // members)
    return ["--rooms", str(rooms), "--members", str(members), "--size", str(size), *WINDOW]


def room(subject, members, size):
    args = room_args(members, size)
    return side_by_side(subject, f"room-{members}-{size}", "room", "room", args, 1.10)


def coach(subject, size):
    """Candidates relayed on /ws-simple: read, put into the receiver's wording, passed on."""
    return side_by_side(subject, f"coach-2-{size}", "room", "coach", room_args(2, size), 1.30)


def table(subject, members, size):
    """The same relay, worded by a table and by the native dialect."""
    args = room_args(members, size)
    variants = [
        Variant("native", subject, "room", "room", args),
        Variant("table", subject, "room", "coach", args),
    ]
    measures = [Ratio("CPU per delivery", CPU, "table", "native", 1.15)]
    return Case(f"table-{members}-{size}", variants, measures)


def sio(subject, name, mode, dialect, args, limit, key=CPU):
    """Socket.IO over its WebSocket, against the npm package. The yardstick, which has the same load
    without Socket.IO, shows how low the machine lets anybody go."""
    variants = [
        Variant("socket.io", SocketIo, mode, dialect, args),
        Variant("parley", subject, mode, dialect, args),
        Variant("refws", Refws, mode, "room" if mode == "room" else "echo", args),
    ]
    what = "CPU per delivery" if key == CPU else "CPU per connection"
    measures = [
        Ratio(what, key, "parley", "socket.io", limit),
        Ratio("the yardstick's", key, "refws", "socket.io"),
    ]
    return Case(name, variants, measures)


def above_floor(case):
    """Adds what bare TCP takes for the load of a case where every message has a call of its own."""
    refws = case.variants[-1]
    case.variants.append(Variant("floor", Floor, refws.mode, refws.dialect, refws.args))
    case.measures.append(Ratio("the floor's", CPU, "floor", "socket.io"))
    return case


def sio_idle(subject):
    """Memory of quiet clients, and what their heartbeats cost: one falls into the time held."""
    args = ["--conns", "10000", "--hold", "30"]
    variants = [
        Variant("socket.io", SocketIo, "idle", "sio_quiet", args),
        Variant("parley", subject, "idle", "sio_quiet", args),
    ]
    heartbeat = "idle_cpu_us_per_conn_per_s"
    measures = [
        Ratio("RSS per connection", "rss_bytes_per_conn", "parley", "socket.io", 0.10),
        Ratio("CPU of heartbeats", heartbeat, "parley", "socket.io", 0.25),
    ]
    return Case("sio-idle-10000", variants, measures, rounds=1)


def sio_cases(subject):
    # The peer compiles its code while it runs: it is given time for that.
    warm = ["--warmup", "1.5", "--duration", "1.5"]

    def echo_args(depth):
        return ["--conns", "100", "--depth", str(depth), "--size", "64", *warm]

    def rooms(members, size, *more):
        count = max(1, 1000 // members)
        return ["--rooms", str(count), "--members", str(members), "--size", str(size),
                *more, *warm]

    storm_args = ["--concurrency", "64", *warm]
    return [
        above_floor(sio(subject, "sio-echo-d1", "echo", "sio_echo", echo_args(1), 0.22)),
        sio(subject, "sio-echo-d16", "echo", "sio_echo", echo_args(16), 0.06),
        above_floor(sio(subject, "sio-room-2-64", "room", "sio_room", rooms(2, 64), 0.18)),
        above_floor(sio(subject, "sio-room-10-64", "room", "sio_room", rooms(10, 64), 0.30)),
        above_floor(sio(subject, "sio-room-100-64", "room", "sio_room", rooms(100, 64), 0.42)),
        above_floor(sio(subject, "sio-room-1000-64", "room", "sio_room", rooms(1000, 64), 0.42)),
        above_floor(sio(subject, "sio-room-100-1024", "room", "sio_room", rooms(100, 1024), 0.42)),
        sio(subject, "sio-win16-100-64", "room", "sio_room",
            rooms(100, 64, "--window", "16"), 0.06),
        sio(subject, "sio-storm", "storm", "sio_quiet", storm_args, 0.12,
            key="cpu_us_per_connection"),
        sio_idle(subject),
    ]


def window(subject):
    args = [*room_args(100, 64), "--window", "16"]
    return side_by_side(subject, "win16-100-64", "room", "room", args, 1.20)


def storm(subject, name, dialect):
    return side_by_side(
        subject, name, "storm", dialect, ["--concurrency", "64", *WINDOW], 1.30,
        key="cpu_us_per_connection",
    )


def idle(subject, name, dialect, limit=None):
    """Memory of a connection that says nothing, or has joined a room of its own."""
    args = ["--conns", str(IDLE_CONNS), "--hold", "1"]
    variants = [
        Variant("refws", Refws, "idle", "room" if dialect == "room" else "quiet", args),
        Variant("parley", subject, "idle", dialect, args),
    ]
    key = "rss_bytes_per_conn"
    measures = [
        Figure("RSS per connection", key, "parley", "B", limit),
        Figure("RSS per connection, refws", key, "refws", "B"),
        Figure("CPU to connect one", "connect_cpu_us_per_conn", "parley", "µs"),
    ]
    return Case(name, variants, measures, rounds=2)


def slow(subject):
    """Members that never read: what that costs the others, and what it piles up.

    The same members read and the same messages are sent in both variants, so that only the
    slow ones differ. Each is sent some 30 MB: its bound is met for sure.
    """
    reading = 8
    load = ["--rooms", str(SLOW_ROOMS), "--size", "16384", "--rate", "2000"]
    load += ["--warmup", "1", "--duration", "3"]
    without = [*load, "--members", str(reading)]
    with_slow = [*load, "--members", str(reading + SLOW_MEMBERS), "--slow", str(SLOW_MEMBERS)]
    variants = [
        Variant("without", subject, "room", "room", without),
        Variant("with", subject, "room", "room", with_slow),
        Variant("refws with", Refws, "room", "room", with_slow),
    ]
    measures = [
        Ratio("p99 of the others", "p99_us", "with", "without", 2.0),
        Ratio("p50 of the others", "p50_us", "with", "without"),
        Figure("memory piled up", "rss_grown_kb", "with", "kB", limit=32768),
        Figure("memory piled up, refws", "rss_grown_kb", "refws with", "kB"),
        Figure("slow readers closed, of 8", "queue_drops", "with", ""),
    ]
    return Case("slow-10-16384", variants, measures)


def workers(subject, members, size):
    args = room_args(members, size)
    variants = [
        Variant("1 worker", subject, "room", "room", args, workers=1),
        Variant("2 workers", subject, "room", "room", args, workers=2),
    ]
    measures = [
        Ratio("CPU per delivery", CPU, "2 workers", "1 worker", 1.25),
        Figure("least share of a worker", "least_share", "2 workers", "", 0.35, least=True),
    ]
    return Case(f"workers-{members}-{size}", variants, measures, rounds=3)


class Start:
    """A start without load. The first in a directory also makes the certificate."""

    name = "parley"

    def __init__(self, subject):
        self.subject = subject

    def run(self, _):
        found = {}
        data_dir = tempfile.mkdtemp(prefix="parley-bench-")
        try:
            with self.subject(data_dir=data_dir) as server:
                found["first_ready_ms"] = server.ready_ms
            with self.subject(data_dir=data_dir) as server:
                found["ready_ms"] = server.ready_ms
                server.metrics()  # it has worked once
                found["rss_kb"] = memory_kb(server.pid)
        finally:
            shutil.rmtree(data_dir, ignore_errors=True)
        found["stripped_kb"] = stripped_size(self.subject.program) / 1024
        return found


def stripped_size(program):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["strip", "-o", out.name, program], check=True)
        return os.path.getsize(out.name)


def start(subject):
    measures = [
        Figure("first start to ready", "first_ready_ms", "parley", "ms", limit=100),
        Figure("later start to ready", "ready_ms", "parley", "ms", limit=100),
        Figure("idle memory, one worker", "rss_kb", "parley", "kB", limit=20480),
        Figure("stripped binary", "stripped_kb", "parley", "kB", limit=8192),
    ]
    return Case("start", [Start(subject)], measures)


def cycles(subject):
    measures = [
        Figure("memory after, of before", "growth", "parley", "", limit=1.05),
        Figure("memory after", "rss_after_kb", "parley", "kB"),
    ]
    return Case("join-leave-100000", [Cycles(subject, 100000)], measures, rounds=1)


def resume(subject):
    measures = [
        Figure("until the last is back", "back_s", "parley", "s", limit=IN_TIME_S),
        Figure("p99 of others meanwhile", "others_p99_ms", "parley", "ms", limit=100),
        Figure("longest of others", "others_max_ms", "parley", "ms"),
    ]
    return Case("resume-10000", [Resume(subject, 10000)], measures, rounds=3)


def chat_cases(subject):
    """Messages that are kept (SQLite, synchronous=FULL) before they are acknowledged and told."""
    busy = ["--size", "64", "--warmup", "1.5", "--duration", "3"]
    full = ["--rooms", "10", "--window", "100", "--stall-ms", "20000", *busy]
    # As much as the peer can take: it keeps one at a time.
    peer = ["--rooms", "10", "--window", "10", "--stall-ms", "20000", *busy]
    half = ["--rooms", "10", "--rate", "10000", *busy]
    cpu = "cpu_us_per_message"
    return [
        Case("chat-10-64", [
            ChatVariant("socket.io+sqlite", SocketIoChat, 10, peer),
            ChatVariant("parley", subject, 10, full),
        ], [
            Figure("messages per second", "messages_per_s", "parley", "", 20000, least=True),
            Figure("messages per second, peer", "messages_per_s", "socket.io+sqlite", ""),
            Figure("CPU per message, all threads", cpu, "parley", "µs", 15),
            Ratio("CPU per message", cpu, "parley", "socket.io+sqlite", 0.10),
        ], rounds=3),
        Case("chat-half-10-64", [ChatVariant("parley", subject, 10, half)], [
            Figure("p99 until it is told", "told_p99_ms", "parley", "ms", 25),
            Figure("p50 until it is told", "told_p50_ms", "parley", "ms"),
        ], rounds=5),
        Case("chat-page-1000000", [Pages(subject, 1_000_000)], [
            Figure("page of 50, p50", "page_p50_ms", "parley", "ms", 1.0),
            Figure("page of 50, p99", "page_p99_ms", "parley", "ms"),
        ], rounds=1),
    ]


def postgres_cases():
    """The same with PostgreSQL beside it: how it stands, without a goal."""
    busy = ["--size", "64", "--warmup", "1.5", "--duration", "3"]
    full = ["--rooms", "10", "--window", "10", "--stall-ms", "20000", *busy]
    some = ["--rooms", "10", "--rate", "500", *busy]
    name = ParleyPostgres.name
    return [
        Case("chat-pg-10-64", [ChatVariant(name, ParleyPostgres, 10, full)], [
            Figure("messages per second", "messages_per_s", name, ""),
            Figure("CPU per message, without PostgreSQL's", "cpu_us_per_message", name, "µs"),
        ], rounds=3),
        Case("chat-pg-some-10-64", [ChatVariant(name, ParleyPostgres, 10, some)], [
            Figure("p99 until it is told", "told_p99_ms", name, "ms"),
            Figure("p50 until it is told", "told_p50_ms", name, "ms"),
        ], rounds=3),
    ]


def all_cases(subject=Parley):
    return [
        start(subject),
        echo(subject, 1, 64, 1.10),
        echo(subject, 1, 1024, 1.10),
        echo(subject, 16, 64, 1.20),
        *(room(subject, members, size) for size in (64, 1024) for members in (2, 10, 100, 1000)),
        window(subject),
        coach(subject, 64),
        coach(subject, 1024),
        table(subject, 2, 64),
        table(subject, 10, 64),
        table(subject, 2, 1024),
        storm(subject, "storm-echo", "echo"),
        storm(subject, "storm-connect", "quiet"),
        workers(subject, 10, 64),
        workers(subject, 100, 64),
        slow(subject),
        idle(subject, "idle-19000", "quiet", 1024),
        idle(subject, "joined-19000", "room"),
        cycles(subject),
        resume(subject),
        *sio_cases(subject),
        *chat_cases(subject),
        *postgres_cases(),
    ]


def select(cases, names):
    """Those of which a name is the name or its first parts: "room", "room-10"."""
    if not names:
        return cases
    return [c for c in cases if any(c.name == n or c.name.startswith(n + "-") for n in names)]
