"""What a key holds."""

from __future__ import annotations

from typing import Any, NamedTuple


class Versioned(NamedTuple):
    """A value and its version, which grows with every change of the key, whoever makes it, and never comes twice. 0 and
    None: there is no such key."""

    version: int
    value: Any
