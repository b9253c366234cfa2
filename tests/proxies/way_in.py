"""Clients that come through a proxy, over TLS."""

import json
import urllib.request
from urllib.parse import urlencode

import websockets

from ws_client import SyncClient


class WayIn:
    def __init__(self, context):
        self._context = context
        self._open = []

    async def bare(self, proxy, token=None, headers=None, source=None, **query):
        """A connection from which nothing has been read. `source` is the address that it comes from."""
        address = f"wss://localhost:{proxy.port}/ws/sync" + ("?" + urlencode(query, doseq=True) if query else "")
        connection = await websockets.connect(
            address, host="127.0.0.1", server_hostname="localhost", ssl=self._context,
            local_addr=(source, 0) if source else None, compression=None, max_size=None, max_queue=None,
            ping_interval=None, open_timeout=10, close_timeout=2, extra_headers=headers or {},
            subprotocols=["syncrelay", f"token.{token}"] if token else None)
        self._open.append(connection)
        return connection

    async def client(self, proxy, **how):
        """One that has its first message."""
        client = SyncClient(await self.bare(proxy, **how))
        await client.next()
        return client

    def page(self, proxy, path="/", headers=None):
        """What the backend got of a request."""
        request = urllib.request.Request(f"https://localhost:{proxy.port}{path}", headers=headers or {})
        with urllib.request.urlopen(request, timeout=5, context=self._context) as answer:
            return json.load(answer)

    async def close(self):
        for connection in self._open:
            connection.transport.abort()
            await connection.wait_closed()
