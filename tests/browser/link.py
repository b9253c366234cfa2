"""The network between a browser and the relay, for tests that are not asynchronous themselves."""

import asyncio
import threading

from proxy import FaultProxy


class Link:
    """A FaultProxy on a thread of its own; ends with close()."""

    def __init__(self, target_port):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._proxy = FaultProxy(target_port)
        self._run(self._proxy.start())
        self.port = self._proxy.port

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def reset(self):
        """Every connection is reset."""
        self._loop.call_soon_threadsafe(self._proxy.reset)

    def cut(self):
        """Every connection ends without a word of WebSocket."""
        self._loop.call_soon_threadsafe(self._proxy.cut)

    def stall(self):
        """Nothing passes, and nobody is told."""
        self._loop.call_soon_threadsafe(self._proxy.stall)

    def resume(self):
        self._loop.call_soon_threadsafe(self._proxy.resume)

    def close(self):
        self._run(self._proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
