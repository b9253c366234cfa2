"""What a Relay and its channels have in common."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, Callable, Literal, Mapping, TypeVar, overload

from . import answer
from .answer import Member, Position
from .encoding import CommandEncoder
from .errors import AnswerTimeout, Conflict
from .members import IfVersion, Ttl, Where, effort
from .threads import seconds_to_wait
from .versioned import Versioned
from .will import Will

T = TypeVar("T")


class Commands(ABC):
    """Commands to one channel, and questions about it. Thread-safe."""

    _encoder: CommandEncoder
    _channel: str  # "": the default one

    @overload
    def set(
        self, key: str, value: object, *, confirm: Literal[True], notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def set(
        self, key: str, value: object, *, if_version: IfVersion, notify: bool = True, ttl: Ttl | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def set(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def set(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Stores ``value`` and tells every client; with ``notify=False`` only those that connect later see it.

        ``ttl``: seconds after which the key goes as by ``delete``, unless it was set again.
        ``if_version``: only if the key still has this version, 0 if it is not there, else Conflict; a mapping names
        versions of other keys, too. Such a command is confirmed, since somebody must be told of the conflict.
        """
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.set(key, value, notify, id, self._channel, ttl, if_version)
        return self._send(command, confirm, timeout, id, self._channel)

    @overload
    def merge(
        self, key: str, value: object, *, confirm: Literal[True], notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def merge(
        self, key: str, value: object, *, if_version: IfVersion, notify: bool = True, ttl: Ttl | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def merge(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def merge(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Applies a JSON merge patch (RFC 7396) to the stored value: members replace, None removes.

        ``ttl`` (without it, one that the key had ends) and ``if_version`` as in ``set``.
        """
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.merge(key, value, notify, id, self._channel, ttl, if_version)
        return self._send(command, confirm, timeout, id, self._channel)

    @overload
    def delete(
        self, key: str, *, confirm: Literal[True], notify: bool = True,
        if_version: IfVersion | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def delete(
        self, key: str, *, if_version: IfVersion, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def delete(
        self, key: str, *, notify: bool = True, if_version: IfVersion | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def delete(
        self, key: str, *, notify: bool = True, if_version: IfVersion | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Back to null for a key that the relay is configured with, gone for any other. ``if_version`` as in ``set``."""
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.delete(key, notify, id, self._channel, if_version)
        return self._send(command, confirm, timeout, id, self._channel)

    @overload
    def broadcast(
        self, type: str, data: object = None, *, confirm: Literal[True], set: Mapping[str, object] | None = None,
        notify: bool = True, ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None,
        from_: str | None = None, traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def broadcast(
        self, type: str, data: object = None, *, if_version: Mapping[str, int], set: Mapping[str, object] | None = None,
        notify: bool = True, ttl: Ttl | None = None, from_: str | None = None,
        traceparent: str | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = True,
        ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = True,
        ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        """Sends one event to every client. ``set`` stores state in the same step: nobody sees one without the other.

        The event also carries what ``set`` changed, unless ``notify`` is False. ``ttl`` is for the keys of ``set``;
        ``if_version`` as in ``set``, by key. ``from_``: the identity that the event comes from, as clients read in its
        ``from``. ``traceparent``: a W3C Trace Context, which a relay with ``--trace`` tells clients as the event's ``trace``.
        """
        return self._broadcast(
            self._channel, type, data, set, notify, ttl, if_version, from_, traceparent, confirm, timeout, id
        )

    @overload
    def state(self, key: None = None, *, versions: Literal[False] = False, timeout: float = 5.0) -> dict[str, Any]: ...

    @overload
    def state(self, key: str, *, versions: Literal[False] = False, timeout: float = 5.0) -> Any: ...

    @overload
    def state(self, key: None = None, *, versions: Literal[True], timeout: float = 5.0) -> dict[str, Versioned]: ...

    @overload
    def state(self, key: str, *, versions: Literal[True], timeout: float = 5.0) -> Versioned: ...

    def state(self, key: str | None = None, *, versions: bool = False, timeout: float = 5.0) -> Any:
        """All stored values by key, or that of one ``key``: None when it is null or not there.

        With ``versions`` each is a pair of ``version`` and ``value``, for ``if_version``.
        """
        found = self._ask(self._encoder.query("state", key, self._channel or None), timeout)
        return answer.versioned_part(found, key) if versions else answer.part(found, key)

    def update(
        self, key: str, function: Callable[[Any], T], *, notify: bool = True, ttl: Ttl | None = None, timeout: float = 5.0
    ) -> T:
        """Stores what ``function`` makes of the present value (None when there is none), and returns it.

        Nothing that others do meanwhile is lost: when somebody else was faster, the function is called again, with what
        they have stored, until ``timeout`` is over; then Conflict is raised, and nothing has changed. So the function
        should have no effects of its own; what it raises ends the update. A ConfirmTimeout is as that of ``set``.
        """
        attempts = Attempts(key, timeout)
        value = self.state(key, versions=True, timeout=attempts.left())
        while True:
            new = function(value.value)
            left = attempts.left()
            try:
                self.set(key, new, notify=notify, ttl=ttl, if_version=value.version, timeout=left)
                return new
            except Conflict as conflict:
                found = attempts.next(conflict)
            value = found or self.state(key, versions=True, timeout=attempts.left())

    def members(self, *, timeout: float = 5.0) -> dict[str, Member]:
        """Who is there, by identity, in the order of arrival. Empty where the relay keeps no members (``--presence``).

        Waits for the relay's answer. Raises AnswerTimeout after ``timeout`` seconds.
        """
        return answer.members(self._ask(self._encoder.query("members", channel=self._channel), timeout))

    def will(self, id: str, *, timeout: float = 5.0) -> Will:
        """What the relay does when this member has left, its grace being over, in one step; up to 16 commands, given to it
        when the block ends:

            with relay.channel("room:42").will("dev-1") as will:
                will.broadcast("player:gone", {"id": "dev-1"})

        Raises InvalidValue for what is no identity. The end of the block waits for the relay's answer, ``timeout`` seconds
        at most, and raises NoSuchMember, CommandRejected or AnswerTimeout. A new will takes the place of the one before.
        """
        return Will(self, id, timeout)

    def no_will(self, id: str, *, timeout: float = 5.0) -> None:
        """Takes the will away again; one that is not there is no error. Waits for the relay's answer, ``timeout`` seconds at
        most. Raises NoSuchMember, CommandRejected or AnswerTimeout."""
        answer.accepted(self._ask(self._encoder.will(self._channel, id, []), timeout))

    def _broadcast(
        self, where: Where, type: str, data: object, set: Mapping[str, object] | None, notify: bool,
        ttl: Ttl | None, if_version: Mapping[str, int] | None, from_: str | None, traceparent: str | None,
        confirm: bool, timeout: float, id: str | None,
    ) -> Position | None:  # fmt: skip
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.broadcast(type, data, set, notify, id, where, ttl, if_version, from_, traceparent)
        return self._send(command, confirm, timeout, id, where if isinstance(where, str) else where[0])

    @abstractmethod
    def _send(self, command: bytes, confirm: bool, timeout: float, id: str | None, channel: str) -> Position | None: ...

    @abstractmethod
    def _ask(self, body: bytes, timeout: float, id: str | None = None) -> bytes: ...


class Attempts:
    """The time that an update has, and what it knows after a conflict."""

    def __init__(self, key: str, timeout: float) -> None:
        self._key = key
        self._timeout = timeout
        self._end = time.monotonic() + seconds_to_wait(timeout)
        self._conflict: Conflict | None = None

    def left(self) -> float:
        """Seconds. Raises the last Conflict, or before any AnswerTimeout, when there are none."""
        left = self._end - time.monotonic()
        if left > 0:
            return left
        if self._conflict is not None:
            raise self._conflict
        raise AnswerTimeout(f"no update of {self._key!r} within {self._timeout:g} s: nothing was sent and nothing has changed")

    def next(self, conflict: Conflict) -> Versioned | None:
        """What is to be updated now; None: the relay has to be asked."""
        self._conflict = conflict
        return conflict.current.get(self._key)
