"""How much of a delay the machine itself makes, where other processes want its cores too: the error of every delay that is
measured here."""

import asyncio
import os
import pathlib
import time

TICK_SECONDS = 0.005


def waited(*pids):
    """For how many seconds the threads of these processes, and of this one, have waited for a core so far."""
    nanoseconds = 0
    for pid in (os.getpid(), *pids):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            try:
                nanoseconds += int((task / "schedstat").read_text().split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
    return nanoseconds / 1e9


class Hiccups:
    """An asynchronous context. `worst` is the longest time by which a timer of this event loop came late. A delay that the
    processes `pids` made, and this one measured, may be longer by `seconds`: besides, what all have waited for a core."""

    def __init__(self, *pids):
        self.worst = 0.0
        self._pids = pids
        self._waited = 0.0

    @property
    def seconds(self):
        return self.worst + self._waited

    async def _watch(self):
        while True:
            due = time.monotonic() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self.worst = max(self.worst, time.monotonic() - due)

    async def __aenter__(self):
        self._before = waited(*self._pids)
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_):
        self._waited = waited(*self._pids) - self._before
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
