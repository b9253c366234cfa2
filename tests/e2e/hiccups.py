"""How late the machine itself makes this process: the error of every delay that is measured in it."""

import asyncio
import time

TICK_SECONDS = 0.005


class Hiccups:
    """An asynchronous context; `worst` is the longest time by which a timer of this event loop came late."""

    def __init__(self):
        self.worst = 0.0

    async def _watch(self):
        while True:
            due = time.monotonic() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self.worst = max(self.worst, time.monotonic() - due)

    async def __aenter__(self):
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
