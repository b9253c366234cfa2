"""Notices that the relay began anew, and has the backend fill its state again."""

from __future__ import annotations

import json
import logging
from typing import Any, Callable, Optional

from .errors import RelayClosed
from .handover import spawner_here
from .threads import OwnedLock

OnNewEpoch = Optional[Callable[[str], object]]

_log = logging.getLogger("syncrelay")


class EpochWatch:
    """I/O thread only, but for ``fresh``. The relay is asked once over each connection, so that a backend which confirms
    nothing learns of it, too; a relay that restarts ends all connections.

    A first epoch is not a new one, unless a connection was lost before anybody knew its epoch.
    """

    def __init__(self, hook: OnNewEpoch, known: str | None = None) -> None:
        self._hook = hook
        self._known = known
        self._missed = False
        self._calls: _Calls | None = None

    def fresh(self) -> EpochWatch:
        """For a forked child, which may meet another relay than its parent did. Takes no lock."""
        return EpochWatch(self._hook, self._known)

    def start_here(self) -> None:
        """In the thread that makes the I/O thread: the hook runs beside it."""
        if self._hook is not None:
            self._calls = _Calls(self._hook)

    @property
    def wanted(self) -> bool:
        return self._hook is not None

    def lost(self) -> None:
        """The connection ended."""
        self._missed = self._missed or self._known is None

    def answered(self, answer: bytes) -> None:
        """By the control socket."""
        epoch = json.loads(answer).get("epoch")
        if epoch is None or self._calls is None:
            return
        is_new = self._missed if self._known is None else epoch != self._known
        self._known, self._missed = epoch, False
        if is_new:
            self._calls.call(epoch)


class _Calls:
    """One at a time, beside all other threads; what came meanwhile is one more call, with the latest epoch."""

    def __init__(self, hook: Callable[[str], object]) -> None:
        self._hook = hook
        self._spawn = spawner_here("syncrelay-epoch")
        self._lock = OwnedLock()
        self._next: str | None = None
        self._running = False

    def call(self, epoch: str) -> None:
        with self._lock:
            self._next = epoch
            if self._running:
                return
            self._running = True
        try:
            self._spawn(self._run)
        except Exception:
            self._running = False
            _log.exception("on_new_epoch cannot be called: no thread for it")

    def _run(self) -> None:
        while True:
            with self._lock:
                epoch, self._next = self._next, None
                if epoch is None:
                    self._running = False
                    return
            call_hook(self._hook, epoch)


def call_hook(hook: Callable[[str], Any], epoch: str) -> None:
    try:
        hook(epoch)
    except RelayClosed:
        _log.debug("on_new_epoch was cut off by the closing of its relay client")
    except Exception:
        _log.exception("on_new_epoch failed for the epoch %s", epoch)
