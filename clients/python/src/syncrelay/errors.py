"""Everything this package raises on its own account."""

from __future__ import annotations


class SyncRelayError(Exception):
    """Base of all errors of this package."""


class InvalidEndpoint(SyncRelayError, ValueError):
    """The relay's address is unusable; nothing was connected."""


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
    """The queue is full, because the relay is away or slower than this process; the command was not queued."""


class FlushTimeout(RelayUnavailable, TimeoutError):
    """``flush`` ran out of time; the commands stay queued and are still sent when the relay is back."""


class RelayClosed(SyncRelayError):
    """The client was used after ``close`` (or after the interpreter began to exit)."""
