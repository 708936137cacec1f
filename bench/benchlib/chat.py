"""Durable chat: how much of it, how soon it is acknowledged, how fast it is read back."""

import json
import os
import shutil
import socket
import sqlite3
import statistics
import tempfile
import time

from .cycles import connect, frame
from .load import Variant
from .servers import BenchError

ROOM = "pages"
READS = 2000


class ChatVariant(Variant):
    """Messages to rooms of `members`: the figures of one message, not of one delivery."""

    def __init__(self, name, server, members, args):
        super().__init__(name, server, "room", "chat",
                         ["--members", str(members), "--own", "1", *args])
        self.members = members

    def run(self, wsload):
        found = super().run(wsload)
        found["messages_per_s"] = found["deliveries_per_s"] / self.members
        found["cpu_us_per_message"] = found["cpu_us_per_delivery"] * self.members
        # From when a message was due: a generator that is late makes it longer, so it can be held to a limit all the same.
        found["told_p50_ms"] = found["latency_us"]["p50"] / 1000
        found["told_p99_ms"] = found["latency_us"]["p99"] / 1000
        return found


def fill(data_dir, messages):
    """A room with so many messages in the server's database, as it would have kept them."""
    db = sqlite3.connect(os.path.join(data_dir, "parley.db"))
    db.execute("INSERT INTO room(name, epoch) VALUES(?, 1)", (ROOM,))
    (room,) = db.execute("SELECT id FROM room WHERE name=?", (ROOM,)).fetchone()
    rows = (
        ((room << 40) + n, 0, 1_700_000_000_000 + n, 1, "b", f"message {n} of many", 0)
        for n in range(1, messages + 1)
    )
    db.executemany(
        "INSERT INTO message(id, kind, time, member, name, text, of) VALUES(?,?,?,?,?,?,?)", rows)
    db.commit()
    db.close()


class Pages:
    """Pages of 50 from all over the history of one room, one after another."""

    name = "parley"

    def __init__(self, subject, messages):
        self.subject = subject
        self.messages = messages

    def run(self, _):
        data_dir = tempfile.mkdtemp(prefix="parley-bench-")
        try:
            with self.subject(data_dir=data_dir):
                pass  # it makes the tables
            fill(data_dir, self.messages)
            with self.subject(data_dir=data_dir) as server, connect(server.port) as sock:
                times = self.read_pages(sock)
        finally:
            shutil.rmtree(data_dir, ignore_errors=True)
        times.sort()
        return {"page_p50_ms": statistics.median(times), "page_p99_ms": times[len(times) * 99 // 100]}

    def read_pages(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = sock.makefile("rb")
        sock.sendall(frame(json.dumps({"type": "join", "id": 1, "room": ROOM, "name": "b"})))
        reply_to(reader, 1)
        times = []
        for k in range(2, READS + 2):
            before = 51 + k * 7919 % (self.messages - 51)
            ask = frame(json.dumps({"type": "history", "id": k, "before": before, "limit": 50}))
            sent = time.perf_counter()
            sock.sendall(ask)
            reply = reply_to(reader, k)
            times.append((time.perf_counter() - sent) * 1000)
            if reply.count(b'"n":') < 50:
                raise BenchError(f"a page that is none: {reply[:200]!r}")
        return times


def reply_to(reader, number):
    """The text of the reply; what else comes is passed over."""
    wanted = b'"id":%d,' % number
    while True:
        head = reader.read(2)
        size = head[1] & 127
        if size == 126:
            size = int.from_bytes(reader.read(2), "big")
        elif size == 127:
            size = int.from_bytes(reader.read(8), "big")
        text = reader.read(size)
        if wanted in text[:60]:
            return text
