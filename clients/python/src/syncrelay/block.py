"""Commands that go together when a ``with`` block ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

from .encoding import CommandEncoder
from .errors import CommandTooLarge, InvalidValue

B = TypeVar("B", bound="Block")
A = TypeVar("A", bound="AsyncBlock")


class CommandList:
    """The commands of one block, encoded; ``what`` is what it is called, ``most`` how many it may have. Takes some only
    while the block is open."""

    def __init__(self, encoder: CommandEncoder, what: str, most: int) -> None:
        self.encoder = encoder.for_batches()
        self._what = what
        self._most = most
        self.bodies: list[bytes] = []
        self.condition: bool | None = None  # True: an answer may be a conflict
        self.last_channel = ""
        self._bytes = 0
        self._open = False
        self._used = False

    def begin(self) -> None:
        if self._used:
            raise RuntimeError(f"this {self._what} is used already; relay.{self._what}() makes another one")
        self._open = self._used = True

    def end(self) -> None:
        self._open = False

    def add(self, command: bytes, channel: str, condition: bool = False) -> None:
        if not self._open:
            raise RuntimeError(f"a {self._what} takes commands inside its with block only")
        if len(self.bodies) == self._most:
            full = f"has {self._most:,} commands already, as many as it may have: begin another one"
            raise InvalidValue(self._what, full)
        self._bytes += len(command) + 1
        if self._bytes > self.encoder.max_command:
            raise CommandTooLarge(self._what, f"has over {self.encoder.max_command} bytes, the limit of one command")
        self.bodies.append(command)
        self.condition = condition or self.condition or None
        self.last_channel = channel


class Block(ABC):
    """Delivers what it was given when it ends, and nothing when it ends by an exception. Good for once, in one thread."""

    _commands: CommandList

    def __enter__(self: B) -> B:
        self._commands.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._commands.end()
        if kind is None:
            self._deliver()

    @abstractmethod
    def _deliver(self) -> None: ...


class AsyncBlock(ABC):
    """``Block`` whose end is awaited, and nothing else: what it is given is so by methods that are no coroutines."""

    _commands: CommandList

    async def __aenter__(self: A) -> A:
        self._commands.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._commands.end()
        if kind is None:
            await self._deliver()

    @abstractmethod
    async def _deliver(self) -> None: ...
