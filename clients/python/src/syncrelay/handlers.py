"""Which function is called for which message."""

from __future__ import annotations

import json
import logging
from typing import Any, Callable, Optional, TypeVar

from .errors import InvalidValue
from .members import checked_message_type, checked_name
from .message import Message

F = TypeVar("F", bound=Callable[[Message], Any])
OnDead = TypeVar("OnDead", bound=Callable[[Message, Exception], Any])

_MOST_UNKNOWN = 100  # types that are named in the log; clients can make up any number

_log = logging.getLogger("syncrelay")


class Handler:
    def __init__(self, function: Callable[[Message], Any], attempts: int) -> None:
        self.function = function
        self.attempts = attempts


class Handlers:
    """By type. To be filled before messages are taken; a type has one."""

    def __init__(self) -> None:
        self._by_type: dict[str, Handler] = {}
        self._unknown: set[str] = set()
        self.on_dead: Optional[Callable[[Message, Exception], Any]] = None

    def __len__(self) -> int:
        return len(self._by_type)

    def add(self, types: tuple[str, ...], handler: Handler) -> None:
        for type in types:
            if checked_name(type, "type") in self._by_type:
                raise ValueError(f"messages of the type {type!r} have a handler already")
        self._by_type.update(dict.fromkeys(types, handler))

    def of(self, message: Message) -> Handler | None:
        """None, and once a log line: there is none."""
        handler = self._by_type.get(message.type)
        if handler is None and message.type not in self._unknown and len(self._unknown) < _MOST_UNKNOWN:
            self._unknown.add(message.type)
            more = "; other types will not be named" if len(self._unknown) == _MOST_UNKNOWN else ""
            what = "no handler for messages of the type %r: they are done with%s"
            _log.warning(what, message.type[:200], more)
        return handler


class Handling:
    """What registers handlers, with a Relay as with an AsyncRelay that shares it."""

    _handlers: Handlers

    def on(self, type: str, *types: str, attempts: int = 5) -> Callable[[F], F]:
        """Decorates the function, or coroutine function, that is called with each message of these types:

            @relay.on("say")
            def say(message):
                relay.broadcast("said", message.data)

        The message is done when it returns. When it raises, the message is given back, after a pause, and whoever gets it
        tries again; at the attempt number ``attempts`` it is for ``on_dead``. ``run``, ``start`` or ``serve`` begins.
        """
        for each in (type, *types):
            checked_message_type(each)
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise InvalidValue("attempts", f"is {attempts!r}; it must be a whole number above 0")

        def register(function: F) -> F:
            self._handlers.add((type, *types), Handler(function, attempts))
            return function

        return register

    def on_dead(self, function: OnDead) -> OnDead:
        """Decorates the function that is called with a message whose handler has failed at its last attempt, and with the
        error; the message is done afterwards. Without one, and when it fails itself, the whole message is in the log."""
        self._handlers.on_dead = function
        return function


def whole(message: Message) -> str:
    """For the log."""
    about = {"number": message.number, "id": message.id, "connection": message.connection, "channel": message.channel}
    return json.dumps({**about, "ts": message.ts, "attempt": message.attempt, "body": message.body}, ensure_ascii=False)
