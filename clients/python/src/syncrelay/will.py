"""What the relay does for a member that has left."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from . import answer
from .batch import BatchChannel, BatchCommands, CommandList
from .members import checked_channel, checked_identity

if TYPE_CHECKING:
    from .async_commands import AsyncCommands
    from .commands import Commands

MAX_COMMANDS = 16


class WillCommands(BatchCommands):
    """Commands to any channels, which take effect in one step when the member has left; those without a ``channel(name)``
    are for the member's own channel. At most 16. Given to the relay when the block ends, in the place of the will before;
    one without commands only takes that away. Not given when the block ends by an exception."""

    def __init__(self, commands: Commands | AsyncCommands, id: str, timeout: float) -> None:
        super().__init__(CommandList(commands._encoder, "will", MAX_COMMANDS), commands._channel)
        self._id = checked_identity(id)
        self._timeout = timeout
        self._encoder = commands._encoder

    def channel(self, name: str) -> BatchChannel:
        return BatchChannel(self._commands, checked_channel(name))

    def drop(self, channel: str) -> None:
        """As ``channel(name).drop()``."""
        self._drop(checked_channel(channel))

    def _body(self) -> bytes:
        return self._encoder.will(self._channel, self._id, self._commands.bodies)


class Will(WillCommands):
    """What ``will(id)`` gives. The end of its block raises NoSuchMember or AnswerTimeout."""

    def __init__(self, commands: Commands, id: str, timeout: float) -> None:
        super().__init__(commands, id, timeout)
        self._of = commands

    def __enter__(self) -> Will:
        self._commands.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._commands.end()
        if kind is None:
            answer.accepted(self._of._ask(self._body(), self._timeout))


class AsyncWill(WillCommands):
    """What ``will(id)`` of an AsyncRelay or its channels gives. Only the end of its block is awaited."""

    def __init__(self, commands: AsyncCommands, id: str, timeout: float) -> None:
        super().__init__(commands, id, timeout)
        self._of = commands

    async def __aenter__(self) -> AsyncWill:
        self._commands.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._commands.end()
        if kind is None:
            answer.accepted(await self._of._ask(self._body(), self._timeout))
