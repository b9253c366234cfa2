"""One channel of the relay, for coroutines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

from . import answer
from .answer import Client, Position
from .async_commands import AsyncCommands
from .members import checked_channel, effort

if TYPE_CHECKING:
    from .aio import AsyncRelay


class AsyncChannel(AsyncCommands):
    """``Channel`` with coroutines: what ``channel(name)`` of an AsyncRelay gives."""

    def __init__(self, relay: AsyncRelay, name: str) -> None:
        self._channel = checked_channel(name)
        self._relay = relay
        self._encoder = relay._encoder

    @property
    def name(self) -> str:
        """Empty: the default channel."""
        return self._channel

    async def clients(self, *, timeout: float = 5.0) -> list[Client]:
        return answer.clients(await self._ask(self._encoder.query("clients", channel=self._channel), timeout))

    @overload
    async def drop(self, *, confirm: Literal[True], timeout: float = 5.0, id: str | None = None) -> Position: ...

    @overload
    async def drop(self, *, confirm: bool = False, timeout: float = 5.0, id: str | None = None) -> Position | None: ...

    async def drop(self, *, confirm: bool = False, timeout: float = 5.0, id: str | None = None) -> Position | None:
        confirm, id = effort(confirm, id)
        return await self._send(self._encoder.drop(self._channel, id), confirm, timeout, id, self._channel)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._channel!r})"

    async def _send(self, command: bytes, confirm: bool, timeout: float, id: str | None, channel: str) -> Position | None:
        return await self._relay._send(command, confirm, timeout, id, channel)

    async def _ask(self, body: bytes, timeout: float, id: str | None = None) -> bytes:
        return await self._relay._ask(body, timeout, id)
