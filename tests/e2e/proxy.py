"""A TCP proxy in front of the relay whose faults have names."""

import asyncio
import socket
import struct

CHUNK = 65536


class FaultProxy:
    """Forwards both ways. Faults concern the connections that are open, and stall and delay also later ones.

    `target_port` may change: it is for connections that come later.
    """

    def __init__(self, target_port):
        self.target_port = target_port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay = 0.0
        self._writers = set()
        self._tasks = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader, writer):
        try:
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self.target_port, limit=CHUNK)
        except ConnectionError:
            writer.close()
            return
        self._writers |= {writer, upstream}
        for source, sink in ((reader, upstream), (upstream_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink, self._flowing))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader, writer, flowing):
        data = True
        try:
            while data:
                data = await reader.read(CHUNK)
                await flowing.wait()
                await asyncio.sleep(self._delay)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)

    def stall(self):
        """Nothing passes in either direction, and nobody is told."""
        self._flowing.clear()

    def resume(self):
        self._flowing.set()

    def abandon(self):
        """The open connections stay open and nothing passes them any more, not even their end."""
        self.stall()
        self._writers = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    def delay(self, seconds):
        """Every chunk, each way, waits this long."""
        self._delay = seconds

    def cut(self):
        """Both sides see an orderly end of the TCP connection, without a WebSocket close."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def reset(self):
        """Both sides see a RST."""
        for writer in self._writers:
            bare = writer.get_extra_info("socket")
            if bare.fileno() >= 0:
                bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._writers.clear()

    async def stop(self):
        self._server.close()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
