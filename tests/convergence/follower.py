"""A client over many connections: it comes back with its positions whenever one ends, until it is told to stop."""

import asyncio
import contextlib
import random
import time

import websockets

from commands import CHANNELS
from listener import Ask, Listener

OPEN_SECONDS = 3.0
HEARTBEAT_SECONDS = 1
SILENCE_SECONDS = 2.5 * HEARTBEAT_SECONDS
CANCEL_SECONDS = 0.2
BACKOFF_SECONDS = (0.02, 0.15)
ENDINGS = (OSError, asyncio.TimeoutError, websockets.WebSocketException)
MOST_CHANNELS = 12
COMPRESSIONS = (None, "deflate")  # each connection by itself
ROAM_MESSAGES = (5, 60)  # between two changes of what it follows


class Follower:
    """`port` is asked anew for every connection. `visits` holds the script of each of them, `endings` when and by what
    it ended. One that is `bare` follows the default channel; one that roams subscribes to others and leaves them, within
    its `reach`."""

    def __init__(self, name, port, channels=("",), bare=False, roams=False, reach=CHANNELS):
        self.name = name
        self.visits = []
        self.endings = []
        self.seen = 0  # messages on all connections
        self.roams = roams
        self._port, self._bare, self._reach = port, bare, reach
        self._wanted = list(channels)
        self._positions = {}
        self._client = None
        self._under_way = set()  # channels whose subscription or end has no answer yet
        self._begun = set()  # channels that have had their first message
        self._next_change = 0
        self._task = asyncio.create_task(self._follow())

    def position(self, channel):
        """Where it is by now in a channel that it follows; None when it does not."""
        history = self._client and self._client.channels.get(channel)
        return history.position if history else None

    def has(self, ends):
        """Whether it has all up to these positions (of every channel) of what it wants to follow."""
        return not self._under_way and all(self._has(channel, ends[channel]) for channel in self._wanted)

    def _has(self, channel, end):
        position = self.position(channel)
        return position and position["epoch"] == end["epoch"] and position["seq"] >= end["seq"]

    def is_at(self, ends):
        """Whether it has all up to there, and nothing more."""
        return self.has(ends) and all(self.position(channel)["seq"] == ends[channel]["seq"] for channel in self._wanted)

    async def _follow(self):
        while True:
            with contextlib.suppress(*ENDINGS):
                await self._visit()
            await asyncio.sleep(random.uniform(*BACKOFF_SECONDS))

    async def _visit(self):
        asks = [Ask(channel, self._positions.get(channel)) for channel in self._wanted]
        self._client = await asyncio.wait_for(
            Listener.connect(self._port(), asks, self._bare, heartbeat=HEARTBEAT_SECONDS,
                             compression=random.choice(COMPRESSIONS)), OPEN_SECONDS)
        self._under_way, self._begun = set(self._wanted), set()
        self.visits.append(self._client.script)
        try:
            await self._opened()
            while True:
                await self._take(await self._client.next(SILENCE_SECONDS))
        except ENDINGS as ending:
            self.endings.append((time.monotonic(), ending))
            raise
        finally:
            await self._client.abort()

    async def _opened(self):
        """For those who have something to say at once."""

    async def _take(self, body):
        channel, kind = body.get("channel", ""), body["type"]
        self.seen += 1
        if kind == "sync:unsubscribed":
            await self._left(channel, body)
        elif kind in ("sync:full", "sync:resume", "sync:refused") and "skipped" not in body:
            self._under_way.discard(channel)
            self._begun.add(channel)
        if position := self.position(channel):
            self._positions[channel] = position
        if self.roams and self.seen >= self._next_change:
            self._next_change = self.seen + random.randint(*ROAM_MESSAGES)
            await self._change()

    async def _left(self, channel, body):
        """A drop ends what has begun, else what was asked for; who waits for another answer goes on waiting."""
        has_begun = channel in self._begun
        self._begun.discard(channel)
        if "reason" not in body:
            if channel not in self._wanted:
                self._under_way.discard(channel)
        elif not (has_begun and channel in self._under_way):
            await self._ask(channel)

    async def _change(self):
        choice = random.choice(("come", "come", "leave", "flap"))
        away = [c for c in self._reach if c not in self._wanted and c not in self._under_way]
        here = [c for c in self._wanted if c not in self._under_way]
        if choice == "come" and away and len(self._wanted) < MOST_CHANNELS:
            channel = random.choice(away)
            self._wanted.append(channel)
            await self._ask(channel)
        elif choice != "come" and len(here) > 1:
            channel = random.choice(here)
            await self._leave_channel(channel)
            if choice == "leave":
                self._wanted.remove(channel)
            else:
                await self._ask(channel)

    async def _leave_channel(self, channel):
        self._under_way.add(channel)
        await self._client.leave_channel(channel)

    async def _ask(self, channel):
        self._under_way.add(channel)
        await self._client.ask(channel, self._positions.get(channel) if random.random() < 0.7 else None)

    def drop(self, forget=False):
        """Ends the connection from this side; `forget` makes it come back as a new client."""
        if self._client:
            self._client.connection.transport.abort()
        if forget:
            self._positions = {}

    def check(self):
        """Raises what the client found wrong with what it was sent."""
        if self._task.done():
            self._task.result()

    async def stop(self):
        self.check()
        while not self._task.done():  # Python's wait_for loses a cancellation that meets a result
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS)
