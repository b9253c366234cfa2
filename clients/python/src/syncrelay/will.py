"""What the relay does for a member that has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import answer
from .batch import BatchChannel, BatchCommands
from .block import AsyncBlock, Block, CommandList
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

    def _question(self) -> tuple[bytes, float]:
        return self._encoder.will(self._channel, self._id, self._commands.bodies), self._timeout


class Will(WillCommands, Block):
    """What ``will(id)`` gives. The end of its block waits for the relay's answer, for ``timeout`` seconds, in the thread
    that ends it, and raises NoSuchMember, CommandRejected, as when there is no room for it (``state_full``), or
    AnswerTimeout: then it may be in force or not, and to give it again does no harm."""

    def __init__(self, commands: Commands, id: str, timeout: float) -> None:
        super().__init__(commands, id, timeout)
        self._of = commands

    def _deliver(self) -> None:
        answer.accepted(self._of._ask(*self._question()))


class AsyncWill(WillCommands, AsyncBlock):
    """What ``will(id)`` of an AsyncRelay or its channels gives. Only the end of its block is awaited."""

    def __init__(self, commands: AsyncCommands, id: str, timeout: float) -> None:
        super().__init__(commands, id, timeout)
        self._of = commands

    async def _deliver(self) -> None:
        answer.accepted(await self._of._ask(*self._question()))
