"""A relay that refuses every client with a close code of its own choice, after the upgrade."""

import asyncio
import threading

import websockets


class RefusingRelay:
    """On a thread of its own; ends with close()."""

    def __init__(self, code, reason):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.connections = 0
        self._server = self._run(self._serve(code, reason))
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, code, reason):
        async def refuse(connection):
            self.connections += 1
            await connection.close(code, reason)
        return await websockets.serve(refuse, "127.0.0.1", 0)

    async def _stop(self):
        self._server.close()
        await self._server.wait_closed()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def close(self):
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
