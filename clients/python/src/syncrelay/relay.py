"""The client for threads."""

from __future__ import annotations

import logging
from concurrent.futures import TimeoutError as FutureTimeout
from types import TracebackType
from typing import Mapping

from .encoding import DEFAULT_MAX_COMMAND, CommandEncoder
from .endpoint import check_endpoint, default_endpoint
from .errors import FlushTimeout
from .outbox import Outbox, WhenFull
from .sender import Sender

_log = logging.getLogger("syncrelay")


class Relay:
    """Pushes commands to the relay. Thread-safe (not to be used from signal handlers); make one per process.

    Commands only enter a bounded queue, in the order of the calls; one I/O thread sends them. While the relay is away
    they wait there and arrive, in order, when it is back. What ZeroMQ had already handed to a relay that was killed
    can be lost: a push has no answer.

    ``endpoint``: the relay's ``--commands``; by default the same rule as the relay's (``default_endpoint``).
    ``when_full``: ``"raise"`` raises RelayUnavailable, ``"drop_oldest"`` makes room and says so in the log.
    ``max_command``: bytes, the relay's ``--max-command``. ``close_timeout``: seconds for close() and the process' exit.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        when_full: WhenFull = "raise",
        max_queue_commands: int = 100_000,
        max_queue_bytes: int = 64 * 1024 * 1024,
        max_command: int = DEFAULT_MAX_COMMAND,
        close_timeout: float = 2.0,
    ) -> None:
        if when_full not in ("raise", "drop_oldest"):
            raise ValueError(f"when_full is 'raise' or 'drop_oldest', not {when_full!r}")
        if max_queue_commands < 1 or max_queue_bytes < 1:
            raise ValueError("the queue's limits must be positive")
        self._encoder = CommandEncoder(min(max_command, max_queue_bytes))
        outbox = Outbox(max_queue_commands, max_queue_bytes, when_full)
        self._sender = Sender(check_endpoint(endpoint or default_endpoint()), outbox, close_timeout)

    @property
    def endpoint(self) -> str:
        return self._sender.endpoint

    @property
    def queued(self) -> int:
        """Commands that wait to be sent."""
        return self._sender.queued

    @property
    def dropped(self) -> int:
        """Commands dropped because the queue was full, in this process."""
        return self._sender.dropped

    def set(self, key: str, value: object, *, notify: bool = False) -> None:
        """Stores ``value``; clients that connect later see it. Those connected are told only with ``notify``."""
        self._sender.post(self._encoder.set(key, value, notify))

    def merge(self, key: str, value: object, *, notify: bool = False) -> None:
        """Applies a JSON merge patch (RFC 7396) to the stored value: members replace, None removes."""
        self._sender.post(self._encoder.merge(key, value, notify))

    def delete(self, key: str, *, notify: bool = False) -> None:
        """Back to null for a key that the relay is configured with, gone for any other."""
        self._sender.post(self._encoder.delete(key, notify))

    def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = False
    ) -> None:
        """Sends one event to every client. ``set`` stores state in the same step: nobody sees one without the other.

        With ``notify`` the event also carries what ``set`` changed.
        """
        self._sender.post(self._encoder.broadcast(type, data, set, notify))

    def flush(self, timeout: float = 5.0) -> None:
        """Waits until everything queued so far is handed to the relay's socket, or raises FlushTimeout."""
        done = self._sender.flush()
        try:
            done.result(timeout)
        except FutureTimeout:
            done.cancel()
            raise flush_timeout(self._sender, timeout) from None

    def close(self, timeout: float | None = None) -> None:
        """Sends what it can within ``timeout`` (default ``close_timeout``) and gives up the rest, with a log line."""
        try:
            self._sender.close(timeout).result(self._sender.close_timeout(timeout) + 1.0)
        except FutureTimeout:
            _log.error("the I/O thread did not end in time; leaving it behind")

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def flush_timeout(sender: Sender, timeout: float) -> FlushTimeout:
    queued = sender.queued
    left = f"{queued} commands are still queued" if queued else "it went away with the last ones under way"
    return FlushTimeout(f"the relay at {sender.endpoint} has not taken everything within {timeout:g} s: {left}")
