"""The ways in which a process ends, and how what is queued leaves before."""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import sys
import threading
from typing import Any, Callable

from .threads import new_signal, start_thread


class ExitHook:
    """Calls ``act`` when this process ends, whichever of Python's ways it takes. ``act`` must bear being called twice.

    It is registered with ``atexit`` when it is made, at the import of the package: handlers that are registered later run
    earlier. Nothing is called where the process is cut off: ``os._exit``, a signal that kills, also one that a server
    raises again after its shutdown, as uvicorn does.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._first: list[Callable[[], None]] = []
        self._looked_after = 0  # the process whose own ways of ending have the hook
        # Whether act was called, or will not be any more: atexit calls nothing that is registered after it has begun. That
        # is found out where threading was imported before, whose main thread is over then.
        self.under_way = not threading.main_thread().is_alive()
        atexit.register(self._run)

    def run_before(self, act: Callable[[], None]) -> None:
        """``act`` goes first, in this process and in its forked children."""
        self._first.append(act)

    def look_after_this_process(self) -> None:
        """For the ways that are not inherited: to be called once there is something to send; again is no harm."""
        if self._looked_after == os.getpid():
            return
        self._looked_after = os.getpid()
        if "multiprocessing.util" in sys.modules:  # its forked children leave without atexit, but run finalizers
            from multiprocessing import parent_process, util

            if parent_process() is not None:
                util.Finalize(None, self._run, exitpriority=0)
        billiard = sys.modules.get("billiard.process")  # Celery's fork of it
        if billiard is not None and billiard.current_process()._parent_pid is not None:
            importlib.import_module("billiard.util").Finalize(None, self._run, exitpriority=0)
        if "celery.signals" in sys.modules:  # the children of its pool leave without finalizers, too
            sys.modules["celery.signals"].worker_process_shutdown.connect(self._on_celery_exit, weak=False)

    def reset_in_child(self) -> None:
        self.under_way = False

    def _run(self) -> None:
        for act in list(self._first):
            act()
        self.under_way = True
        self._act()

    def _on_celery_exit(self, **_: Any) -> None:
        self._run()


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
    done = new_signal()

    def run() -> None:
        try:
            act()
        finally:
            done.release()

    start_thread(run, "syncrelay-sigterm")
    done.acquire(timeout=limit)
