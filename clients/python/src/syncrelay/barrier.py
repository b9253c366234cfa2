"""Order between pushed commands and requests."""

from __future__ import annotations

import json
import secrets
import time
from typing import Callable

from .answer import is_duplicate, is_for_later
from .outbox import Outbox

_FIRST_PAUSE = 0.001  # seconds after a round that proved nothing; doubles
_LAST_PAUSE = 0.1


class Barrier:
    """I/O thread only. Proves that the relay has taken what was pushed up to a mark in the outbox.

    The relay reads two sockets and keeps no order between them. So a command without effect goes over both under one id,
    pushed first. When the control socket calls it a duplicate, the relay has taken the pushed one, hence all
    before it. Otherwise the request was faster, and the next round begins. Only requests that follow pushed commands
    pay for it: one round trip, seldom more than two.
    """

    def __init__(self, outbox: Outbox, wake: Callable[[], None]) -> None:
        self._outbox = outbox
        self._wake = wake  # the thread must look at the outbox again
        self._proved = 0
        self._mark = 0
        self._command = b""  # of the present round, until it is sent to the control socket
        self._under_way = False
        self._pause = 0.0
        self._next_round = 0.0

    @property
    def proved(self) -> int:
        return self._proved

    def passed(self, mark: int) -> bool:
        return self._proved >= mark

    def raise_it(self) -> bytes | None:
        """To be called while something waits for it; returns what to send to the control socket now, if anything."""
        if not self._under_way:
            if time.monotonic() < self._next_round:
                return None
            self._begin_round()
        if not self._command or self._outbox.gone < self._mark:
            return None
        command, self._command = self._command, b""
        return command

    def answered(self, answer: bytes) -> None:
        """By the control socket. Raises CommandRejected: by a relay before 0.2.0, which has no barriers, too. Where the
        relay's cluster is out of reach the next round comes later."""
        self._under_way = False
        if not is_for_later(answer) and is_duplicate(answer):
            self._proved = self._mark
            self._pause = self._next_round = 0.0
            return
        self._next_round = time.monotonic() + self._pause
        self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LAST_PAUSE)

    def forget(self) -> None:
        """The connection is gone. What it has not carried yet goes over the next one: one round waits in the outbox."""
        self._under_way = bool(self._command)

    def patience(self) -> float | None:
        """Seconds until ``raise_it`` is due."""
        return None if self._under_way else max(0.0, self._next_round - time.monotonic())

    def _begin_round(self) -> None:
        self._command = json.dumps({"op": "barrier", "id": secrets.token_urlsafe(16)}).encode()
        self._mark = self._outbox.put_extra(self._command)
        self._under_way = True
        if self._outbox.gone < self._mark:
            self._wake()
