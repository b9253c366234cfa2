"""The relay's rules for the state and the events of one channel, in memory."""

from __future__ import annotations

from typing import Any, Callable, Iterable, NamedTuple, Optional

from .memory_members import MemoryMembers
from .merge_patch import merge_patch


class Entry(NamedTuple):
    value: Any
    version: int
    ends: Optional[float] = None  # by the relay's clock
    told: bool = True  # whether its end is


class MemoryChannel:
    """Values and entries are replaced, never changed, so that a copy is shallow. What the relay's log has of it since it
    was made is behind ``first``."""

    def __init__(self, name: str, seq: int, configured: Iterable[str], next_version: Callable[[], int]) -> None:
        self.name = name
        self.first = self.seq = seq
        self.entries: dict[str, Entry] = {key: Entry(None, 0) for key in sorted(configured)}
        self._configured = frozenset(self.entries)
        self._next_version = next_version
        self.members = MemoryMembers()

    def copy(self) -> MemoryChannel:
        copy = MemoryChannel(self.name, self.first, (), self._next_version)
        copy.seq, copy.entries, copy._configured = self.seq, dict(self.entries), self._configured
        copy.members = self.members.copy()
        return copy

    @property
    def state(self) -> dict[str, Any]:
        return {key: entry.value for key, entry in self.entries.items()}

    @property
    def is_empty(self) -> bool:
        return not self.entries and not self.members.known and self.seq == self.first

    def version(self, key: str) -> int:
        return self.entries[key].version if key in self.entries else 0

    def versions(self, keys: Iterable[str]) -> dict[str, int]:
        return {key: self.version(key) for key in keys}

    def conflicts(self, conditions: dict[str, int]) -> dict[str, dict[str, Any]]:
        """What the answer says of the keys that have another version."""
        current: dict[str, dict[str, Any]] = {}
        for key, version in conditions.items():
            if self.version(key) != version:
                entry = self.entries.get(key)
                current[key] = {"version": 0} if entry is None else {"version": entry.version, "value": entry.value}
        return current

    def apply(self, command: dict[str, Any], now: float) -> dict[str, Any] | None:
        """Returns the event that it makes, if any, numbered."""
        op, notify = command["op"], command.get("notify", True)
        if op == "broadcast":
            changes = command.get("set", {})
            event = {"type": command["type"], "data": command.get("data")}
            if changes and notify:
                event["set"] = changes
            if "from" in command:
                event["from"] = command["from"]
        elif op == "delete":
            return self._delete(command["key"], notify)
        else:
            changes = {command["key"]: command["value"]}
            event = {"type": f"sync:{op}", "data": changes}
        for key, value in changes.items():
            if op == "merge":
                value = merge_patch(self.state.get(key), value)
            ends = now + command["ttl"] if "ttl" in command else None
            self.entries[key] = Entry(value, self._next_version(), ends, notify)
        return self.numbered(event) if notify or op == "broadcast" else None

    def next_end(self) -> float | None:
        return min((entry.ends for entry in self.entries.values() if entry.ends is not None), default=None)

    def expire(self, end: float) -> list[dict[str, Any]]:
        """Those whose time ends then, each as by a delete; returns the events."""
        over = [(key, entry.told) for key, entry in self.entries.items() if entry.ends == end]
        events = [self._delete(key, told) for key, told in over]
        return [event for event in events if event is not None]

    def _delete(self, key: str, notify: bool) -> dict[str, Any] | None:
        if key in self._configured:
            self.entries[key] = Entry(None, self._next_version())
            event: dict[str, Any] = {"type": "sync:set", "data": {key: None}}
        else:
            if self.entries.pop(key, None) is not None:
                self._next_version()
            event = {"type": "sync:delete", "data": [key]}
        return self.numbered(event) if notify else None

    def numbered(self, event: dict[str, Any]) -> dict[str, Any]:
        self.seq += 1
        kind = {"type": event.pop("type")}
        return {**kind, **({"channel": self.name} if self.name else {}), **event, "seq": self.seq}
