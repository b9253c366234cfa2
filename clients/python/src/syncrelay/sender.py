"""What a relay client keeps behind its methods: the outbox, the thread of this process, forks and exits."""

from __future__ import annotations

import os
import weakref
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Protocol

from .drops import DropReport
from .endpoint import no_control, why_unreachable
from .epoch import EpochWatch, OnNewEpoch
from .errors import RelayClosed, RelayUnavailable
from .exits import ExitHook, before_sigterm
from .io_thread import IoThread
from .outbox import Outbox
from .request import Request, Requests
from .threads import new_lock, refuse_eventlet


class Carrier(Protocol):
    """What a client needs behind its methods: a Sender, or in tests something that acts like one."""

    @property
    def endpoint(self) -> str: ...
    @property
    def control(self) -> str | None: ...
    @property
    def queued(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def in_doubt(self) -> bool: ...
    @property
    def started(self) -> bool: ...
    def post(self, command: bytes) -> None: ...
    def request(self, body: bytes, id: str | None = None) -> Request: ...
    def why_unanswered(self, request: Request) -> str: ...
    def flush(self) -> Future[None]: ...
    def close(self, timeout: float | None = None) -> Future[None]: ...
    def close_timeout(self, timeout: float | None) -> float: ...


class Sender:
    """Thread-safe. The I/O thread starts with the first command, so that creating one before a fork costs nothing.

    A forked child starts afresh: empty queue, its own thread and socket. What its parent had queued, its parent sends.
    """

    def __init__(
        self, endpoint: str, control: str | None, outbox: Outbox, close_timeout: float, hook: OnNewEpoch = None
    ) -> None:
        self._endpoint = endpoint
        self._control = control
        self._outbox = outbox
        self._requests = Requests(outbox.max_bytes)
        outbox.hold_while(self._requests.in_doubt)
        self._epochs = EpochWatch(hook)
        self._close_timeout = close_timeout
        self._io: IoThread | None = None
        self._start_lock = new_lock()
        self._drops = DropReport()
        self._exit_hook = ExitHook(self._at_exit)
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
        io = self._io or self._start()
        if self._outbox.put(command):
            io.wake()
        self._drops.update(self._outbox.dropped)

    def request(self, body: bytes, id: str | None = None) -> Request:
        if self._outbox.closed:
            raise RelayClosed("this relay client is closed")
        if self._control is None:
            raise no_control(self._endpoint)
        refuse_eventlet()
        return (self._io or self._start()).request(body, id)

    def why_unanswered(self, request: Request) -> str:
        io = self._io
        if io is None or not io.answers:
            return why_unreachable(self._control or "")
        if self._requests.doubts_before(request):
            return "it is there, but has not yet answered a confirmed command that timed out before"
        if self.queued:
            return f"it has not yet taken the commands before, at {self._endpoint}"
        return "it is there, but busy"

    def flush(self) -> Future[None]:
        if self._outbox.closed:
            raise RelayClosed("this relay client is closed")
        refuse_eventlet()
        return _done() if self._io is None else self._io.flush()

    def close(self, timeout: float | None = None) -> Future[None]:
        with self._start_lock:
            self._outbox.close()
        self._exit_hook.unset()
        self._drops.update(self._outbox.dropped, last=True)
        return _done() if self._io is None else self._io.close(self.close_timeout(timeout))

    def close_timeout(self, timeout: float | None) -> float:
        return self._close_timeout if timeout is None else timeout

    def _start(self) -> IoThread:
        with self._start_lock:
            if self._outbox.closed:
                raise RelayClosed("this relay client is closed")
            if self._io is None:
                try:
                    io = IoThread(self._endpoint, self._control, self._outbox, self._requests, self._epochs)
                    io.start()
                except (OSError, RuntimeError) as error:  # no descriptors, no threads, or the interpreter is exiting
                    raise RelayUnavailable(f"cannot start the I/O thread: {error}") from error
                self._io = io
                self._exit_hook.set()
            return self._io

    def _at_exit(self) -> None:
        ended = self.close()
        try:
            ended.result(self._close_timeout + 1.0)
        except FutureTimeout:
            ended.cancel()  # the thread is stuck inside ZeroMQ; an exit must not wait for it

    def _reset_in_child(self) -> None:
        """Runs in the child before anything else; takes no lock, since other threads may have held any of them."""
        closed = self._outbox.closed
        self._outbox = self._outbox.fresh()
        self._outbox.closed = closed
        self._requests = self._requests.fresh()
        self._outbox.hold_while(self._requests.in_doubt)
        self._epochs = self._epochs.fresh()
        self._start_lock = new_lock()
        self._drops = DropReport()
        if self._io is not None:
            self._io.abandon_in_child()
            self._io = None


def close_on_sigterm() -> None:
    """From now on SIGTERM, where it would end this process at once, first closes every Relay of the process, which sends
    what is queued (``close_timeout`` at most). For programs that handle no signals themselves.

    In the main thread. Raises RuntimeError when something handles SIGTERM already: close the relay there.
    """
    before_sigterm(_close_all, lambda: max((each.close_timeout(None) for each in list(_senders)), default=0.0) + 1.0)


def _close_all() -> None:
    for ended in [sender.close() for sender in list(_senders)]:
        ended.result()


def _done() -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done


def _reset_senders_in_child() -> None:
    for sender in list(_senders):
        sender._reset_in_child()


_senders: weakref.WeakSet[Sender] = weakref.WeakSet()
os.register_at_fork(after_in_child=_reset_senders_in_child)
