"""The client for threads."""

from __future__ import annotations

import logging
import os
from concurrent.futures import TimeoutError as FutureTimeout
from types import TracebackType
from typing import Any, Iterable, Iterator, Literal, Mapping, TypeVar, overload

from . import answer
from .answer import ChannelInfo, Client, Position
from .background import Background, run_here
from .batch import Batch
from .carrier import Carrier
from .channel import Channel
from .channel_pages import MAX_PAGE, ChannelPages
from .commands import Commands
from .curve import Curve
from .encoding import DEFAULT_MAX_COMMAND, CommandEncoder
from .epoch import OnNewEpoch
from .errors import AnswerTimeout, ConfirmTimeout, FlushTimeout
from .handlers import Handlers, Handling
from .members import Ttl, Where, checked_channels
from .message_loop import Messages
from .options import Options
from .outbox import Outbox, WhenFull
from .plain import Default
from .receiving import Receiver
from .request import Request
from .sender import Sender
from .service import Service
from .threads import seconds_to_wait

R = TypeVar("R", bound="Relay")

_log = logging.getLogger("syncrelay")


class Relay(Commands, Handling):
    """Sends commands to the relay and asks it. Thread-safe (not to be used from signal handlers); make one per process.
    One that is dropped without close() sends what it has and ends, unless it has an ``on_new_epoch`` that refers to it.

    Commands only enter a bounded queue, in the order of the calls; one I/O thread sends them. While the relay is away
    they wait there and arrive, in order, when it is back. What ZeroMQ had already handed to a relay that was killed
    can be lost: a push has no answer.

    Its commands are for the default channel, which every client follows that asks for no other; ``channel(name)`` has
    the same methods for another one, and ``batch()`` makes one step of many commands.

    With ``confirm=True`` a command waits for the relay's answer, at most ``timeout`` seconds, and returns its position;
    until then it is sent again whenever the connection was lost, under one ``id``, by which the relay knows what it has
    done already. Raises CommandRejected or ConfirmTimeout. An ``id`` of your own does the same across processes.
    Confirmed commands and queries come after what this Relay was called with before, confirmed or not. One that timed
    out under way may take effect yet, but never after what comes later, which waits in the queue until the relay has
    answered (or was away for a minute).

    ``endpoint``: the relay's ``--commands``, or the Path of its socket; by default the same rule as the relay's (``default_endpoint``).
    ``control``: the relay's ``--control``; by default as ``default_control`` says. For a tcp:// endpoint it must be given:
    without it, confirmed commands and queries raise InvalidEndpoint.
    ``curve``: the keys for a relay that asks for them at its tcp:// endpoints; by default $SYNCRELAY_CURVE_SERVER_KEY and
    $SYNCRELAY_CURVE_KEY name the files.
    ``when_full``: ``"raise"`` raises RelayUnavailable, ``"drop_oldest"`` makes room and says so in the log.
    ``max_command``: bytes, the relay's ``--max-command``. ``close_timeout``: seconds for close() and the process' exit.
    ``default``: gives the form of a value that JSON does not have and for which there is no rule (the README has a table of
    the rules); called in the caller's thread. Raises TypeError or ValueError for what it does not know, either.
    ``on_new_epoch``: called with the epoch when the relay answers with another one than before, since it was restarted
    without its data: fill the state again. From the first command on, in every process that sends, and also when none is
    confirmed; not for the epoch that is met first. It runs in a thread of its own (under gevent in a greenlet), never twice
    at a time, and may call everything here, also wait. What it raises goes to the log.
    """

    def __init__(
        self,
        endpoint: str | os.PathLike[str] | None = None,
        *,
        control: str | os.PathLike[str] | None = None,
        curve: Curve | None = None,
        when_full: WhenFull = "raise",
        max_queue_commands: int = 100_000,
        max_queue_bytes: int = 64 * 1024 * 1024,
        max_command: int = DEFAULT_MAX_COMMAND,
        close_timeout: float = 2.0,
        default: Default | None = None,
        on_new_epoch: OnNewEpoch = None,
    ) -> None:
        options = Options(endpoint, control, curve, when_full, max_queue_commands, max_queue_bytes, max_command, on_new_epoch)
        outbox = Outbox(max_queue_commands, max_queue_bytes, when_full)
        sender = Sender(options.endpoint, options.control, options.curve, outbox, close_timeout, on_new_epoch)
        self._use(CommandEncoder(options.max_command, default), sender)

    _channel = ""

    def _use(self, encoder: CommandEncoder, sender: Carrier) -> None:
        self._encoder = encoder
        self._sender = sender
        self._handlers = Handlers()
        self._background = Background()

    @property
    def endpoint(self) -> str:
        return self._sender.endpoint

    @property
    def control(self) -> str | None:
        """None: nothing says where this relay answers; commands can be sent, but not confirmed."""
        return self._sender.control

    @property
    def queued(self) -> int:
        """Commands that wait to be sent."""
        return self._sender.queued

    @property
    def dropped(self) -> int:
        """Commands dropped because the queue was full, in this process."""
        return self._sender.dropped

    def channel(self, name: str) -> Channel:
        """The channel of this name, with the same methods; "" is the default channel, which this Relay itself commands.
        Raises InvalidValue for what is no name: up to 128 of A-Z a-z 0-9 _ . : ~ - @ /"""
        return Channel(self, name)

    def batch(self, *, confirm: bool = False, timeout: float = 5.0, id: str | None = None) -> Batch:
        """Commands to any channels that take effect in one step, all or none; sent when the block ends without exception:

            with relay.batch() as batch:
                batch.set("radio", None)
                batch.channel("room:42").broadcast("closed")

        Confirmed, ``batch.result`` is its Position, and ``batch.result.results`` has those of its commands.
        """
        return Batch(self, confirm, timeout, id)

    @overload
    def broadcast(
        self, type: str, data: object = None, *, confirm: Literal[True], channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        if_version: Mapping[str, int] | None = None, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def broadcast(
        self, type: str, data: object = None, *, if_version: Mapping[str, int], channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def broadcast(
        self, type: str, data: object = None, *, channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def broadcast(
        self, type: str, data: object = None, *, channels: Iterable[str] | None = None,
        set: Mapping[str, object] | None = None, notify: bool = True, ttl: Ttl | None = None,
        if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Sends one event to every client. ``set`` stores state in the same step: nobody sees one without the other.

        The event also carries what ``set`` changed, unless ``notify`` is False. ``channels``: one event, and what ``set``
        stores, in each of up to 1,000, in one step; ``Position.positions`` says where. ``ttl`` is for the keys of ``set``;
        ``if_version`` as in ``set``, by key; with ``channels`` it must hold in each. ``from_``: the identity that the
        event comes from. ``traceparent``: a W3C Trace Context, which a relay with ``--trace`` tells clients as its ``trace``.
        """
        where: Where = self._channel if channels is None else checked_channels(channels)
        return self._broadcast(where, type, data, set, notify, ttl, if_version, from_, traceparent, confirm, timeout, id)

    def channels(self, prefix: str = "", *, page: int = MAX_PAGE, timeout: float = 5.0) -> Iterator[ChannelInfo]:
        """The channels that the relay has whose names begin with ``prefix``, by name; the default one has the name "".

        Asks for ``page`` of them at a time, each within ``timeout``; what comes and goes meanwhile may be missing.
        """
        return self._pages(ChannelPages(self._encoder, prefix, page), timeout)

    def _pages(self, pages: ChannelPages, timeout: float) -> Iterator[ChannelInfo]:
        while pages.query is not None:
            yield from pages.take(self._ask(pages.query, timeout))

    def clients(self, *, timeout: float = 5.0) -> list[Client]:
        """Who is connected, whichever channels they follow."""
        return answer.clients(self._ask(self._encoder.query("clients"), timeout))

    def stats(self, *, timeout: float = 5.0) -> dict[str, Any]:
        """``epoch``, ``seq``, the number of ``clients`` and the relay's counters."""
        return answer.stats(self._ask(self._encoder.query("stats"), timeout))

    def disconnect(
        self, id: str | None = None, *, connection: int | None = None,
        code: int = 4000, reason: str = "disconnected", timeout: float = 5.0,
    ) -> int:  # fmt: skip
        """Closes all connections of the identity ``id``, or the one of this number in ``clients()``; returns how many it
        closed, 0 when there was none. ``code``: from 4000 to 4999; ``reason``: up to 123 bytes of UTF-8.

        It comes behind all events before it, and says nothing against coming back: the browser client stays away after
        4400 to 4499 (but 4429), others as they like. As a member the identity has its grace. Waits for the relay's
        answer, ``timeout`` seconds at most. Raises InvalidValue or AnswerTimeout.
        """
        return answer.closed(self._ask(self._encoder.disconnect(id, connection, code, reason), timeout))

    def messages(self, *, prefetch: int = 1, lease: float = 30.0, until_empty: bool = False) -> Messages:
        """What clients say, one message after the other:

            for message in relay.messages():
                relay.broadcast(message.type, message.data)

        A message is done when the next one is asked for. Whoever leaves the loop otherwise, by an exception or by
        ``break``, gives it back, unless ``message.done()`` was called before. It waits for messages, also while the relay is
        away, until the Relay is closed, or with ``until_empty`` until there are none. ``prefetch``: how many this process
        takes at a time, 1 to 1,000. ``lease``: seconds, 1 to 3,600, after which the relay gives away what a process held
        that was killed or hangs whole.

        A loop belongs to one thread; there may be several. Raises InvalidValue at once, and where it waits CommandRejected
        when the relay gives no messages.
        """
        return Messages(Receiver(self._sender, self._encoder, lease, until_empty), prefetch)

    def run(
        self, *, concurrency: int = 10, lease: float = 30.0, grace: float = 5.0, until_empty: bool = False
    ) -> None:
        """Calls the handlers of ``on`` with what clients say, and those of ``on_notice``, until the Relay is closed.

        ``concurrency``: handlers of messages at a time, and as many of notices; coroutines run in one event loop, in this
        thread, all others in threads of their own. Messages of one client are handled one by one, in order. ``lease``:
        seconds, 1 to 3,600, after which the relay gives away what a process held that was killed or hangs whole.
        ``grace``: seconds that handlers have to end when it stops; what is not done then is given back. ``until_empty``:
        only until there are no messages and no notices.

        In the main thread SIGTERM and SIGINT stop it, too, unless the program handles them itself; after SIGINT it raises
        KeyboardInterrupt. Raises InvalidValue, and CommandRejected when the relay gives no messages.
        """
        run_here(self._service(concurrency, lease, grace, until_empty))

    def start(self, *, concurrency: int = 10, lease: float = 30.0, grace: float = 5.0) -> None:
        """``run`` in a thread of its own, until ``stop()``, ``close()`` or the end of the process, which waits for the
        handlers' ``grace``; a second time it does nothing. A forked child has no such thread, and calls this itself where it
        wants one. Raises InvalidValue or UnsupportedThreads; what the relay refuses later is in the log."""
        if not self._background.running:
            self._background.start(self._service(concurrency, lease, grace, False))

    def stop(self, timeout: float = 10.0) -> None:
        """Ends what ``start()`` began, and waits for that, ``timeout`` seconds at most: it goes on ending beside then. May be
        called in any thread, by a handler, too, which is not waited for."""
        self._background.stop(timeout)

    def _service(self, concurrency: int, lease: float, grace: float, until_empty: bool) -> Service:
        return Service(self._sender, self._encoder, self._handlers, concurrency, lease, grace, until_empty)

    def flush(self, timeout: float = 5.0, *, confirm: bool = False) -> None:
        """Waits until everything queued so far is handed to ZeroMQ, connected to the relay, or raises FlushTimeout.

        With ``confirm`` until the relay has taken it: then it is of no matter what becomes of this process, be it
        ``os._exit`` or kill -9. What the relay refused, for want of room say, is taken, too, and in the relay's log.
        Raises PossibleLoss, once, when a connection broke under what was pushed before.
        """
        if confirm:
            self._confirm_flush(timeout)
            return
        done = self._sender.flush()
        try:
            done.result(seconds_to_wait(timeout))
        except FutureTimeout:
            done.cancel()
            raise flush_timeout(self._sender, timeout) from None

    def close(self, timeout: float | None = None) -> None:
        """Sends what it can within ``timeout`` seconds (default ``close_timeout``) and gives up the rest, with a log line.
        Handlers that ``start`` runs end before, within ``timeout``, too (default: their ``grace``)."""
        self._background.stop(None if timeout is None else self._sender.close_timeout(timeout))
        ended = self._sender.close(timeout)
        try:
            ended.result(self._sender.close_timeout(timeout) + 1.0)
        except FutureTimeout:
            ended.cancel()
            _log.error("the I/O thread did not end in time; leaving it behind")

    def _confirm_flush(self, timeout: float) -> None:
        if not self._sender.started:
            self._sender.flush()
            return
        told = self._sender.losses_told()
        try:
            self.stats(timeout=timeout)
        except AnswerTimeout as error:
            raise flush_timeout(self._sender, timeout, error) from error
        self._sender.tell_losses(told)

    def __enter__(self: R) -> R:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, command: bytes, confirm: bool, timeout: float, id: str | None, channel: str) -> Position | None:
        if confirm:
            return answer.position(self._ask(command, timeout, id), channel)
        self._sender.post(command)
        return None

    def _ask(self, body: bytes, timeout: float, id: str | None = None) -> bytes:
        request = self._sender.request(body, id)
        try:
            return request.answer.result(seconds_to_wait(timeout))
        except FutureTimeout:
            return late_answer(self._sender, request, timeout, id)
        finally:
            request.answer.cancel()  # whatever ends the wait also ends the sending


def late_answer(sender: Carrier, request: Request, timeout: float, id: str | None) -> bytes:
    """What came in the last moment, or an AnswerTimeout."""
    if not request.answer.cancel() and not isinstance(request.answer.exception(), FutureTimeout):
        return request.answer.result()
    what = f"no answer from the relay at {sender.control} within {timeout:g} s: {sender.why_unanswered(request)}"
    if id is None:
        raise AnswerTimeout(what)
    raise ConfirmTimeout(f"{what}; {request.effect()}", id, request.sent)


def flush_timeout(sender: Carrier, timeout: float, unanswered: AnswerTimeout | None = None) -> FlushTimeout:
    queued = sender.queued
    if unanswered is not None and not queued:
        return FlushTimeout(f"the relay has not said that it has taken everything: {unanswered}")
    left = f"{queued} commands are still queued" if queued else "it went away with the last ones under way"
    if queued and sender.in_doubt:
        left += ", behind a confirmed command that timed out and may take effect yet"
    if unanswered is not None:
        left += f"; {unanswered}"
    return FlushTimeout(f"the relay at {sender.endpoint} has not taken everything within {timeout:g} s: {left}")
