"""Keeps the messages that this process has been given its own, and tells the relay what became of them."""

from __future__ import annotations

import enum
import json
import logging
import time
from collections import deque
from typing import Callable, Iterator

from .handover import Log, Promise
from .message import Held

# Codes of what may work later.
TRANSIENT = frozenset(("busy", "storage_full", "storage_failed", "storage_uncertain", "cluster_unavailable"))

_FIRST_NUMBER = 1 << 40  # of an errand on the line; far above those of requests
_MOST = 1000  # messages in one errand
_PART = 3  # of its lease has passed when it is extended
_PAUSE = 1.0  # seconds before what the relay refused for the moment is sent again
_REMEMBERED = 10_000  # messages that are done, and the relay knows


class _News(enum.Enum):
    new = enum.auto()  # it came
    again = enum.auto()  # it came, and was here
    done = enum.auto()
    given_back = enum.auto()


class _Errand:
    def __init__(self, op: str, held: list[Held]) -> None:
        self.op = op
        self.held = held


class Leases:
    """``hold``, ``settle`` and ``when_idle`` are thread-safe and may be called by finalizers in the midst of anything;
    the rest is the I/O thread's. Knows nothing of what another process, such as the one that this was forked from, holds.

    One errand of each kind is under way at a time, and what comes meanwhile goes together. ``done`` waits until the relay
    has taken what was pushed before: it says that the message has had its effect. One that a lost connection leaves
    without an answer is sent again, before any question for messages; no harm comes of it, also when the relay at the
    other end has forgotten all: no relay gives a number again.

    A relay that was restarted knows of no leases, and hands out what this process has already: that it is done is said,
    perhaps again, and what is not done is held on.
    """

    def __init__(self) -> None:
        self.ending = False  # no more messages are taken
        self._news: deque[tuple[_News, Held, int]] = deque()  # with the outbox's mark
        self._known: dict[int, Held] = {}  # by number; also what is given back, until the relay knows, and some that are done
        self._ended: deque[Held] = deque()  # done, and the relay knows
        self._idle: deque[Promise[None]] = deque()
        self._held: dict[int, Held] = {}  # by number
        self._done: deque[tuple[Held, int]] = deque()
        self._released: deque[Held] = deque()
        self._under_way: dict[int, _Errand] = {}
        self._last = _FIRST_NUMBER
        self._not_before = 0.0  # monotonic

    def hold(self, number: int, lease: float) -> Held | None:
        """What the relay has handed out. None: this process has it already."""
        known = self._known.get(number)
        if known is not None and known.is_done is not False:
            known.lease = lease
            self._news.append((_News.again, known, 0))
            return None
        self._known[number] = held = Held(number, lease)
        self._news.append((_News.new, held, 0))
        return held

    def settle(self, held: Held, done: bool, after: int) -> None:
        """``after``: the mark in the outbox of what must have been taken before it is done."""
        held.is_done = done
        self._news.append((_News.done if done else _News.given_back, held, after))

    def when_idle(self, promise: Promise[None]) -> None:
        """Settles it once the relay has answered all of that."""
        self._idle.append(promise)

    def end(self) -> None:
        """All that is held is given back, and so is what still comes."""
        self.ending = True

    @property
    def pending(self) -> bool:
        """Whether there is something to tell the relay, or to hear from it."""
        return bool(self._news or self._done or self._released or self._under_way or (self.ending and self._held))

    def is_due(self) -> bool:
        """Whether a line is needed now."""
        return (self.pending and time.monotonic() >= self._not_before) or self._until_extension() == 0

    def patience(self) -> float | None:
        """Seconds until ``errands`` is due. What is due already waits for the line."""
        waits = [self._until_extension()]
        if self._done or self._released:
            waits.append(max(0.0, self._not_before - time.monotonic()))
        return min((seconds for seconds in waits if seconds), default=None)

    def errands(self, passed: Callable[[int], bool]) -> Iterator[tuple[int, bytes]]:
        """What to send now. ``passed``: whether the relay has taken what was pushed up to a mark."""
        self._take_news()
        under_way = {errand.op for errand in self._under_way.values()}
        if time.monotonic() >= self._not_before:
            if self._released and "release" not in under_way:
                yield self._release()
            if "done" not in under_way:
                done: list[Held] = []
                while self._done and len(done) < _MOST and passed(self._done[0][1]):
                    done.append(self._done.popleft()[0])
                if done:
                    yield self._begin("done", done)
        if "extend" not in under_way:
            yield from self._extensions()

    def waits_for(self, passed: Callable[[int], bool]) -> bool:
        """Whether something waits for what was pushed before."""
        return bool(self._done) and time.monotonic() >= self._not_before and not passed(self._done[0][1])

    def refused(self) -> None:
        """The relay would not say whether it has taken what was pushed before."""
        self._not_before = time.monotonic() + _PAUSE

    def is_errand(self, number: int) -> bool:
        return number > _FIRST_NUMBER

    def answered(self, number: int, answer: bytes, log: Log) -> None:
        errand = self._under_way.pop(number, None)
        if errand is None:
            return
        body = json.loads(answer)
        if body["ok"]:
            self._forget(errand)
            return
        error = body["error"]
        if error["code"] in TRANSIENT:
            self.refused()
            self._put_back(errand)
        else:
            self._forget(errand)
            what = "the relay refused %s of %d messages: %s: %s"
            log(logging.WARNING, what, errand.op, len(errand.held), error["code"], error["message"])

    def resend(self) -> None:
        """The connection is gone, and with it what was sent over it."""
        for errand in reversed(list(self._under_way.values())):
            self._put_back(errand)
        self._under_way.clear()

    def serve(self) -> None:
        """To be called in each round of the thread."""
        self._take_news()
        if not self.pending:
            self.settle_idle()

    def settle_idle(self) -> None:
        while self._idle:
            self._idle.popleft().settle(None)

    def _take_news(self) -> None:
        while self._news:
            news, held, after = self._news.popleft()
            if news is _News.new:
                if self._released:  # by then without effect
                    self._released = deque(each for each in self._released if each.number != held.number)
                self._held[held.number] = held
            elif news is _News.again:
                self._tell_again(held)
            elif self._held.get(held.number) is held:
                del self._held[held.number]
                if news is _News.done:
                    self._done.append((held, after))
                else:
                    self._released.append(held)
            held.extend_at = time.monotonic() + held.lease / _PART
        if self.ending:
            self._released.extend(self._held.values())
            self._held.clear()

    def _tell_again(self, held: Held) -> None:
        """It is held, or its end is on its way, unless the relay has been told of that and has lost it."""
        if held.end_is_known:
            held.end_is_known = False
            self._done.append((held, 0))

    def _forget(self, errand: _Errand) -> None:
        """The relay has answered. What is done is remembered for a while: the relay may have handed it out before it was
        told, and under gevent that comes in late; or it lost its last seconds with the power."""
        if errand.op == "done":
            for held in errand.held:
                held.end_is_known = True
            self._ended.extend(errand.held)
            while len(self._ended) > _REMEMBERED:
                self._forget_one(self._ended.popleft())
        elif errand.op == "release":
            for held in errand.held:
                self._forget_one(held)

    def _forget_one(self, held: Held) -> None:
        if self._known.get(held.number) is held and (held.is_done is not True or held.end_is_known):
            del self._known[held.number]

    def _until_extension(self) -> float | None:
        earliest = min((held.extend_at for held in list(self._held.values())), default=None)
        return None if earliest is None else max(0.0, earliest - time.monotonic())

    def _extensions(self) -> Iterator[tuple[int, bytes]]:
        """One errand for each length of lease, with all that are held: they are due together soon."""
        if self._until_extension() != 0:
            return
        by_lease: dict[float, list[Held]] = {}
        for held in self._held.values():
            by_lease.setdefault(held.lease, []).append(held)
        for lease, all_held in by_lease.items():
            for held in all_held:
                held.extend_at = time.monotonic() + lease / _PART
            for first in range(0, len(all_held), _MOST):
                yield self._begin("extend", all_held[first : first + _MOST], lease=lease)

    def _release(self) -> tuple[int, bytes]:
        """Those that were tried and those that were not are told of apart, as they come."""
        tried = self._released[0].tried
        held: list[Held] = []
        while self._released and self._released[0].tried == tried and len(held) < _MOST:
            held.append(self._released.popleft())
        return self._begin("release", held, **({} if tried else {"untried": True}))

    def _begin(self, op: str, held: list[Held], **members: object) -> tuple[int, bytes]:
        self._last += 1
        self._under_way[self._last] = _Errand(op, held)
        numbers = {"n": [each.number for each in held]} if held else {}
        body: dict[str, object] = {"op": op, **numbers, **members}
        return self._last, json.dumps(body, separators=(",", ":")).encode()

    def _put_back(self, errand: _Errand) -> None:
        if errand.op == "done":
            self._done.extendleft((held, 0) for held in reversed(errand.held))
        elif errand.op == "release":
            self._released.extendleft(reversed(errand.held))
        elif errand.op == "extend":
            for held in errand.held:
                held.extend_at = time.monotonic()
