"""Which function is called for which message."""

from __future__ import annotations

import json
from typing import Any, Callable, Optional, TypeVar

from .errors import InvalidValue
from .members import checked_message_type, checked_name
from .message import Message
from .notice import KINDS, Notice

F = TypeVar("F", bound=Callable[[Message], Any])
N = TypeVar("N", bound=Callable[[Notice], Any])
OnDead = TypeVar("OnDead", bound=Callable[[Message, Exception], Any])


class Handler:
    def __init__(self, function: Callable[[Message], Any], attempts: int) -> None:
        self.function = function
        self.attempts = attempts


class NoticeHandlers:
    """By kind. To be filled before notices are taken; a kind has one."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Callable[[Notice], Any]] = {}

    def __len__(self) -> int:
        return len(self._by_kind)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in KINDS if kind in self._by_kind]

    def add(self, kinds: tuple[str, ...], function: Callable[[Notice], Any]) -> None:
        for kind in kinds:
            if kind in self._by_kind:
                raise ValueError(f"notices of the kind {kind!r} have a handler already")
        self._by_kind.update(dict.fromkeys(kinds, function))

    def of(self, notice: Notice) -> Callable[[Notice], Any]:
        return self._by_kind[notice.event]


class Handlers:
    """By type. To be filled before messages are taken; a type has one, and so have all others together."""

    def __init__(self) -> None:
        self._by_type: dict[str, Handler] = {}
        self._of_others: Optional[Handler] = None
        self.on_dead: Optional[Callable[[Message, Exception], Any]] = None
        self.notices = NoticeHandlers()

    @property
    def of_messages(self) -> bool:
        """Whether there are any."""
        return bool(self._by_type) or self._of_others is not None

    def __bool__(self) -> bool:
        """Whether there are any, of messages or notices."""
        return self.of_messages or bool(self.notices)

    def add(self, types: tuple[str, ...], handler: Handler) -> None:
        """No types: all that have none of their own."""
        if not types:
            if self._of_others is not None:
                raise ValueError("messages of all other types have a handler already")
            self._of_others = handler
        for type in types:
            if checked_name(type, "type") in self._by_type:
                raise ValueError(f"messages of the type {type!r} have a handler already")
        self._by_type.update(dict.fromkeys(types, handler))

    def of(self, message: Message) -> Handler | None:
        """None: there is none."""
        return self._by_type.get(message.type, self._of_others)


class Handling:
    """What registers handlers, with a Relay as with an AsyncRelay that shares it."""

    _handlers: Handlers

    def on(self, *types: str, attempts: int = 5) -> Callable[[F], F]:
        """Decorates the function, or coroutine function, that is called with each message of these types, or, where none
        is named, of all types that have no other:

            @relay.on("say")
            def say(message):
                relay.broadcast("said", message.data)

        The message is done when it returns. When it raises, the message is given back, after a pause (0.5 s, doubled each
        time, 30 s at most), and whoever gets it tries again; at the attempt number ``attempts`` it is for ``on_dead``. So is one
        that comes for the ``attempts + 1``-th time, because it killed its workers, without being tried. So it must bear being
        called twice with one message. ``run``, ``start``, ``serve`` or a ``lifespan`` begins, in whose event
        loop coroutines run; functions run in threads of their own. Register before that.

        A message whose type has no handler here is for ``on_dead`` at once: all processes that handle messages of one relay
        need the same handlers. Raises InvalidValue for what is no type of a client's message, and ValueError for one that has a handler.
        """
        for each in types:
            checked_message_type(each)
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise InvalidValue("attempts", f"is {attempts!r}; it must be a whole number above 0")

        def register(function: F) -> F:
            self._handlers.add(types, Handler(function, attempts))
            return function

        return register

    def on_notice(self, kind: str, *kinds: str) -> Callable[[N], N]:
        """Decorates the function, or coroutine function, that is called with each Notice of these kinds, of
        ``connected``, ``disconnected``, ``joined`` and ``left``:

            @relay.on_notice("joined", "left")
            def note(notice):
                print(notice.event, notice.id, notice.channel)

        A kind has one. ``run``, ``start``, ``serve`` or a ``lifespan`` begins, beside the handlers of ``on`` and with as
        many hands; functions run in threads of their own. What happens to one connection, or to one member, is handled in
        its order. Register before that. Raises InvalidValue for another kind, and ValueError for one that has a handler.

        A notice goes to one of the workers that ask for its kind, once at most: what the function raises is logged, and it
        is not called again. The relay keeps notices while somebody asks for them, and for a minute after, 10,000 at most;
        the log says how many were dropped.
        """
        for each in (kind, *kinds):
            if each not in KINDS:
                raise InvalidValue("kind", f"is {each!r}; there are {', '.join(KINDS)}")

        def register(function: N) -> N:
            self._handlers.notices.add((kind, *kinds), function)
            return function

        return register

    def on_dead(self, function: OnDead) -> OnDead:
        """Decorates the function that is called with a message whose handler has failed at its last attempt, and with the
        error, or which has killed its workers so often, with TooManyAttempts, or
        whose type has no handler, with NoHandler; the message is done afterwards. It runs where
        handlers do. Without one, and when it fails itself, the whole
        message is in the log. A second one takes the place of the first."""
        self._handlers.on_dead = function
        return function


def whole(message: Message) -> str:
    """For the log."""
    about = {"number": message.number, "id": message.id, "connection": message.connection, "channel": message.channel}
    return json.dumps({**about, "ts": message.ts, "attempt": message.attempt, "body": message.body}, ensure_ascii=False)
