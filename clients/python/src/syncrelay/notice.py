"""Who came and went."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Optional

KINDS = ("connected", "disconnected", "joined", "left")


@dataclass(frozen=True)
class Notice:
    """What the relay noticed of a client. It is handed to one worker, once at most: it is advice, and ``members()``,
    ``clients()`` and the events of the channels have the truth. What does not belong to its kind is None.

    ``event``: ``connected`` and ``disconnected`` are said of a connection, ``joined`` and ``left`` of an identity that
    became a member of a channel or, its grace being over, is none any more. ``ts``: when, in seconds since 1970 by the
    relay's clock.

    ``connection``: (dis)connected; its number in ``clients()``. ``address``: connected. ``duration``: disconnected; how
    long it lasted, in seconds. ``code``: disconnected; the close code that ended it, 1006 when there was no close frame.
    ``id``: the identity; of a connection that ends only if it had one. ``channel``: joined, left; "" is the default one.
    ``info``: joined; what the client says of itself.
    """

    event: str
    ts: float
    connection: Optional[int] = None
    id: Optional[str] = None
    channel: Optional[str] = None
    info: Optional[dict[str, Any]] = None
    code: Optional[int] = None
    duration: Optional[float] = None
    address: Optional[str] = None

    @property
    def subject(self) -> object:
        """Equal for notices that must be handled one after the other."""
        return (None, self.connection) if self.connection is not None else (self.channel, self.id)


@dataclass(frozen=True)
class Notices:
    """One answer: oldest first. ``dropped``: so many before them nobody took in time."""

    notices: list[Notice]
    dropped: int = 0


_FIELDS = frozenset(each.name for each in fields(Notice))


def as_notices(body: dict[str, Any]) -> Notices:
    """Of the body of an answer. A relay may say more than this client knows of."""
    notices = [each for each in body["events"] if each["event"] in KINDS]
    known = [{name: value for name, value in each.items() if name in _FIELDS} for each in notices]
    return Notices([Notice(**each) for each in known], body.get("notices_dropped", 0))
