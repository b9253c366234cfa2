"""Takes the place of an in-process ``SyncManager`` that kept the WebSocket connections itself.

    from syncrelay.compat import sync_manager

Clients connect to the relay instead: the backend's own WebSocket endpoint, ``connect`` and ``disconnect`` go away.
"""

from __future__ import annotations

import logging
import re
import time
import weakref
from functools import partial
from typing import Any, Callable, Mapping, Protocol

from .devices import GRACE, DeviceRegistry
from .errors import InvalidEndpoint, SyncRelayError
from .relay import Relay
from .sender import before_exit

_PATIENCE = 0.5  # seconds for the relay's answer
_RESPITE = 5.0  # seconds before a relay that did not answer is asked again
_MISSING: Any = object()
_SETTER = re.compile(r"set_(\w+)_state")

_log = logging.getLogger("syncrelay")


class StateSetter(Protocol):
    """Stores a value under a key: the one that is given, or an object of the keywords, or the former with the latter."""

    def __call__(self, value: Any = ..., /, **members: Any) -> None: ...


class SyncManager:
    """The original's methods, none of which blocks or fails because the relay is away: the oldest commands are dropped
    when the queue is full. Unlike before, a NaN in the data raises InvalidValue here instead of breaking every client.

    What is set is stored and not told (``notify=False``): an event of its own tells about it, as it always did.
    ``set_<key>_state(value)`` is there for every key that is an identifier, ``set_state`` for the others. Keywords become
    members of the value.

    Without a ``relay`` it makes one on first use, so that importing ``sync_manager`` does nothing yet.
    """

    def __init__(
        self, relay: Relay | None = None, *, grace: float = GRACE, on_device_gone: Callable[[str], object] | None = None
    ) -> None:
        self._slot: dict[str, Relay] = {} if relay is None else {"relay": relay}
        self._state: dict[str, Any] = {"comparison": None, "radio": None}
        self._ask_after = 0.0
        self._devices = DeviceRegistry(self._store_device, self._tell_gone, grace)
        self.on_device_gone = on_device_gone
        before_exit(partial(_end_grace, weakref.ref(self._devices)))

    @property
    def relay(self) -> Relay:
        """For what the original could not do: merge, delete, confirmed commands, flush, close."""
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

    def set_comparison_state(self, pair: Any, prefetched: Any = None, **members: Any) -> None:
        """``members``, such as ``session_id``, stand in the value beside ``pair`` and ``prefetched``."""
        self.set_state("comparison", {"pair": pair, "prefetched": prefetched, **members})

    def set_radio_state(self, now_playing: Any, **members: Any) -> None:
        self.set_state("radio", now_playing, **members)

    def set_state(self, key: str, value: Any = _MISSING, /, **members: Any) -> None:
        """Any key. ``members`` alone are the value; with a ``value``, which is an object then, they are added to it."""
        value = _with_members(key, value, members)
        self.relay.set(key, value, notify=False)
        self._state[key] = value

    def __getattr__(self, name: str) -> StateSetter:
        found = _SETTER.fullmatch(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no {name!r}; for any key there is set_<key>_state(value)")
        return partial(self.set_state, found[1])

    def get_current_state(self) -> dict[str, Any]:
        """What the relay has stored, by whichever worker, this one's earlier calls included.

        While the relay cannot be asked (noticed after 0.5 s, then not tried for 5 s), what this process has set. Raises
        InvalidEndpoint where nothing says whom to ask.
        """
        if time.monotonic() >= self._ask_after:
            relay = self.relay
            try:
                return {"comparison": None, "radio": None, **relay.state(timeout=_PATIENCE)}
            except InvalidEndpoint:
                raise
            except SyncRelayError:
                self._ask_after = time.monotonic() + _RESPITE
        return dict(self._state)

    async def broadcast(self, event_type: str, data: Any = None) -> None:
        """One event to every client, without any state."""
        self.relay.broadcast(event_type, data)

    async def broadcast_comparison_update(
        self, pair: Any = _MISSING, prefetched: Any = None, *, event_type: str = "comparison:updated", **members: Any
    ) -> None:
        """Stores as ``set_comparison_state`` does and tells every client, in one step; without a pair it tells once more
        what this process has set."""
        if pair is _MISSING:
            self.relay.broadcast(event_type, self.current_comparison)
            return
        value = {"pair": pair, "prefetched": prefetched, **members}
        self.relay.broadcast(event_type, value, set={"comparison": value}, notify=False)
        self._state["comparison"] = value

    @property
    def devices(self) -> dict[str, dict[str, Any]]:
        """By id: the devices that this process has registered, also those whose last tab has gone a moment ago."""
        return self._devices.known

    def register_device(self, device_id: str, **info: Any) -> None:
        """One more tab of a device, which is stored under the key ``devices``; ``info`` adds to what is known of it."""
        self._devices.register(device_id, info)

    def unregister_device(self, device_id: str) -> None:
        """One tab less. After the last one the device stays for ``grace`` seconds (30), in which a reload of the page may
        bring it back; then it is taken out of the state, and ``on_device_gone(device_id)`` is called in another thread. At the end of
        the process the grace ends at once, without that call; devices that have tabs stay in the state."""
        self._devices.unregister(device_id)

    def _store_device(self, device_id: str, info: Any) -> None:
        self.relay.merge("devices", {device_id: info}, notify=False)  # leaves alone what other workers registered
        self._state["devices"] = {**self._devices.known, device_id: info}
        if info is None:
            del self._state["devices"][device_id]

    def _tell_gone(self, device_id: str) -> None:
        if self.on_device_gone is None:
            return
        try:
            self.on_device_gone(device_id)
        except Exception:
            _log.exception("on_device_gone failed for %r", device_id)


def _end_grace(registry: weakref.ref[DeviceRegistry]) -> None:
    devices = registry()
    if devices is not None:
        try:
            devices.end_grace()
        except SyncRelayError as error:
            _log.warning("devices that have gone stay in the state: %s", error)


def _with_members(key: str, value: Any, members: Mapping[str, Any]) -> Any:
    if value is _MISSING:
        if not members:
            raise TypeError(f"set_{key}_state needs a value, or keywords that make one")
        return dict(members)
    if members and not isinstance(value, Mapping):
        raise TypeError(f"the value of {key!r} is a {type(value).__name__}, which has no members: {', '.join(members)}")
    return {**value, **members} if members else value


sync_manager = SyncManager()
