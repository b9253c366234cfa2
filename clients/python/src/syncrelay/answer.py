"""What the relay answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from typing import Any, Callable, Optional, TypeVar

from .errors import CommandRejected, Conflict, NoSuchMember
from .notice import Notices, as_notices
from .versioned import Versioned

T = TypeVar("T")


@dataclass(frozen=True)
class Position:
    """Where in its channel a confirmed command stands: every client that has seen ``seq`` there has it.

    ``duplicate``: the relay knew the command's id already and did nothing now; so it is, too, when a first answer was
    lost and the client sent again. ``clients``: how many followed the channel when the relay answered. ``versions``: those
    that the command gave to its keys, 0 to one that is deleted. ``positions``: of a broadcast to several channels, by
    channel; the position itself is that in the first. ``results``: of a batch, one for each of its commands; the position
    itself is that of the last. A duplicate has none of these three. Only ``epoch``, ``seq`` and ``channel`` count in
    comparisons.
    """

    epoch: str
    seq: int
    duplicate: bool = field(default=False, compare=False)
    clients: int = field(default=0, compare=False)
    channel: str = ""
    versions: dict[str, int] = field(default_factory=dict, compare=False)
    positions: dict[str, Position] = field(default_factory=dict, compare=False)
    results: list[Position] = field(default_factory=list, compare=False)


@dataclass(frozen=True)
class Client:
    """One connected client. ``since`` is in seconds since 1970, ``lag`` in events, ``bytes`` were sent to it, and
    ``last_pong`` seconds ago it gave a sign of life. ``channels``: how many it follows. ``identity``: None when it has
    none."""

    id: int
    address: str = "127.0.0.1"
    since: float = 0.0
    lag: int = 0
    bytes: int = 0
    last_pong: float = 0.0
    channels: int = 1
    identity: Optional[str] = None


@dataclass(frozen=True)
class ChannelInfo:
    """One channel that the relay has; the name of the default one is empty. ``subscribers`` follow it; ``keys`` and
    ``bytes`` are those of its state."""

    name: str
    seq: int
    epoch: str
    subscribers: int
    keys: int
    bytes: int


@dataclass(frozen=True)
class Member:
    """One identity that follows a channel, by any of its connections, or did so within its grace. ``info`` is what the
    client says of itself, anything up to 1,024 bytes; ``since`` is when it became a member, in seconds since 1970 by the
    relay's clock."""

    info: dict[str, Any]
    since: float


_CLIENT_FIELDS = tuple(each.name for each in fields(Client))
_CHANNEL_FIELDS = tuple(each.name for each in fields(ChannelInfo))
_MEMBER_FIELDS = tuple(each.name for each in fields(Member))


def position(answer: bytes, channel: str = "") -> Position:
    """``channel``: that of the command, of a list's first, of a batch's last."""
    body = _accepted(answer)
    results = [_position(each, each.get("channel", "")) for each in body.get("results", ())]
    return replace(_position(body, channel), clients=body["clients"], results=results)


def part(answer: bytes, key: str | None) -> Any:
    """The state, or the value of one key."""
    state = _accepted(answer)["state"]
    return state if key is None else state.get(key)


def versioned_part(answer: bytes, key: str | None) -> Any:
    body = _accepted(answer)
    versioned = {name: Versioned(body["versions"].get(name, 0), value) for name, value in body["state"].items()}
    return versioned if key is None else versioned.get(key, Versioned(0, None))


def clients(answer: bytes) -> list[Client]:
    return [_picked(Client, _CLIENT_FIELDS, each) for each in _accepted(answer)["clients"]]


def members(answer: bytes) -> dict[str, Member]:
    """By identity."""
    return {id: _picked(Member, _MEMBER_FIELDS, each) for id, each in _accepted(answer)["members"].items()}


def closed(answer: bytes) -> int:
    """How many connections."""
    return int(_accepted(answer)["closed"])


def events(answer: bytes) -> list[dict[str, Any]]:
    """Messages that the relay hands out."""
    return [each for each in _accepted(answer)["events"] if each["event"] == "message"]


def notices(answer: bytes) -> Notices:
    """Those that the relay hands out."""
    return as_notices(_accepted(answer))


def accepted(answer: bytes) -> None:
    """Raises what the relay has against it."""
    _accepted(answer)


def channels(answer: bytes) -> tuple[list[ChannelInfo], bool]:
    """One page, and whether there are more."""
    body = _accepted(answer)
    return [_picked(ChannelInfo, _CHANNEL_FIELDS, each) for each in body["channels"]], body["more"]


def stats(answer: bytes) -> dict[str, Any]:
    body = _accepted(answer)
    return {"epoch": body["epoch"], "seq": body["seq"], "clients": body["clients"], **body["stats"]}


def is_duplicate(answer: bytes) -> bool:
    return _accepted(answer).get("duplicate", False) is True


def is_for_later(answer: bytes) -> bool:
    """The relay's cluster was out of reach: the same again, with the same id, may work later."""
    return b"cluster_unavailable" in answer and json.loads(answer).get("error", {}).get("code") == "cluster_unavailable"


def _position(body: dict[str, Any], channel: str) -> Position:
    positions = {name: Position(each["epoch"], each["seq"], channel=name, versions=each.get("versions", {})) for name, each in body.get("positions", {}).items()}
    if "seq" not in body:  # a list broadcast inside a batch
        first = next(iter(positions.values()))
        return replace(first, positions=positions)
    return Position(
        body["epoch"],
        body["seq"],
        body.get("duplicate", False),
        channel=channel,
        versions=body.get("versions", {}),
        positions=positions,
    )


def _picked(kind: Callable[..., T], names: tuple[str, ...], body: dict[str, Any]) -> T:
    """A relay may say more than this client knows of."""
    return kind(**{name: body[name] for name in names if name in body})


def _accepted(answer: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer)
    if body["ok"]:
        return body
    error = body["error"]
    where = error["code"], error["message"], error.get("offset", 0), error.get("index"), error.get("channel")
    if error["code"] == "conflict":
        raise Conflict(*where, {key: _current(each) for key, each in error.get("current", {}).items()})
    raise (NoSuchMember if error["code"] == "no_such_member" else CommandRejected)(*where)


def _current(body: dict[str, Any]) -> Versioned:
    return Versioned(body["version"], body.get("value"))
