"""Everything this package raises on its own account."""

from __future__ import annotations

from typing import Mapping

from .versioned import Versioned


class SyncRelayError(Exception):
    """Base of all errors of this package."""


class RelayNotStarted(SyncRelayError):
    """``run`` or ``syncrelay.testing.relay`` has no relay: its program is not here, or it ended at once."""


class InvalidEndpoint(SyncRelayError, ValueError):
    """The relay's address is unusable; nothing was connected."""


class InvalidKey(SyncRelayError, ValueError):
    """A file that ``Curve`` names holds no key; nothing was connected."""


class InvalidValue(SyncRelayError, ValueError):
    """The relay would refuse this command; nothing was queued.

    ``path`` names the offending value inside the call's arguments, e.g. ``data.ratings[3].score``.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


class CommandTooLarge(InvalidValue):
    """The encoded command exceeds the size limit; nothing was queued."""


class RelayUnavailable(SyncRelayError):
    """The queue is full, because the relay is away or slower than this process; the command was not queued.

    Also the base of all that says: not in time.
    """


class FlushTimeout(RelayUnavailable, TimeoutError):
    """``flush`` ran out of time; the commands stay queued and are still sent when the relay is back."""


class PossibleLoss(SyncRelayError):
    """``flush(confirm=True)`` found that a connection broke under what was pushed: some of it may be lost, and no waiting
    will tell. What is still queued is sent all the same; the next flush reports only what breaks after this one."""


class UnsupportedThreads(SyncRelayError):
    """Something has replaced the threads of this process by what the client cannot work with; nothing was queued."""


class RelayClosed(SyncRelayError):
    """The client was used after ``close`` (or after the interpreter began to exit), or closed while a call waited; the
    message then says whether its command may have taken effect."""


class AnswerTimeout(RelayUnavailable, TimeoutError):
    """The relay did not answer in time; it is away, or busy."""


class ConfirmTimeout(AnswerTimeout):
    """A confirmed command was not answered in time.

    ``sent``: False when the command never left this process: it is withdrawn and has no effect. True when it may or may
    not have taken effect, or may do so yet, but never after what the same Relay is called with later: a ``state()``
    that is answered after this tells. Call again with ``id=error.id``, and it takes effect once whichever it was.
    """

    def __init__(self, message: str, id: str, sent: bool) -> None:
        super().__init__(message)
        self.id = id
        self.sent = sent

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.id, self.sent)


class TooManyAttempts(SyncRelayError):
    """Given to ``on_dead``: the message was handed out more often than its handler's ``attempts``, and no end of the last one
    is known. Its worker was killed each time, or given no time to end, perhaps by what the message makes it do."""


class NoHandler(SyncRelayError):
    """Given to ``on_dead``: this process has no handler for messages of that type."""


class CommandRejected(SyncRelayError):
    """The relay refused a command or a query: nothing has changed, but for what ``storage_uncertain`` says. (What
    ``cluster_unavailable`` says of a command is not told: it is sent again.)

    ``code`` is one of the relay's closed list, e.g. ``state_full``, ``storage_full`` or ``busy``; ``offset`` the byte
    in the command where it went wrong; ``index`` the command of a batch that did, counted from 0; ``channel`` the one of
    a broadcast to several that did.
    """

    def __init__(
        self, code: str, message: str, offset: int = 0, index: int | None = None, channel: str | None = None
    ) -> None:
        super().__init__(code, message, offset, index, channel)
        self.code = code
        self.message = message
        self.offset = offset
        self.index = index
        self.channel = channel

    def __str__(self) -> str:
        where = f" (at byte {self.offset})" if self.offset else ""
        which = "" if self.index is None else f" (command {self.index} of the batch)"
        there = "" if self.channel is None else f" (in channel {self.channel!r})"
        return f"{self.code}: {self.message}{where}{there}{which}"


class NoSuchMember(CommandRejected):
    """That identity is no member of the channel: it has left, or was never there."""


class Conflict(CommandRejected):
    """A key did not have the version that ``if_version`` names: somebody else changed it. Nothing has changed now.

    ``current``: what the relay has instead, of those keys that did not fit. Version 0: the key is not there.
    """

    def __init__(
        self,
        code: str,
        message: str,
        offset: int = 0,
        index: int | None = None,
        channel: str | None = None,
        current: Mapping[str, Versioned] | None = None,
    ) -> None:
        super().__init__(code, message, offset, index, channel)
        self.current = dict(current or {})
