"""Push state and events from a Python backend to every browser, through the syncrelay sidecar.

``Relay`` is for threads, ``AsyncRelay`` for coroutines; both only queue commands, unless asked to confirm them.
``channel(name)`` of either has the same methods for a channel of that name.
``syncrelay.testing`` has a ``FakeRelay`` for your own tests. ``syncrelay.compat`` keeps the method names of an
in-process ``SyncManager``.
"""

from .aio import AsyncRelay
from .answer import ChannelInfo, Client, Position
from .asgi import lifespan
from .async_channel import AsyncChannel
from .batch import AsyncBatch, Batch
from .channel import Channel
from .errors import (
    AnswerTimeout,
    CommandRejected,
    CommandTooLarge,
    ConfirmTimeout,
    Conflict,
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
from .versioned import Versioned

__all__ = [
    "AnswerTimeout",
    "AsyncBatch",
    "AsyncChannel",
    "AsyncRelay",
    "Batch",
    "Channel",
    "ChannelInfo",
    "Client",
    "CommandRejected",
    "CommandTooLarge",
    "ConfirmTimeout",
    "Conflict",
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
    "Versioned",
    "close_on_sigterm",
    "lifespan",
]
