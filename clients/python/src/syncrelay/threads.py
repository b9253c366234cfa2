"""Threads and locks of the operating system, also in programs in which gevent has put greenlets in their place.

The I/O thread waits inside ZeroMQ, where no greenlet may wait: all others would stand still. So it is a real thread, what
it shares with callers is guarded by real locks, which nobody holds while waiting, and what it has for them goes through
handover.py. Without gevent all of this is what ``threading`` has.
"""

from __future__ import annotations

import sys
import threading
from typing import Any, Callable, ContextManager

from .errors import UnsupportedThreads

def new_lock() -> ContextManager[Any]:
    """Not reentrant."""
    lock: ContextManager[Any] = _original("allocate_lock")() if gevent_has_threads() else threading.Lock()
    return lock


def start_thread(run: Callable[[], None], name: str) -> None:
    """A daemon: an exiting interpreter joins all other threads before it runs its exit hooks. Raises RuntimeError or
    UnsupportedThreads."""
    refuse_eventlet()
    if gevent_has_threads():
        _original("start_new_thread")(run, ())
    else:
        threading.Thread(target=run, name=name, daemon=True).start()


def gevent_has_threads() -> bool:
    """Whether ``gevent.monkey`` has patched ``threading``. Imports nothing."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def _original(name: str) -> Any:
    return sys.modules["gevent.monkey"].get_original("_thread", name)


def refuse_eventlet() -> None:
    """To be called before anybody waits, too: eventlet may have come after the I/O thread was started. Raises
    UnsupportedThreads."""
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        raise UnsupportedThreads(
            "eventlet has replaced the threads of this process, and the client needs a real one: call "
            "eventlet.monkey_patch(thread=False), or run the server with threads or gevent (gunicorn -k gthread or -k gevent)"
        )
