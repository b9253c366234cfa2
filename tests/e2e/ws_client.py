"""A client as a browser is one: reads /ws/sync at once and checks every message it gets."""

import asyncio
import itertools
from urllib.parse import urlencode

import websockets

from control_peer import ControlPeer
from deadline import PATIENCE
from history import History

TOKENS = itertools.count()


class SyncClient(History):
    """An open connection. Messages queue up without bound, so it is never slow by itself."""

    def __init__(self, connection, keep=True):
        super().__init__(keep)
        self.connection = connection

    @classmethod
    async def open(cls, relay, keep=True, port=None, headers=None, compression=None, tls=None, **query):
        """`query` becomes the query string, so `epoch` and `seq` resume, and `channel` is the one that is followed."""
        address = f"{'wss://localhost' if tls else 'ws://127.0.0.1'}:{port or relay.port}/ws/sync"
        address += "?" + urlencode(query) if query else ""
        connection = await websockets.connect(
            address, compression=compression, max_size=None, max_queue=None, ping_interval=None,
            open_timeout=10, close_timeout=2, extra_headers=headers or {},
            **({"ssl": tls, "host": "127.0.0.1"} if tls else {}))
        client = cls(connection, keep)
        try:
            await client.next()
        except BaseException:
            await client.abort()
            raise
        return client

    @property
    def local_port(self):
        return self.connection.local_address[1]

    async def next(self, seconds=PATIENCE):
        text = await asyncio.wait_for(self.connection.recv(), seconds)
        assert isinstance(text, str), "a binary message"
        return self.record(text)

    async def next_event(self, seconds=PATIENCE):
        message = await self.next(seconds)
        while not message.is_event:
            message = await self.next(seconds)
        return message

    async def read_to_seq(self, seq):
        while self.seq < seq:
            await self.next()

    async def read_to_type(self, event_type):
        message = await self.next_event()
        while message.type != event_type:
            message = await self.next_event()
        return message

    async def read_to_end(self, seconds=PATIENCE):
        """Reads until the relay closes; returns the close code."""
        try:
            while True:
                await self.next(seconds)
        except websockets.ConnectionClosed:
            return self.connection.close_code

    async def leave(self):
        await self.connection.close()

    async def abort(self):
        """Gone without a close frame."""
        self.connection.transport.abort()
        await self.connection.wait_closed()


async def settle(relay, pusher):
    """Returns the position at which everything that `pusher` pushed so far has been applied, by every shard: one of them has
    the fence, and what a query for clients asks each of them for is behind it."""
    watcher = await SyncClient.open(relay, keep=False)
    token = next(TOKENS)
    pusher.broadcast("test:fence", token)
    while (message := await watcher.next()).type != "test:fence" or message.data != token:
        if message.type == "sync:full":  # with a short log it may have fallen behind, and skipped the fence
            pusher.broadcast("test:fence", token)
    await watcher.leave()
    await asyncio.to_thread(ask_every_shard, relay)
    return watcher.seq


def ask_every_shard(relay):
    peer = ControlPeer(relay.ready["control"][0])
    try:
        peer.confirm({"op": "clients"})
    finally:
        peer.close()


async def settled_snapshot(relay, pusher):
    """A snapshot that contains everything that `pusher` pushed so far."""
    position = await settle(relay, pusher)
    while True:
        client = await SyncClient.open(relay)
        await client.leave()
        if client.first.seq >= position:
            return client.first
