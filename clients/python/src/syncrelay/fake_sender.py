"""Behind a FakeRelay."""

from __future__ import annotations

import copy
import json
import time
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Callable, TypeVar

from .errors import RelayClosed, RelayUnavailable
from .handover import Promise
from .memory_relay import MemoryRelay
from .message import Held, Message
from .notice import Notices, as_notices
from .outbox import WhenFull
from .request import Request
from .threads import OwnedLock

T = TypeVar("T")

_QUERIES = frozenset("state clients channels stats members disconnect receive done extend release".split())


class _Question:
    """Somebody asks for what the relay hands out; ``result``: what becomes of the answer."""

    def __init__(self, request: dict[str, Any], result: Callable[[dict[str, Any]], Any]) -> None:
        self.request = request
        self.result = result
        self.waits: bool = request["wait"] > 0
        self.answer: Promise[Any] = Promise()


class FakeSender:
    """A Carrier that ends in a MemoryRelay. The lock guards all; what the relay will not answer times out at once."""

    started = True
    in_real_time = False
    in_doubt = False  # what is not answered has taken effect, or never will

    def __init__(
        self, relay: MemoryRelay, when_full: WhenFull, max_commands: int, max_bytes: int, addresses: tuple[str, str]
    ) -> None:
        self.relay = relay
        self.endpoint, self.control = addresses
        self.away = False
        self.closed = False
        self.dropped = 0
        self.rejections: list[dict[str, Any]] = []
        self.answers_to_lose = 0
        self._when_full = when_full
        self._max_commands = max_commands
        self._max_bytes = max_bytes
        self._queue: deque[bytes] = deque()
        self._aside: deque[bytes] = deque()  # from finalizers, as in Outbox
        self._lock = OwnedLock()
        self._open: list[_Question] = []
        self._settled: deque[tuple[Held, bool]] = deque()

    @property
    def queued(self) -> int:
        return len(self._queue)

    def copied(self, part: Callable[[MemoryRelay], T]) -> T:
        with self._lock:
            return copy.deepcopy(part(self.relay))

    def post(self, command: bytes) -> None:
        self._aside.append(command)
        while self._aside and not self._lock.is_mine():
            with self._lock:
                self._check_open()
                self._take(self._aside.popleft())

    def request(self, body: bytes, id: str | None = None) -> Request:
        request = Request(0, body, 0, id)
        with self._lock:
            self._check_open()
            if not self.away:
                request.sent = True
                answer = self._answer(body)
                if id is None or self.answers_to_lose == 0:
                    request.settle(answer)
                else:
                    self.answers_to_lose -= 1
        if request.answer.done():
            self._hand_out()
        else:
            request.settle(FutureTimeout())
        return request

    def act(self, part: Callable[[MemoryRelay], object]) -> None:
        with self._lock:
            part(self.relay)

    def play(self, part: Callable[[MemoryRelay], object]) -> None:
        """What a client does; whoever waits for it gets it."""
        self.act(part)
        self._hand_out()

    def receive(self, body: bytes, lease: float) -> Promise[list[Message] | None]:
        return self._ask(body, self._messages)

    def receive_notices(self, body: bytes) -> Promise[Notices]:
        return self._ask(body, as_notices)

    def end_receive(self, taken: Promise[Any]) -> None:
        with self._lock:
            for question in self._open:
                question.waits = question.waits and question.answer is not taken
        self._hand_out()

    def notice_handled(self) -> None:
        self.act(lambda relay: relay.notices.handled())

    def messages_settled(self) -> Future[None]:
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def wait_until(self, condition: Callable[[MemoryRelay], bool], timeout: float) -> bool:
        end = time.monotonic() + timeout
        while not self.copied(condition):
            if time.monotonic() >= end:
                return False
            time.sleep(0.005)
        return True

    def _ask(self, body: bytes, result: Callable[[dict[str, Any]], T]) -> Promise[T]:
        question = _Question(json.loads(body), result)
        with self._lock:
            self._check_open()
            self._open.append(question)
        self._hand_out()
        return question.answer

    def _messages(self, body: dict[str, Any]) -> list[Message]:
        return [Message(event, Held(event["n"], 0.0), self._settle) for event in body["events"]]

    def _hand_out(self) -> None:
        """To those who wait, and who want no waiting. Outside of the lock nobody is answered before another who asked
        first."""
        answers: list[tuple[_Question, Any]] = []
        with self._lock:
            self._take_settled()
            still_open = []
            for question in self._open:
                if question.answer.cancelled():
                    continue
                body = {"events": []} if self.away else self.relay.answer(question.request)
                if body["events"] or not (question.waits or self.away):
                    answers.append((question, question.result(body)))
                else:
                    still_open.append(question)
            self._open = still_open
        for question, result in answers:
            question.answer.settle(result)

    def _settle(self, held: Held, done: bool) -> None:
        self._settled.append((held, done))
        if self._lock.is_mine():
            return  # a finalizer; whoever has the lock sees to it
        with self._lock:
            self._take_settled()
        self._hand_out()

    def _take_settled(self) -> None:
        while self._settled:
            held, done = self._settled.popleft()
            if done:
                self.relay.inbox.done([held.number])
            else:
                self.relay.inbox.release([held.number], untried=not held.tried)

    def losses_told(self) -> int:
        return 0

    def tell_losses(self, told_before: int) -> None:
        """It loses nothing."""

    def why_unanswered(self, request: Request) -> str:
        return "the test made it unreachable" if self.away else "the test lost the answer"

    def come_back(self) -> None:
        with self._lock:
            self.away = False
            while self._queue:
                self._answer(self._queue.popleft())
        self._hand_out()

    def flush(self) -> Future[None]:
        with self._lock:
            self._check_open()
            done: Future[None] = Future()
            if self._queue:
                done.set_exception(FutureTimeout())
            else:
                done.set_result(None)
            return done

    def close(self, timeout: float | None = None) -> Future[None]:
        with self._lock:
            self.closed = True
            still_open, self._open = self._open, []
            done: Future[None] = Future()
            done.set_result(None)
        for question in still_open:
            question.answer.settle(RelayClosed("this relay client is closed"))
        return done

    def close_timeout(self, timeout: float | None) -> float:
        return 0.0

    def _check_open(self) -> None:
        if self.closed:
            raise RelayClosed("this relay client is closed")

    def _enqueue(self, command: bytes) -> None:
        size = len(command)
        while self._queue and (len(self._queue) >= self._max_commands or self._queued_bytes() + size > self._max_bytes):
            if self._when_full == "raise":
                raise RelayUnavailable(f"the queue is full ({len(self._queue)} commands): the test made the relay away")
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(command)

    def _queued_bytes(self) -> int:
        return sum(map(len, self._queue))

    def _take(self, command: bytes) -> None:
        if self.away:
            self._enqueue(command)
        else:
            self._answer(command)

    def _answer(self, body: bytes) -> bytes:
        request = json.loads(body)
        if self.rejections and request["op"] not in _QUERIES:
            return json.dumps(self.rejections.pop(0)).encode()
        return json.dumps(self.relay.answer(request)).encode()
