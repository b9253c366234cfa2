"""Takes messages from the relay's inbox, and notices, for all who do: loops and handlers, threads and coroutines."""

from __future__ import annotations

import asyncio
import logging
import math
from abc import ABC, abstractmethod
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from .carrier import Carrier
from .encoding import CommandEncoder
from .errors import CommandRejected, InvalidValue
from .handover import Promise
from .leases import TRANSIENT
from .message import Message
from .notice import Notices

T = TypeVar("T")

MAX_MESSAGES = 1000  # that the relay gives at a time
MAX_LEASE = 3600  # seconds
PAUSE = 1.0  # seconds before a relay is asked again that cannot give any now

# Seconds that the relay keeps a question open. What it hands out to somebody who has gone meanwhile, nobody handles before the
# lease is over: so whoever stops waits for the answer, and it must not take long.
WAIT = 1

_log = logging.getLogger("syncrelay")


class Asker(ABC, Generic[T]):
    """Asks again and again; ``T`` is what an answer brings. Not thread-safe."""

    def __init__(self, sender: Carrier, encoder: CommandEncoder, until_empty: bool) -> None:
        self.until_empty = until_empty
        self._sender = sender
        self._encoder = encoder
        self._refused = ""  # the code of the last answer

    @abstractmethod
    def ask(self, most: int) -> Promise[Any]:
        """For up to so many. Raises RelayClosed."""

    def taken(self, answer: Promise[Any]) -> T | None:
        """Of an answer that has come. None: ask again, after a PAUSE. Raises RelayClosed, or CommandRejected for what
        will not change by asking again."""
        error = answer.exception()  # which would keep the loop when it was raised here
        if isinstance(error, CommandRejected) and error.code in TRANSIENT:
            if error.code != self._refused:
                _log.warning("the relay gives no messages for the moment: %s", error)
            self._refused = error.code
            return None
        self._refused = ""
        return self._result(answer)

    def give_up(self, answer: Promise[Any]) -> None:
        """Nobody waits for it any more."""
        answer.cancel()

    @property
    def _wait(self) -> int:
        return 0 if self.until_empty else WAIT

    @abstractmethod
    def _result(self, answer: Promise[Any]) -> T | None: ...


class Receiver(Asker["list[Message]"]):
    """Of messages."""

    def __init__(self, sender: Carrier, encoder: CommandEncoder, lease: float, until_empty: bool) -> None:
        super().__init__(sender, encoder, until_empty)
        if isinstance(lease, bool) or not isinstance(lease, (int, float)) or not 1 <= lease <= MAX_LEASE:
            raise InvalidValue("lease", f"is {lease!r}; possible are 1 to {MAX_LEASE:,} seconds")
        self._lease = int(lease) if float(lease).is_integer() else float(lease)

    def ask(self, most: int) -> Promise[list[Message] | None]:
        return self._sender.receive(self._encoder.receive(min(most, MAX_MESSAGES), self._wait, self._lease), self._lease)

    def give_up(self, answer: Promise[list[Message] | None]) -> None:
        """What comes is given back."""
        if answer.cancel() or answer.cancelled() or answer.exception() is not None:
            return
        for message in answer.result() or ():
            message.release()

    def _result(self, answer: Promise[list[Message] | None]) -> list[Message] | None:
        result = answer.result()
        if result is None:
            return None
        messages = list(result)
        result.clear()  # the answer is not what keeps them
        return messages


class NoticeReceiver(Asker[Notices]):
    """Of notices alone, so that the relay does not take who asks for them for somebody who handles messages."""

    def __init__(self, sender: Carrier, encoder: CommandEncoder, kinds: list[str], until_empty: bool) -> None:
        super().__init__(sender, encoder, until_empty)
        self._kinds = kinds

    def ask(self, most: int) -> Promise[Notices]:
        return self._sender.receive_notices(self._encoder.receive(min(most, MAX_MESSAGES), self._wait, None, self._kinds))

    def _result(self, answer: Promise[Notices]) -> Notices:
        return answer.result()


def come(answer: Future[Any]) -> asyncio.Future[Any]:
    """To be waited for. Nothing is said about an error that nobody asks for."""
    wrapped = asyncio.wrap_future(answer)
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())
    return wrapped


def checked_count(value: int, what: str, most: float = math.inf) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        limit = "" if most == math.inf else f", up to {most:,}"
        raise InvalidValue(what, f"is {value!r}; it must be a whole number above 0{limit}")
    return value
