#!/usr/bin/env python3
"""parley_client.py SERVER ROOM NAME: joins a room, prints who comes and what is written, and says
what it reads on its input, a line a message.

    python3 parley_client.py http://localhost:8443 amber-fox Robot

The class below is the whole client: the native protocol (docs/protocol.md) over the package
`websockets` (Debian: python3-websockets). It comes back by itself after a lost line and then joins anew;
messages that it knows already are not told again.
"""

import asyncio
import itertools
import json
import random
import sys
import urllib.parse

import websockets

PROTOCOL = "parley.v1"
LONGEST_WAIT = 30


class Refused(Exception):
    """The server said no; `code` is one of the protocol's."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


class Client:
    """One member of one room. `events` are told as the protocol has them, after a `joined` room."""

    def __init__(self, server, room, name, on_event):
        parts = urllib.parse.urlsplit(server)
        scheme = "wss" if parts.scheme in ("https", "wss") else "ws"
        query = urllib.parse.urlencode({"room": room})
        self.url = f"{scheme}://{parts.netloc}/v1/connect?{query}"
        self.room = room
        self.name = name
        self.on_event = on_event
        self.members = {}
        self._user = f"u_{random.getrandbits(80):020x}"
        self._ids = itertools.count(1)
        self._replies = {}
        self._socket = None
        self._last_chat = 0
        self._epoch = None

    async def run(self):
        """Until cancelled or refused; waits 1, 2, 4 ... 30 seconds between attempts."""
        wait = 1
        while True:
            try:
                async with websockets.connect(self.url, subprotocols=[PROTOCOL]) as socket:
                    self._socket = socket
                    wait = 1
                    await self._live(socket)
            except (OSError, websockets.exceptions.WebSocketException, asyncio.TimeoutError):
                pass
            await self.on_event({"type": "away", "retry": wait})
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def say(self, text):
        """Returns when the server has the message; raises Refused or ConnectionError."""
        await self._request("chat", 10, room=self.room, text=text)

    async def _live(self, socket):
        reading = asyncio.ensure_future(self._read(socket))
        try:
            # However long: the room may have a lobby.
            # It reads and writes: nobody shall wait for its voice and picture.
            own = {"name": self.name, "user": self._user, "metadata": {"watching": True}}
            await self._request("join", None, room=self.room, **own)
            await reading
        finally:
            reading.cancel()

    async def _read(self, socket):
        try:
            async for text in socket:
                await self._handle(json.loads(text))
        finally:
            self._lose()

    async def _handle(self, message):
        kind = message["type"]
        if kind == "reply":
            await self._handle_reply(message)
        elif kind == "joined":
            self.members[message["member"]["id"]] = message["member"]
            await self.on_event(message)
        elif kind == "left":
            gone = self.members.pop(message["member"], {"name": ""})
            await self.on_event({**message, "name": gone["name"]})
        elif kind == "chat":
            await self._handle_chat(message)
        elif kind not in ("hello", "pong"):
            await self.on_event(message)

    async def _handle_reply(self, message):
        data = message.get("data") or {}
        if "members" in data:
            self.members = {member["id"]: member for member in data["members"]}
            await self.on_event({"type": "here", "members": list(self.members.values())})
            if self._counts_anew(data):
                self._last_chat = 0
            for chat in data["chat"]:
                await self._handle_chat(chat)
        waiting = self._replies.pop(message["id"], None)
        if waiting is None or waiting.done():
            return
        if message["ok"]:
            waiting.set_result(data)
        else:
            waiting.set_exception(Refused(message["error"]))

    def _counts_anew(self, data):
        """Whether the room was made anew, and with it the numbers of its messages."""
        epoch, self._epoch = self._epoch, data.get("epoch")
        if self._epoch is not None:
            return self._epoch != epoch
        return not data["chat"] or data["chat"][-1]["n"] < self._last_chat

    async def _handle_chat(self, chat):
        if chat["n"] > self._last_chat:
            self._last_chat = chat["n"]
            await self.on_event({**chat, "type": "chat"})

    async def _request(self, kind, patience, **fields):
        if self._socket is None:
            raise ConnectionError("the server is away")
        number = next(self._ids)
        reply = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        await self._socket.send(json.dumps({"type": kind, "id": number, **fields}))
        return await asyncio.wait_for(reply, patience)

    def _lose(self):
        self._socket = None
        for waiting in self._replies.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the line was lost"))
        self._replies.clear()


async def tell(event):
    """An event in words, for a terminal."""
    kind = event["type"]
    if kind == "here":
        names = ", ".join(member["name"] for member in event["members"])
        print(f"* here: {names or 'nobody else'}", flush=True)
    elif kind == "joined":
        print(f"* {event['member']['name']} has come", flush=True)
    elif kind == "left":
        print(f"* {event['name']} has left ({event['reason']})", flush=True)
    elif kind == "chat":
        print(f"{event['name']}: {event['text']}", flush=True)
    elif kind == "waiting":
        print("* waiting to be let in", flush=True)
    elif kind == "away":
        print(f"* the server is away; next attempt in {event['retry']} s", flush=True)


async def speak(client):
    """Says each line of the input, until its end."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():
        text = line.decode().strip()
        if text:
            try:
                await client.say(text)
            except (Refused, OSError, asyncio.TimeoutError) as error:
                print(f"* not sent: {error}", flush=True)


async def main(server, room, name):
    client = Client(server, room, name, tell)
    running = asyncio.ensure_future(client.run())
    speaking = asyncio.ensure_future(speak(client))
    await asyncio.wait({running, speaking}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    running.cancel()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__.split(":")[0] + "\n" + "usage: parley_client.py SERVER ROOM NAME")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except Refused as refused:
        sys.exit(f"refused: {refused} ({refused.code})")
    except KeyboardInterrupt:
        pass
