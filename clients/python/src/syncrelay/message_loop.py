"""``for message in relay.messages()``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from types import TracebackType
from typing import Any

from .errors import RelayClosed
from .message import Message
from .receiving import MAX_MESSAGES, PAUSE, Receiver, checked_count, come

_log = logging.getLogger("syncrelay")


class _Loop:
    """One message in hand, some in reserve. Belongs to one thread or task.

    The one in hand is done when the next is asked for. Whoever leaves the loop otherwise, by ``break``, ``return`` or an
    exception, gives it back, unless ``message.done()`` was called before, together with those in reserve: a ``for``
    statement drops its iterator, and closes it so. Where a variable holds the iterator, ``with`` closes it.
    """

    def __init__(self, receiver: Receiver, prefetch: int) -> None:
        self._closed = False
        self._in_hand: Message | None = None
        self._reserve: deque[Message] = deque()
        self._receiver = receiver
        self._prefetch = checked_count(prefetch, "prefetch", MAX_MESSAGES)

    def close(self) -> None:
        """Gives back what is in hand and in reserve; the loop has ended."""
        self._closed = True
        self._give_back()

    def __del__(self) -> None:
        if self.__dict__.get("_closed") is False:
            self.close()

    def _begin(self) -> None:
        """Another ``for`` statement: the one before was left."""
        self._give_back()

    def _next(self) -> Message | None:
        """The one before is done. None: the relay has to be asked."""
        if self._in_hand is not None:
            self._in_hand.done()
            self._in_hand = None
        if self._reserve and not self._closed:
            self._in_hand = self._reserve.popleft()._begin()
        return self._in_hand

    def _give_back(self) -> None:
        message, self._in_hand = self._in_hand, None
        if message is not None and not message.settled:
            _log.info("%r is given back: its loop was left before it was done", message)
            message.release()
        while self._reserve:
            self._reserve.popleft().release()


class Messages(_Loop):
    """What ``relay.messages()`` gives. It waits for messages, also while the relay is away, until the Relay is closed."""

    def __iter__(self) -> Messages:
        self._begin()
        return self

    def __next__(self) -> Message:
        while True:
            message = self._next()
            if message is not None:
                return message
            if not self._fetch():
                raise StopIteration

    def __enter__(self) -> Messages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fetch(self) -> bool:
        """False: the loop has ended."""
        if self._closed:
            return False
        answer: Any = None
        try:
            answer = self._receiver.ask(self._prefetch)
            answer.exception()
            messages = self._receiver.taken(answer)
        except RelayClosed:
            return False
        except BaseException:  # an interrupt
            if answer is not None:
                self._receiver.give_up(answer)
            raise
        if messages is None:
            time.sleep(PAUSE)
            return True
        self._reserve.extend(messages)
        return bool(messages) or not self._receiver.until_empty


class AsyncMessages(_Loop):
    """``Messages`` for ``async for``."""

    def __aiter__(self) -> AsyncMessages:
        self._begin()
        return self

    async def __anext__(self) -> Message:
        while True:
            message = self._next()
            if message is not None:
                return message
            if not await self._fetch():
                raise StopAsyncIteration

    async def aclose(self) -> None:
        self.close()

    async def __aenter__(self) -> AsyncMessages:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _fetch(self) -> bool:
        if self._closed:
            return False
        answer: Any = None
        try:
            answer = self._receiver.ask(self._prefetch)
            await asyncio.wait([come(answer)])
            messages = self._receiver.taken(answer)
        except RelayClosed:
            return False
        except BaseException:  # the task is cancelled
            if answer is not None:
                self._receiver.give_up(answer)
            raise
        if messages is None:
            await asyncio.sleep(PAUSE)
            return True
        self._reserve.extend(messages)
        return bool(messages) or not self._receiver.until_empty
