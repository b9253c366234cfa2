"""Has messages handled by a thread of its own, or by the one that asks."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

from .service import Service
from .threads import gevent_has_threads, refuse_eventlet

_log = logging.getLogger("syncrelay")


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
        self._thread.start()

    def stop(self, timeout: float) -> None:
        if not self.running or self._thread is None or self._service is None:
            return
        self._service.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)


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
