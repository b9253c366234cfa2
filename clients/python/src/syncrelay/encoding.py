"""From a call's arguments to the bytes of one command, in the caller's thread.

A PUSH socket gives no answer, so whatever the relay would refuse is refused here, where the caller can see it.
Object keys follow json.dumps: numbers, booleans and None become strings.
"""

from __future__ import annotations

import json
from typing import Any, Mapping

from .errors import CommandTooLarge, InvalidValue
from .fault import MAX_NESTING, find_fault

DEFAULT_MAX_COMMAND = 16 * 1024 * 1024  # bytes; the relay's --max-command
MAX_NAME = 256  # bytes of a key or an event type
MAX_ID = 128  # bytes of a command's id

_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class CommandEncoder:
    """Immutable, thread-safe. Every method returns one command or raises InvalidValue."""

    def __init__(self, max_command: int = DEFAULT_MAX_COMMAND) -> None:
        self._max_command = max_command

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
        try:
            body = _to_json(command).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise find_fault(command) or InvalidValue("command", f"cannot be encoded: {error}") from error
        if len(body) > self._max_command:
            raise CommandTooLarge("command", f"has {len(body)} bytes; the limit is {self._max_command}")
        if _may_be_too_deep(body) and _depth_exceeds(command, MAX_NESTING):
            raise find_fault(command) or InvalidValue("command", f"is nested deeper than {MAX_NESTING} levels")
        return body


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
