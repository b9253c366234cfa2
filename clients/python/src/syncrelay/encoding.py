"""From a call's arguments to the bytes of one command, in the caller's thread.

A PUSH socket gives no answer, so whatever the relay would refuse is refused here, where the caller can see it.
What JSON does not have gets the form that forms.py says. Commands of JSON's own types, nearly all, are encoded at once;
the others take a walk through their values first (plain.py), and so does what has a fault, to name it.
"""

from __future__ import annotations

import json
from typing import Any, Mapping

from .errors import CommandTooLarge, InvalidValue
from .plain import MAX_NESTING, Default, plain_command

DEFAULT_MAX_COMMAND = 16 * 1024 * 1024  # bytes; the relay's --max-command
MAX_NAME = 256  # bytes of a key or an event type
MAX_ID = 128  # bytes of a command's id

_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_TEXT = frozenset((str,))
_SCALARS = frozenset((str, int, float, bool, type(None)))


class CommandEncoder:
    """Immutable, thread-safe. Every method returns one command or raises InvalidValue."""

    def __init__(self, max_command: int = DEFAULT_MAX_COMMAND, default: Default | None = None) -> None:
        self._max_command = max_command
        self._default = default

    def set(self, key: str, value: object, notify: bool, id: str | None = None) -> bytes:
        return self._encode({"op": "set", "key": _name(key, "key"), "value": value}, notify, id)

    def merge(self, key: str, patch: object, notify: bool, id: str | None = None) -> bytes:
        return self._encode({"op": "merge", "key": _name(key, "key"), "value": patch}, notify, id)

    def delete(self, key: str, notify: bool, id: str | None = None) -> bytes:
        return self._encode({"op": "delete", "key": _name(key, "key")}, notify, id)

    def broadcast(
        self, type: str, data: object, changes: Mapping[str, object] | None, notify: bool, id: str | None = None
    ) -> bytes:
        command: dict[str, object] = {"op": "broadcast", "type": _event_type(type)}
        if data is not None:
            command["data"] = data
        if changes is not None and not isinstance(changes, Mapping):
            raise InvalidValue("set", f"must map keys to values, not be a {changes.__class__.__name__}")
        if changes is None and not notify:
            raise InvalidValue("notify", "says whether the change of the state is told, and without set there is none")
        if changes:
            command["set"] = {_name(key, "set key"): value for key, value in changes.items()}
        return self._encode(command, notify or not changes, id)

    def query(self, op: str, key: str | None = None) -> bytes:
        query: dict[str, object] = {"op": op}
        if key is not None:
            query["key"] = _name(key, "key")
        return self._encode(query)

    def _encode(self, command: dict[str, object], notify: bool = True, id: str | None = None) -> bytes:
        if not notify:
            command["notify"] = False
        if id is not None:
            command["id"] = _name(id, "id", MAX_ID)
        body = self._as_it_is(command) or self._in_plain_form(command)
        if len(body) > self._max_command:
            raise CommandTooLarge("command", f"has {len(body)} bytes; the limit is {self._max_command}")
        return body

    def _as_it_is(self, command: dict[str, object]) -> bytes | None:
        """None: it has a fault, or needs a form that json does not know of."""
        try:
            body = _to_json(command).encode()
        except (TypeError, ValueError, RecursionError):
            return None
        if not _keys_are_text(command) or (_may_be_too_deep(body) and _depth_exceeds(command, MAX_NESTING)):
            return None
        return body

    def _in_plain_form(self, command: dict[str, object]) -> bytes:
        try:
            return _to_json(plain_command(command, self._default)).encode()
        except (TypeError, ValueError, RecursionError) as error:
            if isinstance(error, InvalidValue):
                raise
            raise InvalidValue("command", f"cannot be encoded: {error}") from error


def _name(name: str, what: str, limit: int = MAX_NAME) -> str:
    if not isinstance(name, str):
        raise InvalidValue(what, f"must be a str, not {type(name).__name__}")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidValue(what, f"{name!r} has a lone surrogate, which UTF-8 cannot carry") from None
    if not 0 < size <= limit:
        raise InvalidValue(what, f"{name[:40]!r} has {size} bytes; 1 to {limit} are possible")
    return name


def _event_type(name: str) -> str:
    if _name(name, "type").startswith("sync:") or name == "ping":
        raise InvalidValue("type", f"{name!r} is the relay's own ('ping' and all that begin with 'sync:' are reserved)")
    return name


def _keys_are_text(command: dict[str, object]) -> bool:
    """Whether no two keys of an object can become the same text. To be asked only of what json has encoded, which proves
    that it does not contain itself. Looks at types in bulk, because every command pays for it."""
    nodes: list[Any] = [value for value in command.values() if type(value) not in _SCALARS]
    for node in nodes:  # which grows meanwhile
        if isinstance(node, dict):
            if not _TEXT.issuperset(map(type, node)):
                return False
            node = node.values()
        elif not isinstance(node, (list, tuple)):
            continue
        if not _SCALARS.issuperset(map(type, node)):
            nodes += [child for child in list(node) if type(child) not in _SCALARS]
    return True


def _may_be_too_deep(body: bytes) -> bool:
    """Cheap and never wrong in saying no: no nesting without opening brackets."""
    return body.count(b"{") + body.count(b"[") > MAX_NESTING


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list, tuple))
        ]
        if not level:
            return False
    return True
