"""Joins and leaves without end on one connection: does the server's memory stay where it was?"""

import base64
import os
import socket
import struct
import time

from .servers import BenchError, memory_kb, total

BATCH = 100
WARM_BATCHES = 300  # until the database has filled its cache
LIMIT_S = 60

JOIN = '{"type":"join","id":%d,"room":"cycle-%d","name":"b","metadata":{"n":%d}}'
LEAVE = '{"type":"leave","id":%d,"room":"cycle-%d"}'


def frame(text):
    """A client's text frame (RFC 6455, 5.2), masked with zeroes."""
    data = text.encode()
    head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else \
        struct.pack(">BBH", 0x81, 0x80 | 126, len(data))
    return head + bytes(4) + data


class Cycles:
    """`cycles` times: join a room of its own, leave it."""

    name = "parley"

    def __init__(self, subject, cycles):
        self.subject = subject
        self.cycles = cycles

    def run(self, _):
        with self.subject() as server, connect(server.port) as sock:
            self.batches(sock, WARM_BATCHES)
            before = at_rest(server)
            self.batches(sock, self.cycles // BATCH)
            after = at_rest(server)
        return {"rss_before_kb": before, "rss_after_kb": after, "growth": after / before}

    @staticmethod
    def batches(sock, count):
        for batch in range(count):
            text = b""
            for n in range(batch * BATCH, (batch + 1) * BATCH):
                text += frame(JOIN % (2 * n + 1, n, n)) + frame(LEAVE % (2 * n + 2, n))
            sock.sendall(text)
            read_until(sock, b'"ok":true', 2 * BATCH)


def at_rest(server):
    """Memory when the store has written what was asked of it, and has given back what that took."""
    while total(server.metrics(), "parley_store_queries_waiting") > 0:
        time.sleep(0.1)
    time.sleep(2)
    return memory_kb(server.pid)


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port), LIMIT_S)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall((
        "GET /v1/connect HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: parley.v1\r\n\r\n"
    ).encode())
    read_until(sock, b'"limits"', 1)
    return sock


def read_until(sock, word, count):
    """Reads until the word has come that often; a word cut in two by a read counts too."""
    rest = b""
    while count > 0:
        got = sock.recv(1 << 16)
        if not got:
            raise BenchError("the server closed the connection")
        text = rest + got
        count -= text.count(word)
        rest = text[text.rfind(word) + len(word):] if word in text else text
        rest = rest[-len(word) + 1:]
