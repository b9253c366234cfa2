"""Push state and events from a Python backend to every browser, through the syncrelay sidecar.

``Relay`` is for threads, ``AsyncRelay`` for coroutines; both only queue, so neither ever blocks on the relay.
``syncrelay.compat`` keeps the method names of an in-process ``SyncManager``.
"""

from .aio import AsyncRelay
from .errors import (
    CommandTooLarge,
    FlushTimeout,
    InvalidEndpoint,
    InvalidValue,
    RelayClosed,
    RelayUnavailable,
    SyncRelayError,
)
from .relay import Relay

__all__ = [
    "AsyncRelay",
    "CommandTooLarge",
    "FlushTimeout",
    "InvalidEndpoint",
    "InvalidValue",
    "Relay",
    "RelayClosed",
    "RelayUnavailable",
    "SyncRelayError",
]
