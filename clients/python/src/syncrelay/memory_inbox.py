"""The relay's rules for what clients say, in memory."""

from __future__ import annotations

from typing import Any, Mapping

from .members import checked_connection, checked_identity, checked_message_type


class MemoryInbox:
    """Oldest first. What one client said is handed out in order: the next when the one before is done, or together with
    it."""

    def __init__(self, last: int = 0) -> None:
        """``last``: the number before the first."""
        self.last = last
        self._waiting: dict[int, dict[str, Any]] = {}
        self._held: dict[int, dict[str, Any]] = {}

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that are not done."""
        return [event for _, event in sorted({**self._waiting, **self._held}.items())]

    def add(self, event: dict[str, Any]) -> None:
        self.last += 1
        self._waiting[self.last] = {"n": self.last, "event": "message", **event, "attempt": 0}

    def take(self, most: int) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        busy = {_sender(event) for event in self._held.values()}
        for number, event in sorted(self._waiting.items()):
            if len(taken) < most and _sender(event) not in busy:
                event["attempt"] += 1
                self._held[number] = self._waiting.pop(number)
                taken.append(dict(event))
        return taken

    def done(self, numbers: list[int]) -> None:
        for number in numbers:
            self._held.pop(number, None)

    def release(self, numbers: list[int], untried: bool) -> None:
        """``untried``: it was no attempt."""
        for number in numbers:
            if number in self._held:
                self._waiting[number] = event = self._held.pop(number)
                event["attempt"] -= untried


def _sender(event: dict[str, Any]) -> object:
    return event.get("id", event["connection"])


def said(
    type: str, data: object, id: str | None, connection: int, channel: str, members: Mapping[str, object]
) -> dict[str, Any]:
    """What the inbox keeps of a client's message."""
    if id is not None:
        checked_identity(id)
    body: dict[str, object] = {"type": checked_message_type(type), **({} if data is None else {"data": data}), **members}
    if channel:
        body["channel"] = channel
    identity = {} if id is None else {"id": id}
    return {"connection": checked_connection(connection), **identity, "channel": channel, "data": body}
