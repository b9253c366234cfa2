"""From the I/O thread to those who called: answers, log lines, calls of their functions.

Without gevent any thread may do any of that. Where gevent has the threads, a real one must not touch what greenlets wait
for, be it a Future or one of logging's locks: gevent's hub of the thread that called does it for it.
"""

from __future__ import annotations

import importlib
import logging
import sys
from concurrent.futures import Future, InvalidStateError
from functools import partial
from typing import Any, Callable, Protocol, TypeVar

from .threads import OwnedLock, gevent_has_threads, start_thread

T = TypeVar("T")


class Log(Protocol):
    """As ``logging.Logger.log``."""

    def __call__(self, level: int, message: str, /, *arguments: object, exc_info: Any = None) -> None: ...


_log: Log = logging.getLogger("syncrelay").log


class Promise(Future[T]):
    """A Future for one caller, who makes it and waits for it in one thread, while any thread may settle it."""

    def __init__(self) -> None:
        super().__init__()
        self._deliver: _HubDelivery | None = None
        if gevent_has_threads():
            self._deliver = deliver = _HubDelivery()
            self.add_done_callback(lambda _: deliver.close())

    def settle(self, outcome: T | BaseException) -> None:
        """Thread-safe. Does nothing when the caller has given up."""
        if self._deliver is None:
            self._settle(outcome)
        else:
            self._deliver(partial(self._settle, outcome))

    def _settle(self, outcome: T | BaseException) -> None:
        try:
            if isinstance(outcome, BaseException):
                self.set_exception(outcome)
            else:
                self.set_result(outcome)
        except InvalidStateError:
            pass  # the caller has given up


def spawner_here(name: str) -> Callable[[Callable[[], None]], None]:
    """What runs functions of the program beside everything else: in a thread of their own or, where gevent has the threads,
    in a greenlet of the thread that calls this. May be called from any thread."""
    if not gevent_has_threads():
        return lambda run: start_thread(run, name)
    deliver = _HubDelivery(keeps_running=False)
    spawn: Callable[[Callable[[], None]], object] = importlib.import_module("gevent").spawn
    return lambda run: deliver(partial(spawn, run))


def log_here() -> Log:
    """Where the I/O thread says things. Where gevent has the threads, logging's locks are gevent's, and a real thread may
    wait for one for ever: there a greenlet of the thread that calls this does the logging."""
    if not gevent_has_threads():
        return _log
    spawn = spawner_here("syncrelay-log")

    def log(level: int, message: str, /, *arguments: object, exc_info: Any = None) -> None:
        if exc_info is True:
            exc_info = sys.exc_info()  # of this thread
        spawn(partial(_log, level, message, *arguments, exc_info=exc_info))

    return log


class _HubDelivery:
    """Runs functions in gevent's hub of the thread that made this; any thread may call it. To be closed in its own."""

    def __init__(self, keeps_running: bool = True) -> None:
        self._lock = OwnedLock()
        self._acts: list[Callable[[], object]] = []
        self._watcher: Any = importlib.import_module("gevent").get_hub().loop.async_(ref=keeps_running)
        self._watcher.start(self._run)

    def __call__(self, act: Callable[[], object]) -> None:
        with self._lock:  # a watcher must not be used once it is closed
            if self._watcher is not None:
                self._acts.append(act)
                self._watcher.send()

    def close(self) -> None:
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()
            watcher.close()

    def _run(self) -> None:
        with self._lock:
            acts, self._acts = self._acts, []
        for act in acts:
            act()
