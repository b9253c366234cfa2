"""From a call's arguments to the bytes of one command, in the caller's thread.

A PUSH socket gives no answer, so whatever the relay would refuse is refused here, where the caller can see it.
What JSON does not have gets the form that forms.py says. Commands of JSON's own types, nearly all, are encoded at once;
the others take a walk through their values first (plain.py), and so does what has a fault, to name it.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Mapping

from .errors import CommandTooLarge, InvalidValue
from .members import (
    IfVersion,
    Ttl,
    Where,
    checked_connection,
    checked_identity,
    checked_name,
    checked_traceparent,
    checked_ttl,
    checked_versions,
)
from .plain import MAX_NESTING, Default, plain_command

DEFAULT_MAX_COMMAND = 16 * 1024 * 1024  # bytes; the relay's --max-command
MAX_ID = 128  # bytes of a command's id
MAX_REASON = 123  # bytes that a close frame has room for
CLOSE_CODES = range(4000, 5000)

_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_TEXT = frozenset((str,))
_SCALARS = frozenset((str, int, float, bool, type(None)))


class CommandEncoder:
    """Immutable, thread-safe. Every method returns one command or raises InvalidValue."""

    def __init__(self, max_command: int = DEFAULT_MAX_COMMAND, default: Default | None = None, levels: int = 0) -> None:
        """``levels``: how deep in another command these will stand."""
        self.max_command = max_command
        self._default = default
        self._levels = levels

    def for_batches(self) -> CommandEncoder:
        """Of the commands in a batch: the object and its list are two levels."""
        return CommandEncoder(self.max_command, self._default, self._levels + 2)

    def set(
        self, key: str, value: object, notify: bool, id: str | None = None,
        channel: str = "", ttl: Ttl | None = None, if_version: IfVersion | None = None,
    ) -> bytes:  # fmt: skip
        command: dict[str, object] = {**_begin("set", channel), "key": checked_name(key, "key"), "value": value}
        return self._encode(_completed(command, notify, ttl, if_version, key), id)

    def merge(
        self, key: str, patch: object, notify: bool, id: str | None = None,
        channel: str = "", ttl: Ttl | None = None, if_version: IfVersion | None = None,
    ) -> bytes:  # fmt: skip
        command: dict[str, object] = {**_begin("merge", channel), "key": checked_name(key, "key"), "value": patch}
        return self._encode(_completed(command, notify, ttl, if_version, key), id)

    def delete(
        self, key: str, notify: bool, id: str | None = None, channel: str = "", if_version: IfVersion | None = None
    ) -> bytes:
        command: dict[str, object] = {**_begin("delete", channel), "key": checked_name(key, "key")}
        return self._encode(_completed(command, notify, None, if_version, key), id)

    def broadcast(
        self, type: str, data: object, changes: Mapping[str, object] | None, notify: bool, id: str | None = None,
        channel: Where = "", ttl: Ttl | None = None, if_version: Mapping[str, int] | None = None, from_: str | None = None,
        traceparent: str | None = None,
    ) -> bytes:  # fmt: skip
        """``channel``: one, or a list that checked_channels has seen."""
        command: dict[str, object] = {**_begin("broadcast", channel), "type": _event_type(type)}
        if data is not None:
            command["data"] = data
        if changes is not None and not isinstance(changes, Mapping):
            raise InvalidValue("set", f"must map keys to values, not be a {changes.__class__.__name__}")
        if changes is None and not notify:
            raise InvalidValue("notify", "says whether the change of the state is told, and without set there is none")
        if not changes and ttl is not None:
            raise InvalidValue("ttl", "is for what set stores, and without set there is nothing")
        if changes:
            command["set"] = {checked_name(key, "set key"): value for key, value in changes.items()}
        if from_ is not None:
            command["from"] = checked_identity(from_, "from_")
        if traceparent is not None:
            command["traceparent"] = checked_traceparent(traceparent)
        return self._encode(_completed(command, notify or not changes, ttl, if_version), id)

    def drop(self, channel: str, id: str | None = None) -> bytes:
        if not channel:
            raise InvalidValue("channel", "is the default one, which cannot be dropped")
        return self._encode(_begin("drop", channel), id)

    def batch(self, commands: list[bytes], id: str | None) -> bytes:
        """``commands``: what ``for_batches()`` has made."""
        return self._around(commands, {"op": "batch"}, id)

    def query(self, op: str, key: str | None = None, channel: str | None = None) -> bytes:
        """``channel``: None, and nothing is said of channels."""
        query: dict[str, object] = {"op": op}
        if channel is not None:
            query["channel"] = channel
        if key is not None:
            query["key"] = checked_name(key, "key")
        return self._encode(query)

    def will(self, channel: str, identity: str, commands: list[bytes]) -> bytes:
        """``commands``: what ``for_batches()`` has made."""
        return self._around(commands, {**_begin("will", channel), "id": checked_identity(identity)})

    def disconnect(self, identity: str | None, connection: int | None, code: int, reason: str) -> bytes:
        if (identity is None) == (connection is None):
            raise InvalidValue("disconnect", "takes either an id or a connection")
        if isinstance(code, bool) or not isinstance(code, int) or code not in CLOSE_CODES:
            raise InvalidValue("code", f"is {code!r}; possible are {CLOSE_CODES[0]} to {CLOSE_CODES[-1]}")
        if reason:
            checked_name(reason, "reason", MAX_REASON)
        query: dict[str, object] = {"op": "disconnect"}
        if connection is not None:
            query["connection"] = checked_connection(connection)
        else:
            query["id"] = checked_identity(identity)
        return self._encode({**query, "code": code, "reason": reason})

    def receive(self, most: int, wait: int, lease: float | None, events: Iterable[str] | None = None) -> bytes:
        """``lease`` None: for notices, which have none. ``events`` None: messages only."""
        query: dict[str, object] = {"op": "receive", "max": most, "wait": wait}
        if lease is not None:
            query["lease"] = lease
        if events is not None:
            query["events"] = list(events)
        return self._encode(query)

    def channels(self, prefix: str, after: str | None, limit: int) -> bytes:
        """``after`` None: from the first one on, which is the default channel; ``""`` begins behind that."""
        query: dict[str, object] = {"op": "channels", "limit": limit}
        if prefix:
            query["prefix"] = prefix
        if after is not None:
            query["after"] = after
        return self._encode(query)

    def _around(self, commands: list[bytes], command: dict[str, object], id: str | None = None) -> bytes:
        frame = self._encode({**command, "commands": []}, id)
        body = frame.replace(b"[]", b"[" + b",".join(commands) + b"]", 1)
        if len(body) > self.max_command:
            raise CommandTooLarge(str(command["op"]), f"has {len(body)} bytes; the limit is {self.max_command}")
        return body

    def _encode(self, command: dict[str, object], id: str | None = None) -> bytes:
        if id is not None:
            command["id"] = checked_name(id, "id", MAX_ID)
        body = self._as_it_is(command) or self._in_plain_form(command)
        if len(body) > self.max_command:
            raise CommandTooLarge("command", f"has {len(body)} bytes; the limit is {self.max_command}")
        return body

    def _as_it_is(self, command: dict[str, object]) -> bytes | None:
        """None: it has a fault, or needs a form that json does not know of."""
        try:
            body = _to_json(command).encode()
        except (TypeError, ValueError, RecursionError):
            return None
        if not _keys_are_text(command) or (
            _may_be_too_deep(body, self._levels) and _depth_exceeds(command, MAX_NESTING - self._levels)
        ):
            return None
        return body

    def _in_plain_form(self, command: dict[str, object]) -> bytes:
        try:
            return _to_json(plain_command(command, self._default, self._levels)).encode()
        except (TypeError, ValueError, RecursionError) as error:
            if isinstance(error, InvalidValue):
                raise
            raise InvalidValue("command", f"cannot be encoded: {error}") from error


def _begin(op: str, channel: Where) -> dict[str, object]:
    if not channel:
        return {"op": op}
    return {"op": op, "channels" if isinstance(channel, list) else "channel": channel}


def _completed(
    command: dict[str, object], notify: bool, ttl: Ttl | None, if_version: IfVersion | None, key: str | None = None
) -> dict[str, object]:
    if ttl is not None:
        command["ttl"] = checked_ttl(ttl)
    if if_version is not None:
        versions = checked_versions(if_version, key)
        if versions:
            command["if"] = versions
    if not notify:
        command["notify"] = False
    return command


def _event_type(name: str) -> str:
    if checked_name(name, "type").startswith("sync:") or name == "ping":
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


def _may_be_too_deep(body: bytes, levels: int) -> bool:
    """Cheap and never wrong in saying no: no nesting without opening brackets."""
    return body.count(b"{") + body.count(b"[") > MAX_NESTING - levels


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
