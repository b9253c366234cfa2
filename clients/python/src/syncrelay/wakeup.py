"""Wakes the I/O thread out of its poll."""

from __future__ import annotations

import math
import os
import posix  # what os has, unless eventlet has patched it: then os.read waits

import zmq

from .threads import OwnedLock


class Wakeup:
    """A pipe to itself. ``set`` is thread-safe and a no-op once closed; the rest is for the I/O thread."""

    def __init__(self) -> None:
        self.fd, self._writer = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._writer, False)
        self._lock = OwnedLock()
        self._open = True

    def set(self) -> None:
        with self._lock:  # otherwise a late write could hit a file that got the number of the closed pipe
            if self._open:
                try:
                    posix.write(self._writer, b"\0")
                except BlockingIOError:
                    pass  # already set many times over

    def clear(self) -> None:
        try:
            while len(posix.read(self.fd, 1024)) == 1024:
                pass
        except BlockingIOError:
            pass

    def wait(self, seconds: float) -> None:
        poller = zmq.Poller()
        poller.register(self.fd, zmq.POLLIN)
        poller.poll(math.ceil(seconds * 1000))
        self.clear()

    def close(self) -> None:
        with self._lock:
            self.close_in_child()

    def close_in_child(self) -> None:
        """Without the lock, which another thread may have held during the fork."""
        if self._open:
            self._open = False
            os.close(self.fd)
            os.close(self._writer)
