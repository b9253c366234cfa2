"""Push state and events from a Python backend to every browser, through the syncrelay sidecar.

``Relay`` is for threads, ``AsyncRelay`` for coroutines; both only queue commands, unless asked to confirm them.
``channel(name)`` of either has the same methods for a channel of that name.
``run`` starts a relay beside this process, for development. ``syncrelay.testing`` has a real ``relay`` and a
``FakeRelay`` for your own tests. ``syncrelay.compat`` keeps the method names of an
in-process ``SyncManager``.
"""

from .aio import AsyncRelay
from .answer import ChannelInfo, Client, Member, Position
from .asgi import lifespan
from .async_channel import AsyncChannel
from .batch import AsyncBatch, Batch
from .channel import Channel
from .curve import Curve
from .errors import (
    AnswerTimeout,
    CommandRejected,
    CommandTooLarge,
    ConfirmTimeout,
    Conflict,
    FlushTimeout,
    InvalidEndpoint,
    InvalidKey,
    InvalidValue,
    NoHandler,
    NoSuchMember,
    PossibleLoss,
    RelayClosed,
    RelayNotStarted,
    RelayUnavailable,
    SyncRelayError,
    TooManyAttempts,
    UnsupportedThreads,
)
from .message import Message
from .message_loop import AsyncMessages, Messages
from .notice import Notice
from .relay import Relay
from .relay_process import RelayProcess, run
from .sender import close_on_sigterm
from .versioned import Versioned
from .will import AsyncWill, Will

__all__ = [
    "AnswerTimeout",
    "AsyncBatch",
    "AsyncChannel",
    "AsyncMessages",
    "AsyncRelay",
    "AsyncWill",
    "Batch",
    "Channel",
    "ChannelInfo",
    "Client",
    "CommandRejected",
    "CommandTooLarge",
    "ConfirmTimeout",
    "Conflict",
    "Curve",
    "FlushTimeout",
    "InvalidEndpoint",
    "InvalidKey",
    "InvalidValue",
    "Member",
    "Message",
    "Messages",
    "NoHandler",
    "NoSuchMember",
    "Notice",
    "Position",
    "PossibleLoss",
    "Relay",
    "RelayClosed",
    "RelayNotStarted",
    "RelayProcess",
    "RelayUnavailable",
    "SyncRelayError",
    "TooManyAttempts",
    "UnsupportedThreads",
    "Versioned",
    "Will",
    "close_on_sigterm",
    "lifespan",
    "run",
]
