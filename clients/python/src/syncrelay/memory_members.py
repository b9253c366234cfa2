"""The relay's rules for who is there, in memory."""

from __future__ import annotations

from typing import Any


class MemoryMembers:
    """Of one channel. Members and wills are replaced, never changed, so that a copy is shallow."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}  # by identity, in the order of arrival: info, since
        self._wills: dict[str, list[dict[str, Any]]] = {}

    def copy(self) -> MemoryMembers:
        copy = MemoryMembers()
        copy.known, copy._wills = dict(self.known), dict(self._wills)
        return copy

    def join(self, id: str, info: dict[str, Any], now: float) -> dict[str, Any] | None:
        """Returns the event that it makes."""
        there = self.known.get(id)
        if there is not None and there["info"] == info:
            return None
        self.known[id] = {"info": info, "since": now if there is None else there["since"]}
        return {"type": "sync:joined" if there is None else "sync:changed", "data": {"id": id, **self.known[id]}}

    def leave(self, id: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """The event, and the commands of the member's will. None: it was not there."""
        if self.known.pop(id, None) is None:
            return None
        return {"type": "sync:left", "data": {"id": id}}, self._wills.pop(id, [])

    def will(self, id: str, commands: list[dict[str, Any]]) -> bool:
        """False: no such member."""
        if id not in self.known:
            return False
        self._wills[id] = commands
        return True
