"""Has notices handled."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

from .carrier import Carrier
from .handlers import NoticeHandlers
from .handover import Promise
from .intake import Intake
from .notice import Notice, Notices
from .receiving import NoticeReceiver

_log = logging.getLogger("syncrelay")


class NoticeIntake(Intake[Notices]):
    """Those of one connection, or of one member, are handled in order, one by one. Nobody gets one again: so those that
    are there when it is stopped are handled, too, as far as the grace reaches."""

    def __init__(
        self, sender: Carrier, receiver: NoticeReceiver, handlers: NoticeHandlers, concurrency: int, grace: float
    ) -> None:
        super().__init__(sender, receiver, concurrency, grace)
        self._handlers = handlers
        self._waiting: dict[object, deque[Notice]] = {}  # by subject; there as long as a task handles them
        self._open = 0  # handed out and not handled

    def _hands_free(self) -> int:
        return self._concurrency - self._open

    def _handle_all(self, taken: Notices) -> int:
        if taken.dropped:
            what = "the relay has dropped %d notices of who came and went, which nobody took in time"
            _log.warning(what, taken.dropped)
        for notice in taken.notices:
            self._open += 1
            if notice.subject in self._waiting:
                self._waiting[notice.subject].append(notice)
            else:
                self._waiting[notice.subject] = deque((notice,))
                self._begin(asyncio.ensure_future(self._handle_in_order(notice.subject)))
        return len(taken.notices)

    def _take_last(self, answer: Promise[Any]) -> None:
        if answer.done() and not answer.cancelled() and answer.exception() is None:
            self._handle_all(self._asker.taken(answer) or Notices([]))

    async def _handle_in_order(self, subject: object) -> None:
        waiting = self._waiting[subject]
        try:
            while waiting:
                await self._handle(waiting[0])
                self._over(waiting.popleft())
        except asyncio.CancelledError:
            _log.warning("handlers of notices had no time to end: %s", ", ".join(map(repr, waiting)))
        finally:
            while waiting:
                self._over(waiting.popleft())
            del self._waiting[subject]

    async def _handle(self, notice: Notice) -> None:
        try:
            await self._call(self._handlers.of(notice), notice)
        except Exception:
            _log.exception("the handler of %r failed", notice)

    def _over(self, notice: Notice) -> None:
        self._open -= 1
        self._sender.notice_handled()
