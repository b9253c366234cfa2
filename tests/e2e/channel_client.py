"""A client that follows any number of channels over one connection, and checks each of them by itself."""

import asyncio
import itertools
import json
import re
from urllib.parse import urlencode

import websockets

from history import History

CHANNEL = re.compile(r'^(\{"type":"(?:[^"\\]|\\.)*"),"channel":"([^"\\]*)"')
REFS = itertools.count(1)
ANSWERS = ("sync:unsubscribed", "sync:refused", "sync:ack", "sync:error", "sync:expiring")


class Told:
    """A message with the channel it is about."""

    def __init__(self, channel, message):
        self.channel, self.message = channel, message

    @property
    def type(self):
        return self.message.type

    @property
    def body(self):
        return self.message.body


class ChannelClient:
    """`channels` maps a name to what came of it since its last snapshot or resume that began a subscription; `told` has
    everything in the order in which it came."""

    def __init__(self, connection):
        self.connection = connection
        self.channels = {}
        self.told = []
        self.answers = []
        self._passed = []  # what came while the latest answer was waited for

    @classmethod
    async def open(cls, relay, *channels, port=None, compression=None, **query):
        """`channels`: names, or (name, epoch, seq). None of them: the default channel."""
        asked = [("channel", c if isinstance(c, str) else ",".join(map(str, c))) for c in channels]
        text = urlencode([*asked, *query.items()])
        address = f"ws://127.0.0.1:{port or relay.port}/ws/sync" + ("?" + text if text else "")
        connection = await websockets.connect(address, compression=compression, max_size=None, max_queue=None,
                                              ping_interval=None, open_timeout=10, close_timeout=2)
        return cls(connection)

    async def say(self, message):
        await self.connection.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    async def next(self, seconds=10.0):
        text = await asyncio.wait_for(self.connection.recv(), seconds)
        found = CHANNEL.match(text)
        name = found[2] if found else ""
        body = json.loads(text)
        assert body.get("channel", "") == name, f"channel is not second: {text[:200]}"
        if body["type"] in ANSWERS:
            if body["type"] == "sync:unsubscribed" or body.get("code") == "forbidden":
                self.channels.pop(name, None)
            self.answers.append(body)
            return body
        plain = found[1] + text[found.end():] if found else text
        if body["type"] == "sync:resume" or (body["type"] == "sync:full" and "skipped" not in body):
            assert name not in self.channels, f"a second beginning of {name!r}: {text[:200]}"
            self.channels[name] = History()
        assert name in self.channels or body["type"] == "ping", f"nothing was asked of {name!r}: {text[:200]}"
        if body["type"] != "ping":
            self.told.append(Told(name, self.channels[name].record(plain)))
        return body

    async def ended(self):
        """Reads to the end; returns the close code and the reason."""
        try:
            while True:
                await self.next()
        except websockets.ConnectionClosed:
            return self.connection.close_code, self.connection.close_reason

    async def until(self, found, seconds=10.0):
        """Reads until `found(message)`; returns the message."""
        while not found(message := await self.next(seconds)):
            pass
        return message

    async def begun(self, *names):
        """Reads until each of these has its first message."""
        while not all(name in self.channels for name in names):
            await self.next()

    async def subscribe(self, name, **position):
        await self.say({"type": "sync:subscribe", "channel": name, **position})
        return await self.until(lambda m: m.get("channel", "") == name and m["type"].startswith("sync:"))

    async def unsubscribe(self, name):
        await self.say({"type": "sync:unsubscribe", "channel": name})
        return await self.until(lambda m: m["type"] == "sync:unsubscribed" and m.get("channel", "") == name)

    async def answer(self, ref):
        """Reads up to the answer to what was said with this `ref`. What that leads to may come before it, see event()."""
        self._passed = []
        while (message := await self.next())["type"] not in ("sync:ack", "sync:error") or message.get("ref") != ref:
            self._passed.append(message)
        return message

    async def ask(self, message):
        """Says it with a `ref` of its own; returns the answer."""
        ref = f"r{next(REFS)}"
        await self.say({**message, "ref": ref})
        return await self.answer(ref)

    async def hello(self, id, **more):
        """Says who it is, and reads up to its personal channel's first message."""
        assert (await self.ask({"type": "sync:hello", "id": id, **more}))["type"] == "sync:ack"
        await self.begun(f"@{id}")

    async def event(self, kind, name=None):
        """Of what came with the latest answer, or comes now."""
        def is_it(message):
            return message["type"] == kind and name in (None, message.get("channel", ""))

        for message in filter(is_it, self._passed):
            self._passed.remove(message)
            return message
        return await self.until(is_it)

    def state(self, name):
        return self.channels[name].state

    def position(self, name):
        history = self.channels[name]
        return (name, history.epoch, history.seq)

    async def leave(self):
        await self.connection.close()

    async def abort(self):
        self.connection.transport.abort()
        await self.connection.wait_closed()
