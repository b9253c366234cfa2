"""Has messages handled, several at a time."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from typing import Any, Callable

from .encoding import CommandEncoder
from .errors import RelayClosed
from .handler_threads import HandlerThreads
from .handlers import Handler, Handlers, whole
from .handover import Promise
from .message import Message
from .receiving import PAUSE, WAIT, Receiver, checked_count, come, give_up
from .sender import Carrier
from .threads import seconds_to_wait

_FIRST_PAUSE = 0.5  # seconds before a message that failed is given back; doubles with each attempt
_LAST_PAUSE = 30.0

_log = logging.getLogger("syncrelay")


class Service:
    """One run of ``serve``. It takes as many messages as it has hands free. What one client has said is handled in order,
    one by one.

    ``stop``: what is being handled has ``grace`` seconds to end; coroutines are cancelled then. What was not handled is
    given back.
    """

    def __init__(
        self, sender: Carrier, encoder: CommandEncoder, handlers: Handlers,
        concurrency: int, lease: float, grace: float, until_empty: bool,
    ) -> None:  # fmt: skip
        self._sender = sender
        self._handlers = handlers
        self._concurrency = checked_count(concurrency, "concurrency")
        self._grace = seconds_to_wait(grace)
        self._receiver = Receiver(sender, encoder, lease, until_empty)
        self._threads = HandlerThreads(concurrency)
        self._groups: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_event: asyncio.Event | None = None

    def stop(self) -> None:
        """Thread-safe. ``run`` returns soon."""
        self._stopping = True
        loop, event = self._loop, self._stop_event
        if loop is not None and event is not None:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:
                pass  # the loop is closed

    async def run(self) -> None:
        """Until it is stopped, cancelled, the Relay is closed or, if so asked, nothing is left. Raises CommandRejected when
        the relay gives no messages."""
        self._stop_event = event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self._stopping:
            event.set()
        stopped = asyncio.ensure_future(event.wait())
        answer: Promise[list[Message]] | None = None
        try:
            while not stopped.done():
                if len(self._groups) >= self._concurrency:
                    await self._any_of(stopped, *self._groups)
                    continue
                answer = self._receiver.ask(self._concurrency - len(self._groups))
                await self._any_of(stopped, come(answer))
                if not answer.done():
                    break
                messages, answer = self._receiver.taken(answer), None
                if messages is None:
                    await self._any_of(stopped, pause := asyncio.ensure_future(asyncio.sleep(PAUSE)))
                    pause.cancel()
                elif messages:
                    self._handle_all(messages)
                elif self._receiver.until_empty:
                    if not self._groups:
                        break
                    await self._any_of(stopped, *self._groups)
        except RelayClosed:
            _log.debug("no more messages are handled: the relay client is closed")
        finally:
            event.set()
            stopped.cancel()
            await self._wind_up(answer)

    async def _any_of(self, *tasks: asyncio.Future[Any]) -> None:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _wind_up(self, answer: Promise[list[Message]] | None) -> None:
        """When this is cancelled, too, the rest is cut off."""
        groups = list(self._groups)
        last = []
        if answer is not None:
            self._sender.end_receive(answer)
            last = [come(answer)]
        try:
            begin = time.monotonic()
            if last:
                await asyncio.wait(last, timeout=2 * WAIT)
            if groups:
                await asyncio.wait(groups, timeout=max(0.0, begin + self._grace - time.monotonic()))
        finally:
            if answer is not None:
                give_up(answer)
            for group in groups:
                group.cancel()
            self._threads.end()
        if groups:
            await asyncio.wait(groups)
        await asyncio.wait([come(self._sender.messages_settled())], timeout=self._sender.close_timeout(None))

    def _handle_all(self, messages: list[Message]) -> None:
        """Those of one client after each other, also when they come in one answer."""
        groups: dict[object, list[Message]] = {}
        for message in messages:
            groups.setdefault(message.sender, []).append(message)
        for group in groups.values():
            task = asyncio.ensure_future(self._handle_group(group))
            self._groups.add(task)
            task.add_done_callback(self._groups.discard)

    async def _handle_group(self, messages: list[Message]) -> None:
        try:
            for message in messages:
                if self._is_stopped() or not await self._handle(message):
                    break
        except asyncio.CancelledError:
            _log.warning("handlers had no time to end: %s", ", ".join(repr(each) for each in messages if not each.settled))
        except BaseException:
            _log.exception("a message could not be handled")
        finally:
            for message in messages:
                message.release()

    async def _handle(self, message: Message) -> bool:
        """False: it is given back, and those of the same client behind it must be, too."""
        handler = self._handlers.of(message)
        if handler is not None:
            try:
                await self._call(handler.function, message)
            except Exception as error:
                if not await self._is_dead(message, handler, error):
                    return False
        message.done()
        return not message.given_back

    async def _is_dead(self, message: Message, handler: Handler, error: Exception) -> bool:
        if message.attempt < handler.attempts:
            seconds = min(_LAST_PAUSE, _FIRST_PAUSE * 2 ** (message.attempt - 1))
            _log.warning("the handler of %r failed; giving it back in %g s", message, seconds, exc_info=error)
            await self._pause(seconds)
            return False
        on_dead = self._handlers.on_dead
        if on_dead is None:
            _log.error("the handler of %r failed, and no attempt is left; it was: %s", message, whole(message), exc_info=error)
            return True
        try:
            await self._call(on_dead, message, error)
        except Exception:
            _log.exception("on_dead failed for %r, which was: %s", message, whole(message))
        return True

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):
            result = function(*arguments)
        else:
            result = await self._threads.call(function, *arguments)
        if inspect.isawaitable(result):
            await result

    async def _pause(self, seconds: float) -> None:
        """Shorter when it is stopped."""
        assert self._stop_event is not None
        try:
            await asyncio.wait_for(self._stop_event.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    def _is_stopped(self) -> bool:
        return self._stop_event is not None and self._stop_event.is_set()

