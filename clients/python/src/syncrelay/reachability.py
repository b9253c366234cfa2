"""Tells the operator, once each time, that the relay cannot be reached and that it is back."""

from __future__ import annotations

import logging
import time

from .endpoint import why_unreachable
from .handover import Log

_GRACE = 0.5  # seconds in which a relay may start or restart without being news
_SILENCE = 2.0  # seconds without an answer and without a refusal before that is news


class Reachability:
    """I/O thread only. A new reason while the relay is away is news; the same one again is not.

    Both lines are warnings: whoever sees the bad news must see the good news, too.
    """

    def __init__(self, endpoint: str, log: Log) -> None:
        self._log = log
        self._endpoint = endpoint
        self._reported: str | None = None
        self._away_since = time.monotonic()

    def lost(self) -> None:
        """The connection ended."""
        self._away_since = time.monotonic()

    def failed(self, reason: str | None = None) -> None:
        """An attempt to connect failed; without a reason, the endpoint is asked for one."""
        if self._away() < _GRACE:
            return
        reason = reason or why_unreachable(self._endpoint)
        if reason != self._reported:
            self._reported = reason
            self._log(logging.WARNING, "relay unreachable at %s: %s; commands wait until it is back", self._endpoint, reason)

    def still_silent(self) -> float | None:
        """To be called while not connected; returns after how many seconds again (None: the news is out)."""
        if self._reported is not None:
            return None
        if self._away() >= _SILENCE:
            self.failed(f"no answer for {_SILENCE:g} s")
            return None
        return _SILENCE - self._away()

    def restored(self, queued: int, dropped: int) -> None:
        if self._reported is None:
            self._log(logging.DEBUG, "connected to the relay at %s", self._endpoint)
            return
        self._reported = None
        self._log(
            logging.WARNING,
            "relay reachable again at %s after %.1f s: sending %d commands that waited, %d were dropped so far",
            self._endpoint, self._away(), queued, dropped,
        )  # fmt: skip

    def given_up(self, unsent: int, left_behind: int, connected: bool) -> None:
        """The client closes with commands that it could not send, and perhaps with some that ZeroMQ could not."""
        reason = "the relay takes them too slowly" if connected else self._reported or why_unreachable(self._endpoint)
        more = f" and up to {left_behind} more inside ZeroMQ" if left_behind else ""
        self._log(logging.WARNING, "closed with %d commands unsent%s to %s: %s", unsent, more, self._endpoint, reason)

    def _away(self) -> float:
        return time.monotonic() - self._away_since
