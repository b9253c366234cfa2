"""Has messages handled by a thread of its own, or by the one that asks."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

from .receiving import WAIT
from .sender import before_end
from .service import Service
from .threads import gevent_has_threads, refuse_eventlet

_log = logging.getLogger("syncrelay")


_running: dict[threading.Thread, Service] = {}  # in this process


class Background:
    """One service at a time, in this process: a forked child has none until it starts its own."""

    def __init__(self) -> None:
        self._process = 0
        self._service: Service | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._process == os.getpid() and self._thread is not None and self._thread.is_alive()

    def start(self, service: Service) -> None:
        refuse_eventlet()
        self._process, self._service = os.getpid(), service
        self._thread = threading.Thread(target=_run_beside, args=(service,), name="syncrelay-handlers", daemon=True)
        _running[self._thread] = service
        self._thread.start()

    def stop(self, timeout: float | None) -> None:
        """Waits until it has ended, or so many seconds; None: as long as that takes."""
        if not self.running or self._thread is None or self._service is None:
            return
        self._service.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(_limit(self._service) if timeout is None else timeout)


def run_here(service: Service) -> None:
    """In the main thread SIGTERM and SIGINT stop it, unless the program handles them itself; after SIGINT it raises
    KeyboardInterrupt."""
    numbers = []
    if threading.current_thread() is threading.main_thread() and not gevent_has_threads():
        theirs = (signal.SIG_DFL, signal.default_int_handler)
        numbers = [number for number in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(number) in theirs]
    caught: list[int] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(service.run())

        def on_signal(number: int) -> None:
            if caught:
                task.cancel()
            caught.append(number)
            service.stop()

        for number in numbers:
            loop.add_signal_handler(number, on_signal, number)
        try:
            await task
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        if not caught:
            raise
    if signal.SIGINT in caught:
        raise KeyboardInterrupt


def _run_beside(service: Service) -> None:
    try:
        asyncio.run(service.run())
    except Exception:
        _log.exception("no more messages are handled")
    finally:
        _running.pop(threading.current_thread(), None)


def _limit(service: Service) -> float:
    """Seconds that it takes to end at most: what was asked for last has to come, and handlers have their grace."""
    return max(service.grace, 2.0 * WAIT) + 1.0


def _stop_all() -> None:
    """At the end of the process: all at once, and not those of a parent."""
    running = list(_running.items())
    for _, service in running:
        service.stop()
    for thread, service in running:
        thread.join(_limit(service))


def _longest() -> float:
    return max(map(_limit, list(_running.values())), default=0.0)


before_end(_stop_all, _longest)
os.register_at_fork(after_in_child=_running.clear)
