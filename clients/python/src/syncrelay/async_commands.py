"""What an AsyncRelay and its channels have in common."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, Callable, Coroutine, Literal, Mapping, TypeVar, overload

from . import answer
from .answer import Member, Position
from .commands import Attempts
from .encoding import CommandEncoder
from .errors import Conflict
from .members import IfVersion, Ttl, Where, effort
from .versioned import Versioned
from .will import AsyncWill

T = TypeVar("T")


class AsyncCommands(ABC):
    """``Commands`` with coroutines; see there. The function that ``update`` calls may be a coroutine function."""

    _encoder: CommandEncoder
    _channel: str  # "": the default one

    @overload
    async def set(
        self, key: str, value: object, *, confirm: Literal[True], notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def set(
        self, key: str, value: object, *, if_version: IfVersion, notify: bool = True, ttl: Ttl | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def set(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    async def set(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.set(key, value, notify, id, self._channel, ttl, if_version)
        return await self._send(command, confirm, timeout, id, self._channel)

    @overload
    async def merge(
        self, key: str, value: object, *, confirm: Literal[True], notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def merge(
        self, key: str, value: object, *, if_version: IfVersion, notify: bool = True, ttl: Ttl | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def merge(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    async def merge(
        self, key: str, value: object, *, notify: bool = True, ttl: Ttl | None = None,
        if_version: IfVersion | None = None, confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.merge(key, value, notify, id, self._channel, ttl, if_version)
        return await self._send(command, confirm, timeout, id, self._channel)

    @overload
    async def delete(
        self, key: str, *, confirm: Literal[True], notify: bool = True,
        if_version: IfVersion | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def delete(
        self, key: str, *, if_version: IfVersion, notify: bool = True,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def delete(
        self, key: str, *, notify: bool = True, if_version: IfVersion | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    async def delete(
        self, key: str, *, notify: bool = True, if_version: IfVersion | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.delete(key, notify, id, self._channel, if_version)
        return await self._send(command, confirm, timeout, id, self._channel)

    @overload
    async def broadcast(
        self, type: str, data: object = None, *, confirm: Literal[True], set: Mapping[str, object] | None = None,
        notify: bool = True, ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None,
        from_: str | None = None, traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def broadcast(
        self, type: str, data: object = None, *, if_version: Mapping[str, int], set: Mapping[str, object] | None = None,
        notify: bool = True, ttl: Ttl | None = None, from_: str | None = None,
        traceparent: str | None = None,
        confirm: bool = False, timeout: float = 5.0, id: str | None = None,
    ) -> Position: ...  # fmt: skip

    @overload
    async def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = True,
        ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None: ...  # fmt: skip

    async def broadcast(
        self, type: str, data: object = None, *, set: Mapping[str, object] | None = None, notify: bool = True,
        ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None,
        confirm: bool = False, from_: str | None = None,
        traceparent: str | None = None, timeout: float = 5.0, id: str | None = None,
    ) -> Position | None:  # fmt: skip
        return await self._broadcast(
            self._channel, type, data, set, notify, ttl, if_version, from_, traceparent, confirm, timeout, id
        )

    @overload
    async def state(self, key: None = None, *, versions: Literal[False] = False, timeout: float = 5.0) -> dict[str, Any]: ...

    @overload
    async def state(self, key: str, *, versions: Literal[False] = False, timeout: float = 5.0) -> Any: ...

    @overload
    async def state(self, key: None = None, *, versions: Literal[True], timeout: float = 5.0) -> dict[str, Versioned]: ...

    @overload
    async def state(self, key: str, *, versions: Literal[True], timeout: float = 5.0) -> Versioned: ...

    async def state(self, key: str | None = None, *, versions: bool = False, timeout: float = 5.0) -> Any:
        found = await self._ask(self._encoder.query("state", key, self._channel or None), timeout)
        return answer.versioned_part(found, key) if versions else answer.part(found, key)

    @overload
    async def update(
        self, key: str, function: Callable[[Any], Coroutine[Any, Any, T]], *,
        notify: bool = True, ttl: Ttl | None = None, timeout: float = 5.0,
    ) -> T: ...  # fmt: skip

    @overload
    async def update(
        self, key: str, function: Callable[[Any], T], *,
        notify: bool = True, ttl: Ttl | None = None, timeout: float = 5.0,
    ) -> T: ...  # fmt: skip

    async def update(
        self, key: str, function: Callable[[Any], Any], *, notify: bool = True, ttl: Ttl | None = None, timeout: float = 5.0
    ) -> Any:
        attempts = Attempts(key, timeout)
        value = await self.state(key, versions=True, timeout=attempts.left())
        while True:
            new = function(value.value)
            if inspect.isawaitable(new):
                new = await new
            left = attempts.left()
            try:
                await self.set(key, new, notify=notify, ttl=ttl, if_version=value.version, timeout=left)
                return new
            except Conflict as conflict:
                found = attempts.next(conflict)
            value = found or await self.state(key, versions=True, timeout=attempts.left())

    async def members(self, *, timeout: float = 5.0) -> dict[str, Member]:
        return answer.members(await self._ask(self._encoder.query("members", channel=self._channel), timeout))

    def will(self, id: str, *, timeout: float = 5.0) -> AsyncWill:
        return AsyncWill(self, id, timeout)

    async def no_will(self, id: str, *, timeout: float = 5.0) -> None:
        answer.accepted(await self._ask(self._encoder.will(self._channel, id, []), timeout))

    async def _broadcast(
        self, where: Where, type: str, data: object, set: Mapping[str, object] | None, notify: bool,
        ttl: Ttl | None, if_version: Mapping[str, int] | None, from_: str | None, traceparent: str | None,
        confirm: bool, timeout: float, id: str | None,
    ) -> Position | None:  # fmt: skip
        confirm, id = effort(confirm, id, if_version)
        command = self._encoder.broadcast(type, data, set, notify, id, where, ttl, if_version, from_, traceparent)
        return await self._send(command, confirm, timeout, id, where if isinstance(where, str) else where[0])

    @abstractmethod
    async def _send(self, command: bytes, confirm: bool, timeout: float, id: str | None, channel: str) -> Position | None: ...

    @abstractmethod
    async def _ask(self, body: bytes, timeout: float, id: str | None = None) -> bytes: ...
