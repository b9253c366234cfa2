"""Push state and events from a Python backend to every browser, through the syncrelay sidecar.

``Relay`` is for threads, ``AsyncRelay`` for coroutines; both only queue commands, unless asked to confirm them.
``syncrelay.testing`` has a ``FakeRelay`` for your own tests. ``syncrelay.compat`` keeps the method names of an
in-process ``SyncManager``.
"""

from .aio import AsyncRelay
from .answer import Client, Position
from .asgi import lifespan
from .errors import (
    AnswerTimeout,
    CommandRejected,
    CommandTooLarge,
    ConfirmTimeout,
    FlushTimeout,
    InvalidEndpoint,
    InvalidValue,
    PossibleLoss,
    RelayClosed,
    RelayUnavailable,
    SyncRelayError,
    UnsupportedThreads,
)
from .relay import Relay
from .sender import close_on_sigterm

__all__ = [
    "AnswerTimeout",
    "AsyncRelay",
    "Client",
    "CommandRejected",
    "CommandTooLarge",
    "ConfirmTimeout",
    "FlushTimeout",
    "InvalidEndpoint",
    "InvalidValue",
    "Position",
    "PossibleLoss",
    "Relay",
    "RelayClosed",
    "RelayUnavailable",
    "SyncRelayError",
    "UnsupportedThreads",
    "close_on_sigterm",
    "lifespan",
]
