"""Asks for what the relay hands out, and has it handled, several at a time."""

from __future__ import annotations

import asyncio
import inspect
import time
from abc import ABC, abstractmethod
from typing import Any, Callable, Generic, TypeVar

from .carrier import Carrier
from .handler_threads import HandlerThreads
from .handover import Promise
from .receiving import PAUSE, WAIT, Asker, checked_count, come
from .threads import seconds_to_wait

T = TypeVar("T")


class Intake(ABC, Generic[T]):
    """One question after another, for as many as it has hands free; ``T`` is what an answer brings. Belongs to one event
    loop.

    Once ``stop`` is set nothing new is asked for, and handlers have ``grace`` seconds to end; coroutines are cancelled then.
    """

    def __init__(self, sender: Carrier, asker: Asker[T], concurrency: int, grace: float) -> None:
        self._sender = sender
        self._asker = asker
        self._concurrency = checked_count(concurrency, "concurrency")
        self._grace = seconds_to_wait(grace)
        self._threads = HandlerThreads(concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop: asyncio.Event  # made in the event loop

    async def run(self, stop: asyncio.Event) -> int:
        """Until it is stopped, cancelled or, if so asked, nothing is left; returns how many were handed out. Raises
        RelayClosed, or CommandRejected when the relay hands out none."""
        self._stop = stop
        stopped = asyncio.ensure_future(stop.wait())
        answer: Promise[Any] | None = None
        count = 0
        try:
            while not stop.is_set():
                if self._hands_free() <= 0:
                    await _any_of(stopped, *self._tasks)
                    continue
                answer = self._asker.ask(self._hands_free())
                await _any_of(stopped, come(answer))
                if not answer.done():
                    break
                taken, answer = self._asker.taken(answer), None
                if taken is None:
                    await _any_of(stopped, pause := asyncio.ensure_future(asyncio.sleep(PAUSE)))
                    pause.cancel()
                elif number := self._handle_all(taken):
                    count += number
                elif self._asker.until_empty:
                    if not self._tasks:
                        break
                    await _any_of(stopped, *self._tasks)
        finally:
            stopped.cancel()
            await self._wind_up(answer)
        return count

    async def _wind_up(self, answer: Promise[Any] | None) -> None:
        """When this is cancelled, too, the rest is cut off."""
        try:
            end = time.monotonic() + self._grace
            if answer is not None:
                self._sender.end_receive(answer)
                await asyncio.wait([come(answer)], timeout=2 * WAIT)
                self._take_last(answer)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=max(0.0, end - time.monotonic()))
        finally:
            if answer is not None:
                self._asker.give_up(answer)
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            self._threads.end()
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """In the event loop, or in a thread where it is no coroutine function."""
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):
            result = function(*arguments)
        else:
            result = await self._threads.call(function, *arguments)
        if inspect.isawaitable(result):
            await result

    @abstractmethod
    def _hands_free(self) -> int: ...

    @abstractmethod
    def _handle_all(self, taken: T) -> int:
        """Begins to; returns how many there are."""

    def _take_last(self, answer: Promise[Any]) -> None:
        """It came, if it did, after the stop."""


async def _any_of(*tasks: asyncio.Future[Any]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
