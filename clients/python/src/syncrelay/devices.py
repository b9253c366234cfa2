"""Who is there, for ``syncrelay.compat``: devices that the backend registers, each perhaps several times."""

from __future__ import annotations

import threading
from typing import Any, Callable, Mapping

GRACE = 30.0  # seconds that a device stays after its last tab has gone


class DeviceRegistry:
    """Thread-safe. Several tabs share the id of one device; it is gone ``grace`` seconds after the last of them.

    ``store`` is called with a device's id and what is known of it, None once it is gone; ``gone`` with the id after that,
    in a thread of its own.
    """

    def __init__(self, store: Callable[[str, Any], None], gone: Callable[[str], None], grace: float = GRACE) -> None:
        self.grace = grace
        self._store = store
        self._gone = gone
        self._lock = threading.RLock()  # held while storing, so that the order is that of the calls
        self._known: dict[str, dict[str, Any]] = {}
        self._tabs: dict[str, int] = {}
        self._timers: dict[str, threading.Timer] = {}

    @property
    def known(self) -> dict[str, dict[str, Any]]:
        with self._lock:
            return {device: dict(info) for device, info in self._known.items()}

    def register(self, device: str, info: Mapping[str, Any]) -> None:
        """One more tab; ``info`` adds to what is known of the device."""
        with self._lock:
            known = {**self._known.get(device, {}), **info}
            self._store(device, known)
            self._known[device] = known
            self._tabs[device] = self._tabs.get(device, 0) + 1
            self._stop_timer(device)

    def unregister(self, device: str) -> None:
        """One tab less. A device that is not registered is no error."""
        with self._lock:
            if self._tabs.get(device, 0) == 0:
                return
            self._tabs[device] -= 1
            if self._tabs[device] == 0:
                self._start_timer(device)

    def end_grace(self) -> None:
        """At the end of the process, which no timer outlives: those whose last tab has gone are gone, without ``gone``."""
        with self._lock:
            for device in [device for device, timer in self._timers.items() if timer.is_alive()]:  # not the parent's
                self._stop_timer(device)
                del self._known[device], self._tabs[device]
                self._store(device, None)

    def _start_timer(self, device: str) -> None:
        timer = threading.Timer(self.grace, lambda: self._expire(device, timer))
        timer.daemon = True
        self._timers[device] = timer
        timer.start()

    def _stop_timer(self, device: str) -> None:
        timer = self._timers.pop(device, None)
        if timer is not None:
            timer.cancel()

    def _expire(self, device: str, timer: threading.Timer) -> None:
        with self._lock:
            if self._timers.get(device) is not timer:
                return  # it came back
            del self._timers[device], self._known[device], self._tabs[device]
            self._store(device, None)
        self._gone(device)
