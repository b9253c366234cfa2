"""For your own tests: a relay without a relay.

    from syncrelay import AsyncRelay
    from syncrelay.testing import FakeRelay

    relay = FakeRelay()                        # wherever a Relay is expected
    record_verdict(relay, winner=1)
    assert relay.commands == [{"op": "broadcast", "type": "comparison:advanced", "data": {"winner": 1}}]

    relay = AsyncRelay(relay=FakeRelay())      # wherever an AsyncRelay is expected
"""

from __future__ import annotations

import copy
import json
import os
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Callable, Iterable, TypeVar

from .answer import Client
from .channel import Channel
from .encoding import DEFAULT_MAX_COMMAND, CommandEncoder
from .epoch import OnNewEpoch
from .errors import RelayClosed, RelayUnavailable
from .memory_relay import MemoryRelay
from .options import Options
from .outbox import WhenFull
from .plain import Default
from .relay import Relay
from .request import Request
from .threads import OwnedLock

T = TypeVar("T")

REJECTION_CODES = frozenset(
    "invalid_json not_a_number invalid_utf8 lone_surrogate trailing_bytes too_large too_deep not_an_object "
    "missing_member unknown_member duplicate_member wrong_type unknown_op invalid_key invalid_type reserved_type "
    "invalid_id multipart state_full storage_full storage_failed busy no_storage storage_uncertain invalid_channel channels_full "
    "conflict invalid_version invalid_ttl invalid_batch invalid_limit".split()
)


class FakeRelay(Relay):
    """Takes commands, keeps state and answers by the relay's rules; starts no thread and opens no socket. Thread-safe.

    Values are checked as a Relay does it, and are compared as clients would see them: as JSON, tuples being lists.
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
        state_keys: Iterable[str] = ("comparison", "radio"),
    ) -> None:
        """Takes what a Relay takes and checks it alike, so that it can be made in the place of one; the addresses lead
        nowhere. ``state_keys``: those that the relay is configured with."""
        options = Options(endpoint, control, when_full, max_queue_commands, max_queue_bytes, max_command, on_new_epoch)
        self._on_new_epoch = on_new_epoch
        addresses = ("fake", "fake") if endpoint is None else (options.endpoint, options.control or "fake")
        self._fake = _FakeSender(MemoryRelay(state_keys), when_full, max_queue_commands, max_queue_bytes, addresses)
        self._use(CommandEncoder(options.max_command, default), self._fake)

    def channel(self, name: str) -> FakeChannel:
        return FakeChannel(self, name)

    @property
    def commands(self) -> list[dict[str, Any]]:
        """All that took effect, to any channel, oldest first, without their ids; confirmed or not. A batch is one."""
        return self._fake.copied(lambda relay: relay.commands)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What connected clients were sent, oldest first: ``type``, ``data``, ``ts``, ``seq``, perhaps ``set``. Those of the
        default channel; ``fake.channel(name).events`` are those of another, which have ``channel``, too."""
        return self._fake.copied(lambda relay: relay.events_of(""))

    @property
    def all_events(self) -> list[dict[str, Any]]:
        """Of all channels, in the order in which a client that follows several gets them."""
        return self._fake.copied(lambda relay: relay.events)

    @property
    def stored(self) -> dict[str, Any]:
        """The state by key; unlike ``state()`` also while unreachable or closed. ``fake.channel(name)`` has its own."""
        return self._fake.copied(lambda relay: relay.state_of(""))

    def connect(self, *clients: Client) -> None:
        """Who follows the default channel from now on, and is listed by ``clients()``. ``fake.channel(name)`` has its own."""
        self._fake.follow("", clients)

    def advance(self, seconds: float) -> None:
        """Moves the relay's clock, which stands still otherwise: keys whose ``ttl`` is over go, and clients are told."""
        if not seconds >= 0:
            raise ValueError("time goes forward only")
        self._fake.advance(seconds)

    def restart(self) -> object:
        """As a relay without ``--data`` restarts: no state, no ids, a new epoch. Calls ``on_new_epoch`` itself, in this
        thread, and returns what that returns, for the test to await where it is a coroutine."""
        self._fake.restart()
        return None if self._on_new_epoch is None else self._on_new_epoch(self._fake.relay.epoch)

    def reject(self, code: str, message: str = "refused by the test", offset: int = 0, times: int = 1) -> None:
        """The next ``times`` commands have no effect; those that want to be confirmed raise CommandRejected."""
        if code not in REJECTION_CODES:
            raise ValueError(f"{code!r} is none of the relay's codes: {', '.join(sorted(REJECTION_CODES))}")
        error = {"code": code, "message": message, "offset": offset}
        self._fake.rejections += [{"ok": False, "error": error}] * times

    def lose_answer(self, times: int = 1) -> None:
        """The next ``times`` confirmed commands take effect, but their callers get ConfirmTimeout, at once."""
        self._fake.answers_to_lose += times

    def go_away(self) -> None:
        """Unreachable: commands wait in the queue, and whoever wants an answer gets a timeout, at once."""
        self._fake.away = True

    def come_back(self) -> None:
        """Reachable again: what waited takes effect, in order."""
        self._fake.come_back()


class FakeChannel(Channel):
    """What ``channel(name)`` of a FakeRelay gives."""

    def __init__(self, relay: FakeRelay, name: str) -> None:
        super().__init__(relay, name)
        self._fake = relay._fake

    @property
    def events(self) -> list[dict[str, Any]]:
        """What those who follow this channel were sent, oldest first: ``type``, ``channel``, ``data``, ``ts``, ``seq``,
        perhaps ``set``."""
        return self._fake.copied(lambda relay: relay.events_of(self.name))

    @property
    def stored(self) -> dict[str, Any]:
        """The state by key, as ``FakeRelay.stored``."""
        return self._fake.copied(lambda relay: relay.state_of(self.name))

    def connect(self, *clients: Client) -> None:
        """Who follows this channel from now on, until it is dropped."""
        self._fake.follow(self.name, clients)


class _FakeSender:
    """A Carrier that ends in a MemoryRelay. The lock guards all; what the relay will not answer times out at once."""

    started = True
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
                    return request
                self.answers_to_lose -= 1
        request.settle(FutureTimeout())
        return request

    def follow(self, channel: str, clients: Iterable[Client]) -> None:
        followers = list(clients)
        for client in followers:
            if not isinstance(client, Client):
                raise TypeError(f"a client is a syncrelay.Client, e.g. Client(id=1), not {client!r}")
        with self._lock:
            self.relay.follow(channel, followers)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.relay.advance(seconds)

    def losses_told(self) -> int:
        return 0

    def tell_losses(self, told_before: int) -> None:
        """It loses nothing."""

    def restart(self) -> None:
        with self._lock:
            self.relay.restart()

    def why_unanswered(self, request: Request) -> str:
        return "the test made it unreachable" if self.away else "the test lost the answer"

    def come_back(self) -> None:
        with self._lock:
            self.away = False
            while self._queue:
                self._answer(self._queue.popleft())

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
            done: Future[None] = Future()
            done.set_result(None)
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
        is_query = request["op"] in ("state", "clients", "channels", "stats")
        if self.rejections and not is_query:
            return json.dumps(self.rejections.pop(0)).encode()
        return json.dumps(self.relay.answer(request)).encode()
