"""Takes the place of an in-process ``SyncManager`` that kept the WebSocket connections itself.

    from syncrelay.compat import sync_manager

Clients connect to the relay instead: the backend's own WebSocket endpoint, ``connect`` and ``disconnect`` go away.
"""

from __future__ import annotations

import time
from typing import Any

from .errors import SyncRelayError
from .relay import Relay


_PATIENCE = 0.5  # seconds for the relay's answer
_RESPITE = 5.0  # seconds before a relay that did not answer is asked again


class SyncManager:
    """The original's methods, none of which blocks or fails because the relay is away: the oldest commands are dropped
    when the queue is full. Unlike before, a NaN in the data raises InvalidValue here instead of breaking every client.

    Without a ``relay`` it makes one on first use, so that importing ``sync_manager`` does nothing yet.
    """

    def __init__(self, relay: Relay | None = None) -> None:
        self._slot: dict[str, Relay] = {} if relay is None else {"relay": relay}
        self._state: dict[str, Any] = {"comparison": None, "radio": None}
        self._ask_after = 0.0

    @property
    def relay(self) -> Relay:
        """For what the original could not do: merge, delete, other keys, flush, close."""
        relay = self._slot.get("relay")
        if relay is None:  # setdefault is atomic: of two threads in here, both get the same one
            relay = self._slot.setdefault("relay", Relay(when_full="drop_oldest"))
        return relay

    @property
    def current_comparison(self) -> Any:
        """What this process has set, as ``current_radio``; never asks the relay."""
        return self._state["comparison"]

    @property
    def current_radio(self) -> Any:
        return self._state["radio"]

    def set_comparison_state(self, pair: Any, prefetched: Any = None) -> None:
        self._store("comparison", {"pair": pair, "prefetched": prefetched})

    def set_radio_state(self, now_playing: Any) -> None:
        self._store("radio", now_playing)

    def get_current_state(self) -> dict[str, Any]:
        """What the relay has stored, by whichever worker, this one's earlier calls included.

        While the relay cannot be asked (noticed after 0.5 s, then not tried for 5 s), what this process has set.
        """
        if time.monotonic() >= self._ask_after:
            relay = self.relay
            try:
                return {"comparison": None, "radio": None, **relay.state(timeout=_PATIENCE)}
            except SyncRelayError:
                self._ask_after = time.monotonic() + _RESPITE
        return dict(self._state)

    async def broadcast(self, event_type: str, data: Any = None) -> None:
        self.relay.broadcast(event_type, data)

    def _store(self, key: str, value: Any) -> None:
        self.relay.set(key, value, notify=False)
        self._state[key] = value


sync_manager = SyncManager()
