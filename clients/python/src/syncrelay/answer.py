"""What the relay answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

from .errors import CommandRejected


@dataclass(frozen=True)
class Position:
    """Where in the relay's log a confirmed command stands: every client that has seen ``seq`` has it.

    ``duplicate``: the relay knew the command's id already and did nothing now; so it is, too, when a first answer was
    lost and the client sent again. ``clients``: how many were connected when the relay answered. Neither counts in
    comparisons.
    """

    epoch: str
    seq: int
    duplicate: bool = field(default=False, compare=False)
    clients: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Client:
    """One connected client. ``since`` is in seconds since 1970, ``lag`` in events, ``bytes`` were sent to it, and
    ``last_pong`` seconds ago it gave a sign of life."""

    id: int
    address: str
    since: float
    lag: int
    bytes: int
    last_pong: float


_CLIENT_FIELDS = tuple(each.name for each in fields(Client))


def position(answer: bytes) -> Position:
    body = _accepted(answer)
    return Position(body["epoch"], body["seq"], body.get("duplicate", False), body["clients"])


def state(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = _accepted(answer)["state"]
    return found


def clients(answer: bytes) -> list[Client]:
    return [Client(**{name: each[name] for name in _CLIENT_FIELDS}) for each in _accepted(answer)["clients"]]


def stats(answer: bytes) -> dict[str, Any]:
    body = _accepted(answer)
    return {"epoch": body["epoch"], "seq": body["seq"], "clients": body["clients"], **body["stats"]}


def is_duplicate(answer: bytes) -> bool:
    return _accepted(answer).get("duplicate", False) is True


def _accepted(answer: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer)
    if body["ok"]:
        return body
    error = body["error"]
    raise CommandRejected(error["code"], error["message"], error.get("offset", 0))
