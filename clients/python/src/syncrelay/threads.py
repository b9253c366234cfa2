"""Threads and locks of the operating system, also in programs in which gevent has put greenlets in their place.

The I/O thread waits inside ZeroMQ, where no greenlet may wait: all others would stand still. So it is a real thread, what
it shares with callers is guarded by real locks (never held while anything waits), and what it has for a caller is handed
over by the hub of the caller's thread. Without gevent all of this is what ``threading`` and ``concurrent.futures`` have.
"""

from __future__ import annotations

import importlib
import sys
import threading
from concurrent.futures import Future, InvalidStateError
from functools import partial
from typing import Any, Callable, ContextManager, TypeVar

from .errors import UnsupportedThreads

T = TypeVar("T")


def new_lock() -> ContextManager[Any]:
    """Not reentrant."""
    lock: ContextManager[Any] = _original("allocate_lock")() if gevent_has_threads() else threading.Lock()
    return lock


def start_thread(run: Callable[[], None], name: str) -> None:
    """A daemon: an exiting interpreter joins all other threads before it runs its exit hooks. Raises RuntimeError or
    UnsupportedThreads."""
    _refuse_eventlet()
    if gevent_has_threads():
        _original("start_new_thread")(run, ())
    else:
        threading.Thread(target=run, name=name, daemon=True).start()


def spawner_here(name: str) -> Callable[[Callable[[], None]], None]:
    """What runs functions of the program beside everything else: in a thread of their own or, where gevent has the threads,
    in a greenlet of the thread that calls this. May be called from any thread."""
    if not gevent_has_threads():
        return lambda run: start_thread(run, name)
    deliver = _HubDelivery(keeps_running=False)
    spawn: Callable[[Callable[[], None]], object] = importlib.import_module("gevent").spawn
    return lambda run: deliver(partial(spawn, run))


def gevent_has_threads() -> bool:
    """Whether ``gevent.monkey`` has patched ``threading``. Imports nothing."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


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


class _HubDelivery:
    """Runs functions in gevent's hub of the thread that made this; any thread may call it. To be closed in its own."""

    def __init__(self, keeps_running: bool = True) -> None:
        self._lock = new_lock()
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


def _original(name: str) -> Any:
    return sys.modules["gevent.monkey"].get_original("_thread", name)


def _refuse_eventlet() -> None:
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        raise UnsupportedThreads(
            "eventlet has replaced the threads of this process, and the client needs a real one: call "
            "eventlet.monkey_patch(thread=False), or run the server with threads or gevent (gunicorn -k gthread or -k gevent)"
        )
