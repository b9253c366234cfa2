"""Many commands in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Mapping

from .answer import Position
from .block import AsyncBlock, Block, CommandList
from .encoding import CommandEncoder
from .members import IfVersion, Ttl, Where, checked_channel, checked_channels, effort

if TYPE_CHECKING:
    from .aio import AsyncRelay
    from .relay import Relay

MAX_COMMANDS = 1000


class BatchCommands:
    """Commands to one channel, which only go into the batch: nothing is sent, and nothing awaited, before its block ends.
    Each is checked at once. The arguments are those of the relay's methods."""

    def __init__(self, commands: CommandList, channel: str) -> None:
        self._commands = commands
        self._channel = channel

    def set(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None, if_version: IfVersion | None = None
    ) -> None:
        command = self._commands.encoder.set(key, value, notify, None, self._channel, ttl, if_version)
        self._commands.add(command, self._channel, if_version is not None)

    def merge(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None, if_version: IfVersion | None = None
    ) -> None:
        command = self._commands.encoder.merge(key, value, notify, None, self._channel, ttl, if_version)
        self._commands.add(command, self._channel, if_version is not None)

    def delete(self, key: str, *, notify: bool = True, if_version: IfVersion | None = None) -> None:
        command = self._commands.encoder.delete(key, notify, None, self._channel, if_version)
        self._commands.add(command, self._channel, if_version is not None)

    def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = True,
        ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None, from_: str | None = None,
        traceparent: str | None = None,
    ) -> None:  # fmt: skip
        self._broadcast(self._channel, type, data, set, notify, ttl, if_version, from_, traceparent)

    def _broadcast(
        self, where: Where, type: str, data: object, set: Mapping[str, object] | None, notify: bool,
        ttl: Ttl | None, if_version: Mapping[str, int] | None, from_: str | None, traceparent: str | None,
    ) -> None:  # fmt: skip
        command = self._commands.encoder.broadcast(type, data, set, notify, None, where, ttl, if_version, from_, traceparent)
        self._commands.add(command, where if isinstance(where, str) else where[0], if_version is not None)

    def _drop(self, name: str) -> None:
        self._commands.add(self._commands.encoder.drop(name), name)


class BatchChannel(BatchCommands):
    """One channel inside a batch."""

    @property
    def name(self) -> str:
        return self._channel

    def drop(self) -> None:
        self._drop(self._channel)


class CommandBatch(BatchCommands):
    """Commands to any channels that take effect in one step, all or none: no client sees some without the others.

    They are sent as one when the block ends, and not at all when it ends by an exception. An empty one sends nothing.
    Belongs to one thread or task, and is good for one block. At most 1,000 commands. With an ``if_version`` among them
    it is confirmed.
    """

    def __init__(self, encoder: CommandEncoder, confirm: bool, timeout: float, id: str | None) -> None:
        super().__init__(CommandList(encoder, "batch", MAX_COMMANDS), "")
        self._encoder = encoder
        self._confirm = confirm
        self._timeout = timeout
        self._id = id
        self.result: Position | None = None  # of a confirmed one, once its block has ended

    def channel(self, name: str) -> BatchChannel:
        return BatchChannel(self._commands, checked_channel(name))

    def broadcast(
        self, type: str, data: object = None, *, channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True,
        ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None, from_: str | None = None,
        traceparent: str | None = None,
    ) -> None:  # fmt: skip
        where: Where = self._channel if channels is None else checked_channels(channels)
        self._broadcast(where, type, data, set, notify, ttl, if_version, from_, traceparent)

    def drop(self, channel: str) -> None:
        """As ``channel(name).drop()``."""
        self._drop(checked_channel(channel))

    def __len__(self) -> int:
        """How many commands there are."""
        return len(self._commands.bodies)

    def __bool__(self) -> bool:
        return True

    def _whole(self) -> tuple[bytes, bool, float, str | None, str]:
        """What sends it."""
        confirm, id = effort(self._confirm, self._id, self._commands.condition)
        return self._encoder.batch(self._commands.bodies, id), confirm, self._timeout, id, self._commands.last_channel


class Batch(CommandBatch, Block):
    """What ``relay.batch()`` gives."""

    def __init__(self, relay: Relay, confirm: bool, timeout: float, id: str | None) -> None:
        super().__init__(relay._encoder, confirm, timeout, id)
        self._relay = relay

    def _deliver(self) -> None:
        if self._commands.bodies:
            self.result = self._relay._send(*self._whole())


class AsyncBatch(CommandBatch, AsyncBlock):
    """What the ``batch()`` of an AsyncRelay gives. Only the end of its block is awaited; its methods are no coroutines."""

    def __init__(self, relay: AsyncRelay, confirm: bool, timeout: float, id: str | None) -> None:
        super().__init__(relay._encoder, confirm, timeout, id)
        self._relay = relay

    async def _deliver(self) -> None:
        if self._commands.bodies:
            self.result = await self._relay._send(*self._whole())
