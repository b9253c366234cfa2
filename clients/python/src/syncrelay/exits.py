"""The ways in which a process ends, and how what is queued leaves before."""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import sys
from typing import Any, Callable

from .threads import new_lock, start_thread


class ExitHook:
    """Calls ``act`` when this process ends, whichever of Python's ways it takes. ``act`` must bear being called twice.

    Nothing is called where the process is cut off: ``os._exit``, a signal that kills, also one that a server raises again
    after its shutdown, as uvicorn does.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def set(self) -> None:
        """In the process that shall be looked after: a forked child does so again."""
        self.unset()
        atexit.register(self._act)
        if "multiprocessing.util" in sys.modules:  # its forked children leave without atexit, but run finalizers
            from multiprocessing import parent_process, util

            if parent_process() is not None:
                util.Finalize(None, self._act, exitpriority=0)
        billiard = sys.modules.get("billiard.process")  # Celery's fork of it
        if billiard is not None and billiard.current_process()._parent_pid is not None:
            importlib.import_module("billiard.util").Finalize(None, self._act, exitpriority=0)
        if "celery.signals" in sys.modules:  # the children of its pool leave without finalizers, too
            _celery_exit().connect(self._on_celery_exit, weak=False)

    def unset(self) -> None:
        atexit.unregister(self._act)
        if "celery.signals" in sys.modules:
            _celery_exit().disconnect(self._on_celery_exit)

    def _on_celery_exit(self, **_: Any) -> None:
        self._act()


def before_sigterm(act: Callable[[], None], limit: Callable[[], float]) -> None:
    """From now on SIGTERM ends this process only after ``act`` or, if that takes longer, ``limit()`` seconds.

    In the main thread. Raises RuntimeError where SIGTERM is handled or ignored already.
    """
    present = signal.getsignal(signal.SIGTERM)
    if present is not signal.SIG_DFL:
        raise RuntimeError(f"SIGTERM does not end this process at once: {present!r} has it; close the relay there")

    def on_sigterm(number: int, frame: object) -> None:
        _run_beside(act, limit())  # what was interrupted may hold the locks that act needs
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        os._exit(128 + number)  # the first process of a container, which the kernel spares

    signal.signal(signal.SIGTERM, on_sigterm)


def _run_beside(act: Callable[[], None], limit: float) -> None:
    done: Any = new_lock()
    done.acquire()

    def run() -> None:
        try:
            act()
        finally:
            done.release()

    start_thread(run, "syncrelay-sigterm")
    done.acquire(timeout=limit)


def _celery_exit() -> Any:
    return sys.modules["celery.signals"].worker_process_shutdown
