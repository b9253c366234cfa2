"""Threads and locks of the operating system, also in programs in which gevent has put greenlets in their place.

The I/O thread waits inside ZeroMQ, where no greenlet may wait: all others would stand still. So it is a real thread, what
it shares with callers is guarded by real locks, which nobody holds while waiting, and what it has for them goes through
handover.py. Without gevent all of this is what ``threading`` has.
"""

from __future__ import annotations

import _socket
import _thread
import math
import sys
import threading
from typing import Any, Callable

from .errors import UnsupportedThreads


class OwnedLock:
    """A context manager that its holder can enter again, and ask whether it holds it.

    Every lock of the client is one. While it is held Python code runs, hence the collector may, hence any finalizer of the
    program, and that may call the client: in the same thread, which must not wait for itself.
    """

    def __init__(self) -> None:
        self._lock: Any = _original("RLock")()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def is_mine(self) -> bool:
        """Whether this thread holds it."""
        mine: bool = self._lock._is_owned()
        return mine


def new_signal() -> Any:
    """A plain lock, already taken: whoever acquires it waits until another thread has released it."""
    signal = _original("allocate_lock")()
    signal.acquire()
    return signal


def start_thread(run: Callable[[], None], name: str) -> None:
    """A daemon: an exiting interpreter joins all other threads before it runs its exit hooks. Raises RuntimeError or
    UnsupportedThreads.

    Not a ``threading.Thread``: at its end that removes itself from a table by a number which gevent, should it come in
    the meantime, has replaced.
    """
    refuse_eventlet()

    def named() -> None:
        if not gevent_has_threads():
            threading.current_thread().name = name
        try:
            run()
        finally:
            _known_threads.pop(this_thread(), None)  # which nobody does for a thread that is not threading's

    _original("start_new_thread")(named, ())


def gevent_has_threads() -> bool:
    """Whether ``gevent.monkey`` has patched ``threading``. Imports nothing."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def this_thread() -> int:
    """Its number, also where gevent's greenlets have numbers of their own."""
    number: int = _original("get_ident")()
    return number


def real_socket(family: int) -> Any:
    """One of the operating system's, where gevent has put its own in the place of ``socket.socket``."""
    return _socket.socket(family, _socket.SOCK_STREAM)


def seconds_to_wait(timeout: float) -> float:
    """Infinity is more than locks and sockets bear: a few years instead. Raises ValueError for NaN."""
    if math.isnan(timeout):
        raise ValueError("timeout is NaN; give seconds")
    return min(timeout, 1e8)


_known_threads: dict[int, threading.Thread] = getattr(threading, "_active", {})


def _original(name: str) -> Any:
    if gevent_has_threads():
        return sys.modules["gevent.monkey"].get_original("_thread", name)
    return getattr(_thread, name)


def refuse_eventlet() -> None:
    """To be called before anybody waits, too: eventlet may have come after the I/O thread was started. Raises
    UnsupportedThreads."""
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        raise UnsupportedThreads(
            "eventlet has replaced the threads of this process, and the client needs a real one: call "
            "eventlet.monkey_patch(thread=False), or run the server with threads or gevent (gunicorn -k gthread or -k gevent)"
        )
