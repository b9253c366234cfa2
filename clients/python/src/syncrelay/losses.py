"""What may have been lost on the way to the relay."""

from __future__ import annotations

from .errors import PossibleLoss
from .outbox import Outbox


class Losses:
    """Counts the connections that ended before the relay had proved to have taken what they carried. A push has no
    answer: that is all that can be known.

    ``proved`` and ``connection_ended`` are the I/O thread's; the rest is thread-safe.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._proved = 0  # mark in the outbox
        self._count = 0
        self._told = 0

    def proved(self, mark: int) -> None:
        """The relay has taken everything up to there that reached it at all."""
        self._proved = max(self._proved, mark)

    def connection_ended(self) -> None:
        if self._outbox.gone > self._proved:
            self._count += 1

    def told(self) -> int:
        """To be asked for when a flush begins."""
        return self._told

    def tell(self, told_before: int) -> None:
        """Raises PossibleLoss for what nobody had been told of when a flush began. Flushes that overlap all hear of it."""
        count = self._count
        if count > told_before:
            self._told = max(self._told, count)
            raise PossibleLoss(
                "a connection to the relay ended before it had proved to have taken what was pushed over it: some of that "
                "may be lost, the rest is taken; set the state again, or push with confirm=True what must not be lost"
            )
