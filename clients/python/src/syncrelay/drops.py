"""Reports dropped commands."""

from __future__ import annotations

import logging
import time

from .threads import OwnedLock

_INTERVAL = 1.0  # seconds between two lines at least

_log = logging.getLogger("syncrelay")


class DropReport:
    """Thread-safe. Counting is the outbox's; this says it in the log, at most once a second."""

    def __init__(self) -> None:
        self._lock = OwnedLock()
        self._reported = 0
        self._next = 0.0

    def update(self, dropped: int, last: bool = False) -> None:
        """``dropped`` is the total so far; ``last`` reports what is still unreported, whatever the time."""
        if dropped <= self._reported or self._lock.is_mine():
            return
        with self._lock:
            now = time.monotonic()
            new = dropped - self._reported
            if new <= 0 or (now < self._next and not last):
                return
            self._reported = dropped
            self._next = now + _INTERVAL
        _log.warning("queue full: dropped the %d oldest commands (%d in all)", new, dropped)
