"""Confirmed commands and queries that are unanswered."""

from __future__ import annotations

from .errors import RelayUnavailable
from .handover import Promise
from .threads import OwnedLock

MAX_REQUESTS = 1000  # that wait at a time


class Request:
    """Until ``answer`` is done, or cancelled by the caller who ran out of time, the I/O thread sends it again over
    every new connection.

    ``after``: the mark in the outbox up to which commands must have been applied before this one.
    ``id``: a command's; None for a query.
    """

    def __init__(self, number: int, body: bytes, after: int, id: str | None = None) -> None:
        self.number = number
        self.body = body
        self.after = after
        self.id = id
        self.sent = False  # may have reached the relay; once the caller has given up it changes no more
        self.put_off = False  # the relay has answered that its cluster could not take it
        self.answer: Promise[bytes] = Promise()

    def effect(self) -> str:
        """What may be said of an unanswered command."""
        if not self.sent:
            return "the command was not sent and has no effect"
        return (
            "the command may or may not have taken effect, and comes before all that this Relay is called with later; "
            f"to be sure, repeat it with id={self.id!r}"
        )

    def settle(self, answer: bytes | BaseException) -> None:
        self.answer.settle(answer)


class Requests:
    """In the order of the calls, bounded by count and bytes. Thread-safe.

    A request leaves as soon as its future is done, whoever did that. But a command whose caller gave up while it was
    under way stays, as a doubt: it may take effect yet, so that what comes later must not overtake it. It is sent
    again like those that somebody waits for, ahead of what comes later, until it is answered or the doubts are ended.
    To take its id by a command that does nothing would end a doubt as well, but would make a repetition with that id do
    nothing, too.
    """

    def __init__(self, max_bytes: int, max_requests: int = MAX_REQUESTS) -> None:
        self._max_bytes = max_bytes
        self._max_requests = max_requests
        self._lock = OwnedLock()
        self._last = 0
        self._waiting: dict[int, Request] = {}  # oldest first
        self._doubts: dict[int, Request] = {}
        self._unsent: dict[int, Request] = {}  # those of both that the present connection has not carried
        self._bytes = 0

    def fresh(self) -> Requests:
        """An empty one with the same limits: what a forked child starts with. Takes no lock."""
        return Requests(self._max_bytes, self._max_requests)

    def add(self, body: bytes, after: int, id: str | None = None) -> Request:
        with self._lock:
            count = len(self._waiting) + len(self._doubts)
            if count >= self._max_requests or self._bytes + len(body) > self._max_bytes:
                raise RelayUnavailable(
                    f"too much waits for answers already ({count} requests, {self._bytes} bytes; limits "
                    f"{self._max_requests} and {self._max_bytes}): the relay is away or slower than this process"
                )
            self._last += 1
            request = Request(self._last, body, after, id)
            self._waiting[request.number] = request
            self._unsent[request.number] = request
            self._bytes += len(body)
        request.answer.add_done_callback(lambda _: self._forget(request))
        return request

    def take(self, number: int) -> Request | None:
        """I/O thread: the relay has answered it; from now on it is in doubt no more."""
        with self._lock:
            request = self._waiting.get(number) or self._doubts.get(number)
            if request is not None:
                self._remove(request)
            return request

    def next(self) -> Request | None:
        """I/O thread: the oldest that was not sent over the present connection."""
        with self._lock:
            return next(iter(self._unsent.values()), None)

    def begin(self, request: Request) -> bool:
        """I/O thread: to be asked before it is sent over the present connection. False: it is withdrawn."""
        with self._lock:
            if self._unsent.pop(request.number, None) is None:
                return False
            request.sent = True
            return True

    def resend(self) -> None:
        """I/O thread: the connection is gone, and with it what was sent over it."""
        with self._lock:
            self._unsent = dict(sorted((self._waiting | self._doubts).items()))

    def again(self, number: int) -> bool:
        """I/O thread: a command that the relay could not take now is to be sent over the present connection once more, in its
        turn. False: it has no id, or nobody waits for it any more."""
        with self._lock:
            request = self._waiting.get(number)
            if request is None or request.id is None:
                return False
            request.put_off = True
            self._unsent = dict(sorted((self._unsent | {number: request}).items()))
            return True

    def is_mine(self) -> bool:
        """As Outbox.is_mine."""
        return self._lock.is_mine()

    def in_doubt(self) -> bool:
        """Whether commands that timed out may take effect yet. Takes no lock: true from the moment the caller knows."""
        return bool(self._doubts)

    def doubts_before(self, request: Request) -> bool:
        with self._lock:
            return any(number < request.number for number in self._doubts)

    def end_doubts(self) -> None:
        """I/O thread: they are not sent again, and nobody waits for their fate."""
        with self._lock:
            for request in list(self._doubts.values()):
                self._remove(request)

    def all(self) -> list[Request]:
        with self._lock:
            return list(self._waiting.values())

    def __len__(self) -> int:
        """Those that somebody waits for."""
        return len(self._waiting)

    def _forget(self, request: Request) -> None:
        """The future is done. Runs in the thread that did it, before that goes on."""
        with self._lock:
            if request.number not in self._waiting:
                return  # answered
            if request.sent and request.id is not None and request.answer.cancelled():
                self._doubts[request.number] = self._waiting.pop(request.number)
            else:
                self._remove(request)

    def _remove(self, request: Request) -> None:
        self._unsent.pop(request.number, None)
        self._waiting.pop(request.number, None)
        self._doubts.pop(request.number, None)
        self._bytes -= len(request.body)
