"""Has messages handled."""

from __future__ import annotations

import asyncio
import logging

from .carrier import Carrier
from .errors import NoHandler, TooManyAttempts
from .handlers import Handler, Handlers, whole
from .intake import Intake
from .message import Message
from .receiving import Receiver

_FIRST_PAUSE = 0.5  # seconds before a message that failed is given back; doubles with each attempt
_LAST_PAUSE = 30.0

_log = logging.getLogger("syncrelay")


class MessageIntake(Intake["list[Message]"]):
    """What one client has said is handled in order, one by one. What was not handled when it ends is given back."""

    def __init__(
        self, sender: Carrier, receiver: Receiver, handlers: Handlers, concurrency: int, grace: float
    ) -> None:
        super().__init__(sender, receiver, concurrency, grace)
        self._handlers = handlers

    def _hands_free(self) -> int:
        return self._concurrency - len(self._tasks)

    def _handle_all(self, taken: list[Message]) -> int:
        """Those of one client after each other, also when they come in one answer."""
        groups: dict[object, list[Message]] = {}
        for message in taken:
            groups.setdefault(message.sender, []).append(message)
        for group in groups.values():
            self._begin(asyncio.ensure_future(self._handle_group(group)))
        return len(taken)

    async def _handle_group(self, messages: list[Message]) -> None:
        try:
            for message in messages:
                if self._stop.is_set() or not await self._handle(message):
                    break
        except asyncio.CancelledError:
            _log.warning("handlers had no time to end: %s", ", ".join(repr(each) for each in messages if not each.settled))
        except BaseException:
            _log.exception("a message could not be handled")
        finally:
            for message in messages:
                message.release()

    async def _handle(self, message: Message) -> bool:
        """False: it is given back, and those of the same client behind it must be, too."""
        handler = self._handlers.of(message)
        if handler is None:
            await self._bury(message, NoHandler(f"no handler here is for messages of the type {message.type[:200]!r}"))
        elif not await self._try(message, handler):
            return False
        message.done()
        return not message.given_back

    async def _try(self, message: Message, handler: Handler) -> bool:
        """False: it is not over."""
        if message.attempt > handler.attempts:
            what = f"handed out {message.attempt} times, {handler.attempts} of which may be tried; no worker came to its end"
            await self._bury(message, TooManyAttempts(what))
            return True
        try:
            await self._call(handler.function, message._begin())
        except Exception as error:
            if message.attempt == handler.attempts:
                await self._bury(message, error)
                return True
            seconds = min(_LAST_PAUSE, _FIRST_PAUSE * 2 ** (message.attempt - 1))
            _log.warning("the handler of %r failed; giving it back in %g s", message, seconds, exc_info=error)
            await self._pause(seconds)
            return False
        return True

    async def _bury(self, message: Message, error: Exception) -> None:
        on_dead = self._handlers.on_dead
        if on_dead is None:
            _log.error("%r is dead: %r; it was: %s", message, error, whole(message), exc_info=error)
            return
        try:
            await self._call(on_dead, message, error)
        except Exception:
            _log.exception("on_dead failed for %r, which was: %s", message, whole(message))

    async def _pause(self, seconds: float) -> None:
        """Shorter when it is stopped."""
        if not self._sender.in_real_time:
            return
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except asyncio.TimeoutError:
            pass
