"""What a relay client keeps behind its methods: the outbox, the thread of this process, forks and exits."""

from __future__ import annotations

import logging
import os
import sys
import time
import weakref
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import Any, Callable

from . import answer
from .curve import Curve
from .drops import DropReport
from .endpoint import no_control, why_unreachable
from .epoch import EpochWatch, OnNewEpoch
from .errors import RelayClosed, RelayUnavailable
from .exits import ExitHook, before_sigterm
from .handover import Promise
from .io_thread import IoThread
from .leases import Leases
from .losses import Losses
from .message import Held, Message
from .notice import Notices
from .outbox import Outbox
from .request import Request, Requests
from .threads import OwnedLock, refuse_eventlet, seconds_to_wait


_GRACE = 1.0  # seconds beyond its timeout in which a thread must have ended, or is stuck inside ZeroMQ

_log = logging.getLogger("syncrelay")


class Sender:
    """Thread-safe. The I/O thread starts with the first command, so that creating one before a fork costs nothing.

    A forked child starts afresh: empty queue, its own thread and socket. What its parent had queued, its parent sends.
    One that is dropped without being closed has its thread send what it had, and end.
    """

    in_real_time = True

    def __init__(
        self, endpoint: str, control: str | None, curve: Curve | None, outbox: Outbox, close_timeout: float,
        hook: OnNewEpoch = None,
    ) -> None:  # fmt: skip
        self._endpoint = endpoint
        self._control = control
        self._curve = curve
        self._outbox = outbox
        self._requests = Requests(outbox.max_bytes)
        outbox.hold_while(self._requests.in_doubt)
        self._epochs = EpochWatch(hook)
        self._losses = Losses(outbox)
        self._leases = Leases()
        self._close_timeout = seconds_to_wait(close_timeout)
        self._io: IoThread | None = None
        self._start_lock = OwnedLock()
        self._drops = DropReport()
        _senders.add(self)

    @property
    def endpoint(self) -> str:
        return self._endpoint

    @property
    def control(self) -> str | None:
        return self._control

    @property
    def queued(self) -> int:
        return len(self._outbox)

    @property
    def dropped(self) -> int:
        return self._outbox.dropped

    @property
    def in_doubt(self) -> bool:
        """Whether confirmed commands that timed out may take effect yet."""
        return self._requests.in_doubt()

    @property
    def started(self) -> bool:
        """Whether this process has sent or asked anything yet."""
        return self._io is not None

    def post(self, command: bytes) -> None:
        refuse_finalizing()
        io = self._io or self._start()
        if self._outbox.put(command) and io is not None:
            io.wake()
        self._drops.update(self._outbox.dropped)
        if _exit_hook.under_way:
            self._finish()

    def request(self, body: bytes, id: str | None = None) -> Request:
        return self._ready_to_ask().request(body, id)

    def receive(self, body: bytes, lease: float) -> Promise[list[Message] | None]:
        """What the relay hands out, not before it does, or has nothing for as long as ``body`` says; it comes after nothing
        that was pushed. All of it is kept this process' own, also when nobody waits for it any more. None: only such as
        this process has already. Raises RelayClosed."""
        io = self._ready_to_receive()
        request = io.request(body, None, after=0)
        taken: Promise[list[Message] | None] = Promise()
        request.answer.add_done_callback(partial(self._hand_over, taken, self._leases, io, lease))
        return taken

    def receive_notices(self, body: bytes) -> Promise[Notices]:
        """As ``receive``; but nobody keeps them."""
        request = self._ready_to_receive().request(body, None, after=0)
        taken: Promise[Notices] = Promise()
        request.answer.add_done_callback(partial(_hand_over_notices, taken))
        return taken

    def end_receive(self, taken: Promise[Any]) -> None:
        """The relay keeps no question open for long."""

    def notice_handled(self) -> None:
        """The relay does not want to know."""

    def messages_settled(self) -> Future[None]:
        """Done when the relay has answered what it was told of messages until now."""
        idle: Promise[None] = Promise()
        if self._io is None:
            return _done()
        self._leases.when_idle(idle)
        self._io.wake()
        return idle

    def why_unanswered(self, request: Request) -> str:
        io = self._io
        if io is None or not io.answers:
            return (io and io.why_no_handshake) or why_unreachable(self._control or "")
        if self._requests.doubts_before(request):
            return "it is there, but has not yet answered a confirmed command that timed out before"
        if self.queued:
            return f"it has not yet taken the commands before, at {self._endpoint}"
        if request.put_off:
            return "it is there, but its cluster's Redis is out of reach (cluster_unavailable)"
        return "it is there, but busy, or its cluster's Redis out of reach"

    def flush(self) -> Future[None]:
        if self._outbox.closed:
            raise RelayClosed("this relay client is closed")
        refuse_eventlet()
        self._refuse_waiting()
        return _done() if self._io is None else self._io.flush()

    def losses_told(self) -> int:
        return self._losses.told()

    def tell_losses(self, told_before: int) -> None:
        """Raises PossibleLoss."""
        self._losses.tell(told_before)

    def close(self, timeout: float | None = None) -> Future[None]:
        """What a finalizer calls in the midst of something of the client's is done at once, and ends beside it."""
        if sys.is_finalizing():
            return _done()
        with self._start_lock:
            self._outbox.close()
        self._drops.update(self._outbox.dropped, last=True)
        if self._io is None:
            return _done()
        ended = self._io.close(self.close_timeout(timeout))
        return _done() if self._must_not_wait() else ended

    def close_timeout(self, timeout: float | None) -> float:
        return self._close_timeout if timeout is None else seconds_to_wait(timeout)

    def __del__(self) -> None:
        io = self.__dict__.get("_io")
        if io is not None and not sys.is_finalizing():
            io.end(self._close_timeout)

    def _ready_to_ask(self) -> IoThread:
        if self._outbox.closed:
            raise RelayClosed("this relay client is closed")
        if self._control is None:
            raise no_control(self._endpoint)
        refuse_eventlet()
        self._refuse_waiting()
        io = self._io or self._start()
        assert io is not None, "nobody is in the midst of a start"
        return io

    def _ready_to_receive(self) -> IoThread:
        if self._leases.ending:
            raise RelayClosed("this relay client is closed")
        return self._ready_to_ask()

    def _hand_over(
        self, taken: Promise[list[Message] | None], leases: Leases, io: IoThread, lease: float, request: Future[bytes]
    ) -> None:
        """Where the answer comes in, before the I/O thread goes on, but for gevent."""
        try:
            events = answer.events(request.result())
            messages = self._new_ones(events, leases, lease)
        except BaseException as error:
            taken.settle(error)
        else:
            taken.settle(messages if messages or not events else None)
        io.wake()

    def _new_ones(self, events: list[dict[str, Any]], leases: Leases, lease: float) -> list[Message]:
        """What this process has already is its own again. What the same clients have said since goes back, to come after
        that; the event does not say which of those without an identity are the same."""
        came = [(event, leases.hold(event["n"], lease)) for event in events]
        busy = {event.get("id") for event, held in came if held is None}
        messages = []
        for event, held in came:
            if held is not None:
                message = Message(event, held, self._settle)
                if event.get("id") in busy:
                    message.release()
                else:
                    messages.append(message)
        return messages

    def _settle(self, held: Held, done: bool) -> None:
        """In a forked child: nothing, since the parent holds it."""
        self._leases.settle(held, done, self._outbox.posted)
        io = self._io
        if io is not None:
            io.wake()

    def _must_not_wait(self) -> bool:
        """A finalizer that runs in the midst of the client's own work would wait for what waits for it."""
        if self._start_lock.is_mine() or self._outbox.is_mine() or self._requests.is_mine():
            return True
        return self._io is not None and self._io.is_this_thread()

    def _refuse_waiting(self) -> None:
        refuse_finalizing()
        if self._must_not_wait():
            raise RelayUnavailable("a finalizer cannot wait for the relay in the midst of another call: push, unconfirmed")

    def _start(self) -> IoThread | None:
        """None for a finalizer in the midst of a start, which looks at the outbox afterwards."""
        if self._start_lock.is_mine():
            return None
        with self._start_lock:
            if self._outbox.closed:
                raise RelayClosed("this relay client is closed")
            if self._io is None:
                self._io = io = self._new_thread()
                io.wake()
                if self._outbox.closed:  # by a finalizer
                    io.end(self._close_timeout)
                _exit_hook.look_after_this_process()
            return self._io

    def _new_thread(self) -> IoThread:
        try:
            io = IoThread(
                self._endpoint, self._control, self._curve, self._outbox, self._requests, self._epochs, self._losses, self._leases,
                self._close_timeout,
            )  # fmt: skip
            io.start()
        except (OSError, RuntimeError) as error:  # no descriptors or no threads
            raise RelayUnavailable(f"cannot start the I/O thread: {error}") from error
        return io

    def _let_go(self) -> IoThread | None:
        """The thread will be ended; what comes later starts another one."""
        with self._start_lock:
            io, self._io = self._io, None
            return io

    def _finish(self) -> None:
        """The exit has begun, and no hook will see to what is queued."""
        if self._must_not_wait():
            return
        io = self._let_go()
        if io is not None:
            _end_at_exit([io])

    def _reset_in_child(self) -> None:
        """Runs in the child before anything else; takes no lock, since other threads may have held any of them."""
        closed = self._outbox.closed
        self._outbox = self._outbox.fresh()
        self._outbox.closed = closed
        self._requests = self._requests.fresh()
        self._outbox.hold_while(self._requests.in_doubt)
        self._epochs = self._epochs.fresh()
        self._losses = Losses(self._outbox)
        self._leases = Leases()
        self._start_lock = OwnedLock()
        self._drops = DropReport()
        if self._io is not None:
            self._io.abandon_in_child()
            self._io = None


def before_exit(act: Callable[[], None]) -> None:
    """``act`` may still push something before the clients of this process send what they have and end."""
    _exit_hook.run_before(act)


def before_end(act: Callable[[], None], limit: Callable[[], float]) -> None:
    """As ``before_exit``, and also before SIGTERM ends this process; it takes ``limit()`` seconds at most."""
    before_exit(act)
    _before_sigterm.append((act, limit))


def close_on_sigterm() -> None:
    """From now on SIGTERM, where it would end this process at once, first closes every Relay of the process, which ends
    its handlers (their ``grace`` at most) and sends what is queued (``close_timeout`` at most). For programs that handle
    no signals themselves.

    In the main thread. Raises RuntimeError when something handles SIGTERM already: close the relay there.
    """
    before_sigterm(_close_all, _longest_close)


def refuse_finalizing() -> None:
    """To be called before any lock is taken: the threads that hold one run no more. Raises RelayClosed."""
    if sys.is_finalizing():
        raise RelayClosed("the interpreter is shutting down, its threads have ended: nothing can be sent any more")


def _longest_close() -> float:
    close = max((each.close_timeout(None) for each in list(_senders)), default=0.0) + _GRACE
    return close + sum(limit() for _, limit in _before_sigterm)


def _close_all() -> None:
    for act, _ in _before_sigterm:
        act()
    ends = [sender.close() for sender in list(_senders)]
    ends += [io.close(io.close_timeout) for io in list(IoThread.running)]  # also those of dropped ones
    for ended in ends:
        ended.result()


def _at_exit() -> None:
    for sender in list(_senders):
        sender._let_go()
    _end_at_exit(list(IoThread.running))


def _end_at_exit(threads: list[IoThread]) -> None:
    """All of them at once, so that the exit takes as long as the slowest may; what comes late in an exit has what is left
    of that."""
    begin = time.monotonic()
    ends = [(io.close_timeout, io.close(max(0.0, io.close_timeout - _spent[0]))) for io in threads]
    for limit, ended in ends:
        try:
            ended.result(max(0.0, begin + limit - time.monotonic()) + _GRACE)
        except FutureTimeout:
            ended.cancel()
            _log.error("an I/O thread did not end in time; the process exits without it")
    _spent[0] += time.monotonic() - begin


def _hand_over_notices(taken: Promise[Notices], request: Future[bytes]) -> None:
    try:
        taken.settle(answer.notices(request.result()))
    except BaseException as error:
        taken.settle(error)


_before_sigterm: list[tuple[Callable[[], None], Callable[[], float]]] = []
_spent = [0.0]  # seconds that this process' exit has waited


def _done() -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done


def _reset_senders_in_child() -> None:
    _spent[0] = 0.0
    _exit_hook.reset_in_child()
    for io in list(IoThread.running):  # also of dropped senders
        io.abandon_in_child()
    IoThread.running.clear()
    for sender in list(_senders):
        sender._reset_in_child()


_exit_hook = ExitHook(_at_exit)
_senders: weakref.WeakSet[Sender] = weakref.WeakSet()
os.register_at_fork(after_in_child=_reset_senders_in_child)
