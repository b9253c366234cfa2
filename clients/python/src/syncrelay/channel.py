"""One channel of the relay, for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

from . import answer
from .answer import Client, Position
from .commands import Commands
from .members import checked_channel, effort

if TYPE_CHECKING:
    from .relay import Relay


class Channel(Commands):
    """What ``relay.channel(name)`` gives: the relay's methods, for the state and the events of one channel. It has no
    connection, queue or thread of its own, and shares the order of its Relay; make it as often as you like."""

    def __init__(self, relay: Relay, name: str) -> None:
        self._channel = checked_channel(name)
        self._relay = relay
        self._encoder = relay._encoder

    @property
    def name(self) -> str:
        """Empty: the default channel."""
        return self._channel

    def clients(self, *, timeout: float = 5.0) -> list[Client]:
        """Who follows this channel."""
        return answer.clients(self._ask(self._encoder.query("clients", channel=self._channel), timeout))

    @overload
    def drop(self, *, confirm: Literal[True], timeout: float = 5.0, id: str | None = None) -> Position: ...

    @overload
    def drop(self, *, confirm: bool = False, timeout: float = 5.0, id: str | None = None) -> Position | None: ...

    def drop(self, *, confirm: bool = False, timeout: float = 5.0, id: str | None = None) -> Position | None:
        """Forgets the channel's state and events; who follows it is told, and follows it no more. One that is not there
        stays so; the default channel cannot be dropped. What is sent to it later makes it anew."""
        confirm, id = effort(confirm, id)
        return self._send(self._encoder.drop(self._channel, id), confirm, timeout, id, self._channel)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._channel!r})"

    def _send(self, command: bytes, confirm: bool, timeout: float, id: str | None, channel: str) -> Position | None:
        return self._relay._send(command, confirm, timeout, id, channel)

    def _ask(self, body: bytes, timeout: float, id: str | None = None) -> bytes:
        return self._relay._ask(body, timeout, id)
