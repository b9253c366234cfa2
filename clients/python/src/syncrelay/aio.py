"""The client for coroutines."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Mapping

from .encoding import DEFAULT_MAX_COMMAND
from .outbox import WhenFull
from .relay import Relay, flush_timeout

_log = logging.getLogger("syncrelay")


class AsyncRelay:
    """``Relay`` with coroutines; see there for the arguments and the promises. Not bound to an event loop.

    Only ``flush`` and ``close`` wait for anything; the others queue, as ``Relay`` does, and never block the loop.
    ``relay`` shares the queue, the thread and hence the order of an existing ``Relay``; closing either closes both.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        relay: Relay | None = None,
        when_full: WhenFull = "raise",
        max_queue_commands: int = 100_000,
        max_queue_bytes: int = 64 * 1024 * 1024,
        max_command: int = DEFAULT_MAX_COMMAND,
        close_timeout: float = 2.0,
    ) -> None:
        self._relay = relay or Relay(
            endpoint,
            when_full=when_full,
            max_queue_commands=max_queue_commands,
            max_queue_bytes=max_queue_bytes,
            max_command=max_command,
            close_timeout=close_timeout,
        )
        self._sender = self._relay._sender

    @property
    def endpoint(self) -> str:
        return self._relay.endpoint

    @property
    def queued(self) -> int:
        return self._relay.queued

    @property
    def dropped(self) -> int:
        return self._relay.dropped

    async def set(self, key: str, value: object, *, notify: bool = False) -> None:
        self._relay.set(key, value, notify=notify)

    async def merge(self, key: str, value: object, *, notify: bool = False) -> None:
        self._relay.merge(key, value, notify=notify)

    async def delete(self, key: str, *, notify: bool = False) -> None:
        self._relay.delete(key, notify=notify)

    async def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = False
    ) -> None:
        self._relay.broadcast(type, data, set=set, notify=notify)

    async def flush(self, timeout: float = 5.0) -> None:
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._sender.flush()), timeout)
        except asyncio.TimeoutError:
            raise flush_timeout(self._sender, timeout) from None

    async def close(self, timeout: float | None = None) -> None:
        ended = asyncio.wrap_future(self._sender.close(timeout))
        try:
            await asyncio.wait_for(ended, self._sender.close_timeout(timeout) + 1.0)
        except asyncio.TimeoutError:
            _log.error("the I/O thread did not end in time; leaving it behind")

    async def __aenter__(self) -> AsyncRelay:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
