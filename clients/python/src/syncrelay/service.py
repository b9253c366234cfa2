"""Has what the relay hands out handled: messages, and notices."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from .carrier import Carrier
from .encoding import CommandEncoder
from .errors import RelayClosed
from .handlers import Handlers
from .intake import Intake
from .message_intake import MessageIntake
from .notice_intake import NoticeIntake
from .receiving import NoticeReceiver, Receiver, come

_log = logging.getLogger("syncrelay")


class Service:
    """One run of ``serve``. Messages and notices are asked for beside each other, so that neither waits for handlers of the
    others; each kind has ``concurrency`` hands. Messages are asked for unless there are handlers of notices only: who asks
    for them makes the relay take them.

    ``stop``: what is being handled has ``grace`` seconds to end; coroutines are cancelled then. Messages that were not
    handled are given back.
    """

    def __init__(
        self, sender: Carrier, encoder: CommandEncoder, handlers: Handlers,
        concurrency: int, lease: float, grace: float, until_empty: bool,
    ) -> None:  # fmt: skip
        self.grace = grace
        self._sender = sender
        self._until_empty = until_empty
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_event: asyncio.Event | None = None
        self._intakes: list[Intake[Any]] = []
        if handlers.of_messages or not handlers.notices:
            receiver = Receiver(sender, encoder, lease, until_empty)
            self._intakes.append(MessageIntake(sender, receiver, handlers, concurrency, grace))
        if handlers.notices:
            asker = NoticeReceiver(sender, encoder, handlers.notices.kinds, until_empty)
            self._intakes.append(NoticeIntake(sender, asker, handlers.notices, concurrency, grace))

    def stop(self) -> None:
        """Thread-safe. ``run`` returns soon."""
        self._stopping = True
        loop, event = self._loop, self._stop_event
        if loop is not None and event is not None:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:
                pass  # the loop is closed

    async def run(self) -> None:
        """Until it is stopped, cancelled, the Relay is closed or, if so asked, nothing is left. Raises CommandRejected when
        the relay gives no messages."""
        self._stop_event = event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self._stopping:
            event.set()
        try:
            while await self._run_all(event) and self._until_empty and not event.is_set():
                pass  # what was handled may have made something new
        except RelayClosed:
            _log.debug("no more messages are handled: the relay client is closed")
        finally:
            settled = come(self._sender.messages_settled())
            await asyncio.wait([settled], timeout=self._sender.close_timeout(None))

    async def _run_all(self, stop: asyncio.Event) -> int:
        """They end together. Returns how many messages and notices there were. Cancelled, it stops them; cancelled when
        they are stopping, it cuts them off."""
        tasks = [asyncio.ensure_future(intake.run(stop)) for intake in self._intakes]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            await _end(tasks, stop, at_once=stop.is_set())
            raise
        if not all(task.done() for task in tasks):
            await _end(tasks, stop)
        return _sum(tasks)


async def _end(tasks: list[asyncio.Task[int]], stop: asyncio.Event, at_once: bool = False) -> None:
    stop.set()
    try:
        if not at_once:
            await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        _errors(tasks)


def _sum(tasks: list[asyncio.Task[int]]) -> int:
    """Raises what one of them has, RelayClosed only if there is nothing else."""
    for error in sorted(_errors(tasks), key=lambda error: isinstance(error, RelayClosed)):
        raise error
    return sum(task.result() for task in tasks)


def _errors(tasks: list[asyncio.Task[int]]) -> list[BaseException]:
    """They are asked for, so that nobody says that they were not."""
    errors = [task.exception() for task in tasks if not task.cancelled()]
    return [error for error in errors if error is not None]
