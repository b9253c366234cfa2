"""A client over many connections: it comes back with its position whenever one ends, until it is told to stop."""

import asyncio
import contextlib
import random
import time

import websockets

from ws_client import SyncClient

OPEN_SECONDS = 3.0
HEARTBEAT_SECONDS = 1
SILENCE_SECONDS = 2.5 * HEARTBEAT_SECONDS
CANCEL_SECONDS = 0.2
BACKOFF_SECONDS = (0.02, 0.15)
ENDINGS = (OSError, asyncio.TimeoutError, websockets.WebSocketException)


class Follower:
    """`port` is asked anew for every connection. `visits` holds (position asked for or None, messages got), `endings`
    when and by what each of them ended."""

    def __init__(self, name, port):
        self.name = name
        self.visits = []
        self.endings = []
        self.seen = 0  # messages on all connections
        self._port = port
        self._position = None
        self._client = None
        self._task = asyncio.create_task(self._follow())

    @property
    def position(self):
        return self._position or {"epoch": None, "seq": -1}

    def last(self):
        return self.visits[-1][1][-1] if self.visits else None

    async def _follow(self):
        while True:
            with contextlib.suppress(*ENDINGS):
                await self._visit()
            await asyncio.sleep(random.uniform(*BACKOFF_SECONDS))

    async def _visit(self):
        asked = self._position
        self._client = await asyncio.wait_for(
            SyncClient.open(None, port=self._port(), heartbeat=HEARTBEAT_SECONDS, **(asked or {})), OPEN_SECONDS)
        self.visits.append((asked, self._client.messages))
        try:
            while True:
                self._position = self._client.position
                self.seen += 1
                await self._client.next(SILENCE_SECONDS)
        except ENDINGS as ending:
            self.endings.append((time.monotonic(), ending))
            raise
        finally:
            await self._client.abort()

    def drop(self, forget=False):
        """Ends the connection from this side; `forget` makes it come back as a new client."""
        if self._client:
            self._client.connection.transport.abort()
        if forget:
            self._position = None

    def check(self):
        """Raises what the client found wrong with what it was sent."""
        if self._task.done():
            self._task.result()

    async def stop(self):
        self.check()
        while not self._task.done():  # Python's wait_for loses a cancellation that meets a result
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS)
