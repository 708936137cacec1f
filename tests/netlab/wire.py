#!/usr/bin/env python3
"""wire.py PID DEVICE PID DEVICE: a slow, thin and lossy wire between the network namespaces of two processes (root).

It makes a TAP device in each, and carries packets from one to the other. A line of its input says what becomes of them
in both directions from then on: {"delay": ms, "loss": percent, "rate": kbit/s}, where 0 is no such thing; it answers
with the same line. Nothing but a TAP device is asked of the kernel, so it works where there is no netem. Ends with its input.
"""

import ctypes
import fcntl
import json
import os
import random
import select
import struct
import sys
import time
from collections import deque

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000
LARGEST = 65536
LONGEST_WAIT = 0.3  # seconds that a packet may wait for its turn when the rate is limited


def open_tap(pid, device):
    """A TAP device belongs to the namespace of who makes it."""
    with open(f"/proc/{pid}/ns/net", encoding="ascii") as space:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(space.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP_NO_PI))
    return tap


class Way:
    """One direction. What is not lost leaves in the order it came."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.waiting = deque()  # of (when, packet)
        self.free_at = 0.0  # when the last packet has left the thin part
        self.dice = random.Random(1)

    def take(self, setting):
        """Takes in what has come."""
        while True:
            try:
                packet = os.read(self.source, LARGEST)
            except BlockingIOError:
                return
            now = time.monotonic()
            self.free_at = max(self.free_at, now)
            lost = self.dice.random() * 100 < setting["loss"]
            if lost or self.free_at - now > LONGEST_WAIT:
                continue
            if setting["rate"]:
                self.free_at += len(packet) * 8 / (setting["rate"] * 1000)
            self.waiting.append((self.free_at + setting["delay"] / 1000, packet))

    def give(self):
        """Gives out what is due; the seconds until the next is, None: nothing waits."""
        while self.waiting:
            left = self.waiting[0][0] - time.monotonic()
            if left > 0:
                return left
            try:
                os.write(self.sink, self.waiting.popleft()[1])
            except OSError:
                pass  # the device is down, or full: it is a lossy wire
        return None


def main():
    one, other = (open_tap(*sys.argv[at : at + 2]) for at in (1, 3))
    ways = [Way(one, other), Way(other, one)]
    setting = {"delay": 0, "loss": 0, "rate": 0}
    print("ready", flush=True)
    while True:
        dues = [due for due in (way.give() for way in ways) if due is not None]
        sources = [way.source for way in ways]
        readable, _, _ = select.select([sys.stdin, *sources], [], [], min(dues, default=None))
        for way in ways:
            if way.source in readable:
                way.take(setting)
        if sys.stdin in readable:
            line = sys.stdin.readline()
            if not line:
                return
            setting.update(json.loads(line))
            print(json.dumps(setting), flush=True)


main()
