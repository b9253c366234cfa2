"""The relay's rules for who came and went, in memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Collection, Optional

_MOST = 10_000  # that wait


@dataclass
class _Connection:
    since: float  # by the relay's clock
    id: Optional[str] = None


class MemoryNotices:
    """Keeps those of all kinds, whether anybody asks for them or not: what a test plays it plays before that, too. Knows
    connections by what it is told of them. ``now`` is in seconds since 1970."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection] = {}
        self._waiting: deque[dict[str, Any]] = deque()
        self._dropped = 0
        self._out = 0  # handed out and not handled

    def restart(self) -> None:
        """Who is connected will be connected anew."""
        self._connections.clear()
        self._waiting.clear()
        self._dropped = 0

    def seen(self, connection: int, now: float, id: str | None = None, address: str = "127.0.0.1") -> None:
        """It is there, from now on if it was not before."""
        if connection not in self._connections:
            self._connections[connection] = _Connection(now)
            self._add("connected", now, connection=connection, address=address)
        if id is not None:
            self._connections[connection].id = id

    def gone(self, connection: int, now: float, code: int) -> bool:
        """False: it was not there."""
        known = self._connections.pop(connection, None)
        if known is None:
            return False
        identity = {} if known.id is None else {"id": known.id}
        duration = round(now - known.since, 3)
        self._add("disconnected", now, connection=connection, **identity, code=code, duration=duration)
        return True

    def of_identity(self, id: str) -> list[int]:
        """The numbers of its connections."""
        return [number for number, known in self._connections.items() if known.id == id]

    def joined(self, channel: str, now: float, id: str, info: dict[str, Any]) -> None:
        self._add("joined", now, channel=channel, id=id, info=info)

    def left(self, channel: str, now: float, id: str) -> None:
        self._add("left", now, channel=channel, id=id)

    def take(self, kinds: Collection[str], most: int) -> tuple[list[dict[str, Any]], int]:
        """And how many were dropped before them."""
        taken = [each for each in self._waiting if each["event"] in kinds][:most]
        for each in taken:
            self._waiting.remove(each)
        dropped, self._dropped = self._dropped, 0
        self._out += len(taken)
        return taken, dropped

    def handled(self) -> None:
        self._out -= 1

    def are_handled(self, kinds: Collection[str]) -> bool:
        """Whether none of these kinds waits, or is out."""
        return self._out == 0 and not any(each["event"] in kinds for each in self._waiting)

    def _add(self, kind: str, now: float, **members: Any) -> None:
        if len(self._waiting) == _MOST:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append({"event": kind, **members, "ts": now})
