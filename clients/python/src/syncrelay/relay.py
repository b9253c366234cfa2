"""The client for threads."""

from __future__ import annotations

import logging
import os
import secrets
from concurrent.futures import TimeoutError as FutureTimeout
from types import TracebackType
from typing import Any, Literal, Mapping, TypeVar, overload

from . import answer
from .answer import Client, Position
from .encoding import DEFAULT_MAX_COMMAND, CommandEncoder
from .epoch import OnNewEpoch
from .errors import AnswerTimeout, ConfirmTimeout, FlushTimeout
from .options import Options
from .outbox import Outbox, WhenFull
from .plain import Default
from .request import Request
from .sender import Carrier, Sender
from .threads import seconds_to_wait

R = TypeVar("R", bound="Relay")

_log = logging.getLogger("syncrelay")


class Relay:
    """Sends commands to the relay and asks it. Thread-safe (not to be used from signal handlers); make one per process.
    One that is dropped without close() sends what it has and ends, unless it has an ``on_new_epoch`` that refers to it.

    Commands only enter a bounded queue, in the order of the calls; one I/O thread sends them. While the relay is away
    they wait there and arrive, in order, when it is back. What ZeroMQ had already handed to a relay that was killed
    can be lost: a push has no answer.

    With ``confirm=True`` a command waits for the relay's answer, at most ``timeout`` seconds, and returns its position;
    until then it is sent again whenever the connection was lost, under one ``id``, by which the relay knows what it has
    done already. Raises CommandRejected or ConfirmTimeout. An ``id`` of your own does the same across processes.
    Confirmed commands and queries come after what this Relay was called with before, confirmed or not. One that timed
    out under way may take effect yet, but never after what comes later, which waits in the queue until the relay has
    answered (or was away for a minute).

    ``endpoint``: the relay's ``--commands``, or the Path of its socket; by default the same rule as the relay's (``default_endpoint``).
    ``control``: the relay's ``--control``; by default as ``default_control`` says. For a tcp:// endpoint it must be given:
    without it, confirmed commands and queries raise InvalidEndpoint.
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
        when_full: WhenFull = "raise",
        max_queue_commands: int = 100_000,
        max_queue_bytes: int = 64 * 1024 * 1024,
        max_command: int = DEFAULT_MAX_COMMAND,
        close_timeout: float = 2.0,
        default: Default | None = None,
        on_new_epoch: OnNewEpoch = None,
    ) -> None:
        options = Options(endpoint, control, when_full, max_queue_commands, max_queue_bytes, max_command, on_new_epoch)
        outbox = Outbox(max_queue_commands, max_queue_bytes, when_full)
        sender = Sender(options.endpoint, options.control, outbox, close_timeout, on_new_epoch)
        self._use(CommandEncoder(options.max_command, default), sender)

    def _use(self, encoder: CommandEncoder, sender: Carrier) -> None:
        self._encoder = encoder
        self._sender = sender

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

    @overload
    def set(
        self, key: str, value: object, *, confirm: Literal[True],
        notify: bool = True, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def set(
        self, key: str, value: object, *, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def set(
        self, key: str, value: object, *, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Stores ``value`` and tells every client; with ``notify=False`` only those that connect later see it."""
        id = id_for(confirm, id)
        return self._send(self._encoder.set(key, value, notify, id), confirm, timeout, id)

    @overload
    def merge(
        self, key: str, value: object, *, confirm: Literal[True],
        notify: bool = True, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def merge(
        self, key: str, value: object, *, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def merge(
        self, key: str, value: object, *, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Applies a JSON merge patch (RFC 7396) to the stored value: members replace, None removes."""
        id = id_for(confirm, id)
        return self._send(self._encoder.merge(key, value, notify, id), confirm, timeout, id)

    @overload
    def delete(
        self, key: str, *, confirm: Literal[True], notify: bool = True, timeout: float = 5.0, id: str | None = None
    ) -> Position: ...

    @overload
    def delete(
        self, key: str, *, notify: bool = True, confirm: bool = False, timeout: float = 5.0, id: str | None = None
    ) -> Position | None: ...

    def delete(
        self, key: str, *, notify: bool = True, confirm: bool = False, timeout: float = 5.0, id: str | None = None
    ) -> Position | None:
        """Back to null for a key that the relay is configured with, gone for any other."""
        id = id_for(confirm, id)
        return self._send(self._encoder.delete(key, notify, id), confirm, timeout, id)

    @overload
    def broadcast(
        self, type: str, data: object = None, *, confirm: Literal[True], set: Mapping[str, object] | None = None,
        notify: bool = True, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Sends one event to every client. ``set`` stores state in the same step: nobody sees one without the other.

        The event also carries what ``set`` changed, unless ``notify`` is False.
        """
        id = id_for(confirm, id)
        return self._send(self._encoder.broadcast(type, data, set, notify, id), confirm, timeout, id)

    @overload
    def state(self, key: None = None, *, timeout: float = 5.0) -> dict[str, Any]: ...

    @overload
    def state(self, key: str, *, timeout: float = 5.0) -> Any: ...

    def state(self, key: str | None = None, *, timeout: float = 5.0) -> Any:
        """All stored values by key, or that of one ``key``: None when it is null or not there."""
        found = answer.state(self._ask(self._encoder.query("state", key), timeout))
        return found if key is None else found.get(key)

    def clients(self, *, timeout: float = 5.0) -> list[Client]:
        """Who is connected."""
        return answer.clients(self._ask(self._encoder.query("clients"), timeout))

    def stats(self, *, timeout: float = 5.0) -> dict[str, Any]:
        """``epoch``, ``seq``, the number of ``clients`` and the relay's counters."""
        return answer.stats(self._ask(self._encoder.query("stats"), timeout))

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
        """Sends what it can within ``timeout`` (default ``close_timeout``) and gives up the rest, with a log line."""
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

    def _send(self, command: bytes, confirm: bool, timeout: float, id: str | None) -> Position | None:
        if confirm:
            return answer.position(self._ask(command, timeout, id))
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


def id_for(confirm: bool, id: str | None) -> str | None:
    return secrets.token_urlsafe(16) if confirm and id is None else id


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
