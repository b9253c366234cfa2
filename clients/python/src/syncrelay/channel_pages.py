"""The list of all channels, which the relay gives in pages."""

from __future__ import annotations

from . import answer
from .answer import ChannelInfo
from .encoding import CommandEncoder
from .errors import InvalidValue
from .members import checked_channel

MAX_PAGE = 1000


class ChannelPages:
    """``query`` asks for the next page; None: there is none."""

    def __init__(self, encoder: CommandEncoder, prefix: str, page: int) -> None:
        if isinstance(page, bool) or not isinstance(page, int) or not 0 < page <= MAX_PAGE:
            raise InvalidValue("page", f"is {page!r}; possible are 1 to {MAX_PAGE:,}")
        self._encoder = encoder
        self._prefix = checked_channel(prefix, "prefix")
        self._page = page
        self.query: bytes | None = encoder.channels(self._prefix, None, page)

    def take(self, page: bytes) -> list[ChannelInfo]:
        found, more = answer.channels(page)
        self.query = self._encoder.channels(self._prefix, found[-1].name, self._page) if more and found else None
        return found
