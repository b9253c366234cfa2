"""Takes messages from the relay's inbox, for all who do: loops and handlers, threads and coroutines."""

from __future__ import annotations

import asyncio
import logging
import math
from concurrent.futures import Future
from typing import Any

from .encoding import CommandEncoder
from .errors import CommandRejected, InvalidValue
from .handover import Promise
from .leases import TRANSIENT
from .message import Message
from .sender import Carrier

MAX_MESSAGES = 1000  # that the relay gives at a time
MAX_LEASE = 3600  # seconds
PAUSE = 1.0  # seconds before a relay is asked again that cannot give any now

# Seconds that the relay keeps a question open. What it hands out to somebody who has gone meanwhile, nobody handles before the
# lease is over: so whoever stops waits for the answer, and it must not take long.
WAIT = 1

_log = logging.getLogger("syncrelay")


class Receiver:
    """Asks again and again. Not thread-safe."""

    def __init__(self, sender: Carrier, encoder: CommandEncoder, lease: float, until_empty: bool) -> None:
        if isinstance(lease, bool) or not isinstance(lease, (int, float)) or not 1 <= lease <= MAX_LEASE:
            raise InvalidValue("lease", f"is {lease!r}; possible are 1 to {MAX_LEASE:,} seconds")
        self.until_empty = until_empty
        self._sender = sender
        self._encoder = encoder
        self._lease = int(lease) if float(lease).is_integer() else float(lease)
        self._refused = ""  # the code of the last answer

    def ask(self, most: int) -> Promise[list[Message]]:
        """For up to so many. Raises RelayClosed."""
        wait = 0 if self.until_empty else WAIT
        return self._sender.receive(self._encoder.receive(min(most, MAX_MESSAGES), wait, self._lease), self._lease)

    def taken(self, answer: Promise[list[Message]]) -> list[Message] | None:
        """Of an answer that has come. None: ask again, after a PAUSE. Raises RelayClosed, or CommandRejected for what
        will not change by asking again."""
        error = answer.exception()  # which would keep the loop when it was raised here
        if isinstance(error, CommandRejected) and error.code in TRANSIENT:
            if error.code != self._refused:
                _log.warning("the relay gives no messages for the moment: %s", error)
            self._refused = error.code
            return None
        self._refused = ""
        result = answer.result()
        messages = list(result)
        result.clear()  # the answer is not what keeps them
        return messages


def come(answer: Future[Any]) -> asyncio.Future[Any]:
    """To be waited for. Nothing is said about an error that nobody asks for."""
    wrapped = asyncio.wrap_future(answer)
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())
    return wrapped


def give_up(answer: Promise[list[Message]]) -> None:
    """Nobody waits for it: what comes is given back."""
    if answer.cancel() or answer.cancelled() or answer.exception() is not None:
        return
    for message in answer.result():
        message.release()


def checked_count(value: int, what: str, most: float = math.inf) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        limit = "" if most == math.inf else f", up to {most:,}"
        raise InvalidValue(what, f"is {value!r}; it must be a whole number above 0{limit}")
    return value
