"""What a client has said to the backend."""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional


class Held:
    """A message that this process has been given; two are never equal, whatever their numbers."""

    __slots__ = ("end_is_known", "extend_at", "is_done", "lease", "number", "tried")

    def __init__(self, number: int, lease: float) -> None:
        self.number = number  # the relay's, which never gives it to another one
        self.lease = lease  # seconds
        self.extend_at = 0.0  # monotonic; the I/O thread's
        self.tried = False  # the program has seen it; otherwise, given back, it was no attempt
        self.is_done: Optional[bool] = None  # False: given back; None: neither
        self.end_is_known = False  # the relay has answered that it is done; the I/O thread's


Settle = Callable[[Held, bool], None]  # the message is done; False: given back


class Message:
    """One message of one client, which is this process' own until it is done or given back: the client library keeps it
    so, as long as the process lives. One that is dropped without either is given back. Each comes at least once, and
    perhaps again, but not to a process that has it still: acting upon it twice must do no harm.

    ``type`` and ``data`` are what the client gave; ``body`` is the whole object that it sent, with all other members.
    Clients may send anything. ``id`` is the identity, None when it has none; ``connection`` its number in ``clients()``, None
    when the relay was restarted since, and numbers mean others; ``channel`` the one that the message names, be it followed or not, empty for the default one. ``ts`` is when the relay
    took it, in seconds since 1970 by the relay's clock; ``attempt`` how often it was handed out, this time included, from
    1 again after a restart of the relay; more than 1 says that somebody may have acted upon it already.

    ``done`` and ``release`` may be called in any thread.
    """

    __slots__ = ("_held", "_settle", "attempt", "body", "channel", "connection", "data", "given_back", "id", "ts", "type")

    def __init__(self, event: dict[str, Any], held: Held, settle: Settle) -> None:
        self._held = held
        self._settle: Optional[Settle] = settle  # None: settled
        self.given_back = False
        self.body: dict[str, Any] = event["data"]
        self.type: str = self.body["type"]
        self.data: Any = self.body.get("data")
        self.id: str | None = event.get("id")
        self.connection: int | None = event.get("connection")
        self.channel: str = event.get("channel", "")
        self.ts: float = event["ts"]
        self.attempt: int = event["attempt"]

    @property
    def number(self) -> int:
        """The relay's, which stays with the message when it comes again, and which no other one ever has. Good for the ``id`` of a confirmed command, which then takes effect once."""
        return self._held.number

    @property
    def ref(self) -> str | None:
        """What the client calls it, None where it gave nothing; unique among those of one client at most."""
        ref = self.body.get("ref")
        return ref if isinstance(ref, str) else None

    @property
    def sender(self) -> object:
        """Equal for messages that must be handled one after the other; None where nothing is known of who it was."""
        return self.connection if self.id is None else self.id

    @property
    def settled(self) -> bool:
        """Whether it is done or given back."""
        return self._settle is None

    def done(self) -> None:
        """The relay forgets it, once it has taken what this Relay pushed before. Never waits; a second time does
        nothing."""
        self._end(True)

    def release(self) -> None:
        """Gives it back: the relay hands it out again, to any worker. Never waits."""
        self._end(False)

    def _begin(self) -> Message:
        """The program gets it now."""
        self._held.tried = True
        return self

    def __repr__(self) -> str:
        sender = "somebody" if self.sender is None else self.sender
        return f"<Message {self.number} {self.type!r} of {sender}, attempt {self.attempt}>"

    def __del__(self) -> None:
        if getattr(self, "_settle", None) is not None and not sys.is_finalizing():
            self._end(False)

    def _end(self, done: bool) -> None:
        settle, self._settle = self._settle, None
        if settle is not None:
            self.given_back = not done
            settle(self._held, done)
