"""Confirmed commands and queries that wait for their answers."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError

from .errors import RelayUnavailable

MAX_REQUESTS = 1000  # that wait at a time


class Request:
    """Until ``answer`` is done, or cancelled by the caller who ran out of time, the I/O thread sends it again over
    every new connection.

    ``after``: the mark in the outbox up to which commands must have been applied before this one.
    """

    def __init__(self, number: int, body: bytes, after: int) -> None:
        self.number = number
        self.body = body
        self.after = after
        self.sent = False  # may have reached the relay
        self.answer: Future[bytes] = Future()

    def settle(self, answer: bytes | BaseException) -> None:
        try:
            if isinstance(answer, bytes):
                self.answer.set_result(answer)
            else:
                self.answer.set_exception(answer)
        except InvalidStateError:
            pass  # the caller has given up


class Requests:
    """In the order of the calls, bounded by count and bytes. Thread-safe.

    A request leaves as soon as its future is done, whoever did that.
    """

    def __init__(self, max_bytes: int, max_requests: int = MAX_REQUESTS) -> None:
        self._max_bytes = max_bytes
        self._max_requests = max_requests
        self._lock = threading.Lock()
        self._last = 0
        self._waiting: dict[int, Request] = {}  # oldest first
        self._unsent: dict[int, Request] = {}  # those of them that the present connection has not carried
        self._bytes = 0

    def fresh(self) -> Requests:
        """An empty one with the same limits: what a forked child starts with. Takes no lock."""
        return Requests(self._max_bytes, self._max_requests)

    def add(self, body: bytes, after: int) -> Request:
        with self._lock:
            if len(self._waiting) >= self._max_requests or self._bytes + len(body) > self._max_bytes:
                raise RelayUnavailable(
                    f"too much waits for answers already ({len(self._waiting)} requests, {self._bytes} bytes; limits "
                    f"{self._max_requests} and {self._max_bytes}): the relay is away or slower than this process"
                )
            self._last += 1
            request = Request(self._last, body, after)
            self._waiting[request.number] = request
            self._unsent[request.number] = request
            self._bytes += len(body)
        request.answer.add_done_callback(lambda _: self._forget(request))
        return request

    def get(self, number: int) -> Request | None:
        with self._lock:
            return self._waiting.get(number)

    def next(self) -> Request | None:
        """I/O thread: the oldest that was not sent over the present connection."""
        with self._lock:
            return next(iter(self._unsent.values()), None)

    def sent(self, request: Request) -> None:
        """I/O thread: over the present connection."""
        with self._lock:
            self._unsent.pop(request.number, None)

    def resend(self) -> None:
        """I/O thread: the connection is gone, and with it what was sent over it."""
        with self._lock:
            self._unsent = dict(self._waiting)

    def all(self) -> list[Request]:
        with self._lock:
            return list(self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    def _forget(self, request: Request) -> None:
        with self._lock:
            self._unsent.pop(request.number, None)
            if self._waiting.pop(request.number, None) is not None:
                self._bytes -= len(request.body)
