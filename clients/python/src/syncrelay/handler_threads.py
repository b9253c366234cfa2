"""Where handlers run that are no coroutines."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Optional

_Work = Optional[Callable[[], None]]


class HandlerThreads:
    """Daemons, since an exiting interpreter waits for all other threads, those of an executor too; under gevent greenlets.
    They are kept, so that what a program keeps for each thread, such as connections to a database, is, too. Belongs to one
    event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = 0
        self._busy = 0
        self._work: queue.SimpleQueue[_Work] = queue.SimpleQueue()

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What it returns or raises. When this is cancelled the function runs on, and nobody hears of it."""
        outcome: Future[Any] = Future()
        outcome.set_running_or_notify_cancel()
        self._busy += 1
        if self._busy > self._threads and self._threads < self._most:
            threading.Thread(target=self._run, name=f"syncrelay-handler-{self._threads}", daemon=True).start()
            self._threads += 1
        self._work.put(partial(_settle, outcome, contextvars.copy_context(), partial(function, *arguments)))
        wrapped = asyncio.wrap_future(outcome)
        wrapped.add_done_callback(self._count_back)
        return await wrapped

    def end(self) -> None:
        """Each ends when it has nothing to do. What is called later has new ones."""
        for _ in range(self._threads):
            self._work.put(None)
        self._threads = 0

    def _run(self) -> None:
        while True:
            work = self._work.get()
            if work is None:
                return
            work()

    def _count_back(self, _: object) -> None:
        self._busy -= 1


def _settle(outcome: Future[Any], context: contextvars.Context, call: Callable[[], Any]) -> None:
    try:
        outcome.set_result(context.run(call))
    except BaseException as error:
        outcome.set_exception(error)
