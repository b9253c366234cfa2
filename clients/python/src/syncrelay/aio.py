"""The client for coroutines."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from concurrent.futures import wait
from types import TracebackType
from typing import Any, AsyncIterator, Iterable, Literal, Mapping, overload

from . import answer
from .answer import ChannelInfo, Client, Position
from .async_channel import AsyncChannel
from .async_commands import AsyncCommands
from .batch import AsyncBatch
from .channel_pages import MAX_PAGE, ChannelPages
from .curve import Curve
from .encoding import DEFAULT_MAX_COMMAND
from .epoch import OnNewEpoch
from .errors import AnswerTimeout
from .handlers import Handling
from .members import Ttl, Where, checked_channels
from .message_loop import AsyncMessages
from .outbox import WhenFull
from .plain import Default
from .receiving import Receiver
from .relay import Relay, flush_timeout, late_answer
from .threads import seconds_to_wait

_log = logging.getLogger("syncrelay")


class AsyncRelay(AsyncCommands, Handling):
    """``Relay`` with coroutines; see there for the arguments and the promises. Not bound to an event loop.

    Confirmed commands, queries, ``flush`` and ``close`` await; the others only queue, as ``Relay`` does. Nothing ever
    blocks the loop. A task that is cancelled while it awaits an answer leaves open whether the command took effect;
    later ones come after it all the same.
    ``relay`` shares the queue, the thread and hence the order of an existing ``Relay``; closing either closes both.
    ``on_new_epoch`` may be a coroutine function; it is called in the event loop that used this one last.
    """

    _channel = ""

    def __init__(
        self,
        endpoint: str | os.PathLike[str] | None = None,
        *,
        control: str | os.PathLike[str] | None = None,
        curve: Curve | None = None,
        relay: Relay | None = None,
        when_full: WhenFull = "raise",
        max_queue_commands: int = 100_000,
        max_queue_bytes: int = 64 * 1024 * 1024,
        max_command: int = DEFAULT_MAX_COMMAND,
        close_timeout: float = 2.0,
        default: Default | None = None,
        on_new_epoch: OnNewEpoch = None,
    ) -> None:
        if relay is not None and on_new_epoch is not None:
            raise ValueError("give on_new_epoch to the Relay that this AsyncRelay shares")
        self._on_new_epoch = on_new_epoch
        self._loop: asyncio.AbstractEventLoop | None = None  # that the hook is called in
        self._relay = relay or Relay(
            endpoint,
            control=control,
            curve=curve,
            when_full=when_full,
            max_queue_commands=max_queue_commands,
            max_queue_bytes=max_queue_bytes,
            max_command=max_command,
            close_timeout=close_timeout,
            default=default,
            on_new_epoch=None if on_new_epoch is None else self._call_hook,
        )
        self._sender = self._relay._sender
        self._encoder = self._relay._encoder
        self._handlers = self._relay._handlers

    @property
    def endpoint(self) -> str:
        return self._relay.endpoint

    @property
    def control(self) -> str | None:
        return self._relay.control

    @property
    def queued(self) -> int:
        return self._relay.queued

    @property
    def dropped(self) -> int:
        return self._relay.dropped

    def channel(self, name: str) -> AsyncChannel:
        return AsyncChannel(self, name)

    def batch(self, *, confirm: bool = False, timeout: float = 5.0, id: str | None = None) -> AsyncBatch:
        return AsyncBatch(self, confirm, timeout, id)

    @overload
    async def broadcast(
        self, type: str, data: object = None, *, confirm: Literal[True], channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        if_version: Mapping[str, int] | None = None, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def broadcast(
        self, type: str, data: object = None, *, if_version: Mapping[str, int], channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def broadcast(
        self, type: str, data: object = None, *, channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    async def broadcast(
        self, type: str, data: object = None, *, channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        where: Where = self._channel if channels is None else checked_channels(channels)
        return await self._broadcast(where, type, data, set, notify, ttl, if_version, from_, traceparent, confirm, timeout, id)

    def channels(self, prefix: str = "", *, page: int = MAX_PAGE, timeout: float = 5.0) -> AsyncIterator[ChannelInfo]:
        return self._pages(ChannelPages(self._encoder, prefix, page), timeout)

    async def _pages(self, pages: ChannelPages, timeout: float) -> AsyncIterator[ChannelInfo]:
        while pages.query is not None:
            for each in pages.take(await self._ask(pages.query, timeout)):
                yield each

    async def clients(self, *, timeout: float = 5.0) -> list[Client]:
        return answer.clients(await self._ask(self._encoder.query("clients"), timeout))

    async def stats(self, *, timeout: float = 5.0) -> dict[str, Any]:
        return answer.stats(await self._ask(self._encoder.query("stats"), timeout))

    async def disconnect(
        self, id: str | None = None, *, connection: int | None = None,
        code: int = 4000, reason: str = "disconnected", timeout: float = 5.0,
    ) -> int:  # fmt: skip
        return answer.closed(await self._ask(self._encoder.disconnect(id, connection, code, reason), timeout))

    def messages(self, *, prefetch: int = 1, lease: float = 30.0, until_empty: bool = False) -> AsyncMessages:
        return AsyncMessages(Receiver(self._sender, self._encoder, lease, until_empty), prefetch)

    async def serve(
        self, *, concurrency: int = 10, lease: float = 30.0, grace: float = 5.0, until_empty: bool = False
    ) -> None:
        """``Relay.run`` as a coroutine, in whose event loop handlers run that are coroutines. To stop it, cancel it: then
        it still waits for handlers, ``grace`` seconds at most; cancelled again, it does not. ``lifespan`` does all of that.
        Raises InvalidValue, and CommandRejected when the relay gives no messages."""
        await self._relay._service(concurrency, lease, grace, until_empty).run()

    async def flush(self, timeout: float = 5.0, *, confirm: bool = False) -> None:
        if confirm:
            await self._confirm_flush(timeout)
            return
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._sender.flush()), seconds_to_wait(timeout))
        except asyncio.TimeoutError:
            raise flush_timeout(self._sender, timeout) from None

    async def close(self, timeout: float | None = None) -> None:
        ended = asyncio.wrap_future(self._sender.close(timeout))
        try:
            await asyncio.wait_for(ended, self._sender.close_timeout(timeout) + 1.0)
        except asyncio.TimeoutError:
            _log.error("the I/O thread did not end in time; leaving it behind")

    async def _confirm_flush(self, timeout: float) -> None:
        if not self._sender.started:
            await self.flush(timeout)
            return
        told = self._sender.losses_told()
        try:
            await self.stats(timeout=timeout)
        except AnswerTimeout as error:
            raise flush_timeout(self._sender, timeout, error) from error
        self._sender.tell_losses(told)

    async def __aenter__(self) -> AsyncRelay:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, command: bytes, confirm: bool, timeout: float, id: str | None, channel: str) -> Position | None:
        if confirm:
            return answer.position(await self._ask(command, timeout, id), channel)
        self._note_loop()
        self._sender.post(command)
        return None

    async def _ask(self, body: bytes, timeout: float, id: str | None = None) -> bytes:
        self._note_loop()
        request = self._sender.request(body, id)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(request.answer), seconds_to_wait(timeout))
        except asyncio.TimeoutError:
            return late_answer(self._sender, request, timeout, id)
        finally:
            request.answer.cancel()

    def _note_loop(self) -> None:
        if self._on_new_epoch is not None:
            self._loop = asyncio.get_running_loop()

    def _call_hook(self, epoch: str) -> None:
        """In the thread that is there for it; returns when the hook has ended, or the loop."""
        loop = self._loop
        if loop is None or loop.is_closed():
            _log.warning("on_new_epoch is not called for the epoch %s: its event loop is closed", epoch)
            return
        ended = asyncio.run_coroutine_threadsafe(self._await_hook(epoch), loop)
        while not ended.done() and not loop.is_closed():
            wait([ended], timeout=1.0)
        if ended.done():
            ended.result()

    async def _await_hook(self, epoch: str) -> None:
        assert self._on_new_epoch is not None
        result = self._on_new_epoch(epoch)
        if inspect.isawaitable(result):
            await result
