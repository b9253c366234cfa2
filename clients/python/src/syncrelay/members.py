"""Members of commands that have rules of their own: names, channels, seconds, versions."""

from __future__ import annotations

import math
import re
import secrets
from datetime import timedelta
from typing import Iterable, List, Mapping, Union

from .errors import InvalidValue

MAX_NAME = 256  # bytes of a key or an event type
MAX_CHANNEL = 128  # bytes of a channel's name
MAX_CHANNELS = 1000  # of one broadcast
MAX_IDENTITY = 64  # bytes of a client's id
MAX_TTL = 365 * 24 * 3600  # seconds
MAX_VERSION = 2**53 - 1

Ttl = Union[float, timedelta]  # seconds; an int is a float to type checkers
IfVersion = Union[int, Mapping[str, int]]  # of the command's one key, or by key
Where = Union[str, List[str]]  # one channel, or several that checked_channels has seen

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_OUTSIDE_CHANNEL = re.compile(r"[^A-Za-z0-9_.:~@/-]")


def checked_name(name: str, what: str, limit: int = MAX_NAME) -> str:
    if not isinstance(name, str):
        raise InvalidValue(what, f"must be a str, not {type(name).__name__}")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidValue(what, f"{name!r} has a lone surrogate, which UTF-8 cannot carry") from None
    if not 0 < size <= limit:
        raise InvalidValue(what, f"{name[:40]!r} has {size} bytes; 1 to {limit} are possible")
    return name


def checked_channel(name: str, what: str = "channel") -> str:
    """Also the empty name, which is the default channel's, and the beginning of a name."""
    if not isinstance(name, str):
        raise InvalidValue(what, f"must be a str, not {type(name).__name__}")
    wrong = _OUTSIDE_CHANNEL.search(name)
    if wrong is not None:
        raise InvalidValue(
            what, f"{name[:40]!r} has {wrong[0]!r} at index {wrong.start()}; possible are A-Z a-z 0-9 _ . : ~ - @ /"
        )
    if len(name) > MAX_CHANNEL:
        raise InvalidValue(what, f"{name[:40] + '…'!r} has {len(name)} bytes; up to {MAX_CHANNEL} are possible")
    return name


def checked_identity(id: object, what: str = "id") -> str:
    if not isinstance(id, str):
        raise InvalidValue(what, f"must be a str, not {type(id).__name__}")
    checked_channel(id, what)
    if "@" in id or not 0 < len(id) <= MAX_IDENTITY:
        raise InvalidValue(what, f"{id[:40]!r} is no identity: 1 to {MAX_IDENTITY} of A-Z a-z 0-9 _ . : ~ - /")
    return id


def checked_traceparent(text: str) -> str:
    if not isinstance(text, str) or not _TRACEPARENT.fullmatch(text):
        raise InvalidValue("traceparent", f"is {text!r}; it is 00-TRACEID-PARENTID-FLAGS in 32, 16 and 2 lowercase hexadecimal digits")
    return text


def checked_message_type(type: object) -> str:
    if not isinstance(type, str):
        raise InvalidValue("type", f'must be a str, as in @relay.on("say"), not {type!r}')
    if not type or type.startswith("sync:"):
        raise InvalidValue("type", f"is {type!r}; the messages of clients have a type that does not begin with sync:")
    return type


def checked_connection(number: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise InvalidValue("connection", f"is {number!r}; it must be the number of a client")
    return number


def checked_channels(names: Iterable[str]) -> list[str]:
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise InvalidValue("channels", f"must be a list of names, not a {type(names).__name__}")
    listed = [checked_channel(name, f"channels[{index}]") for index, name in enumerate(names)]
    if not 0 < len(listed) <= MAX_CHANNELS:
        raise InvalidValue("channels", f"has {len(listed)} names; 1 to {MAX_CHANNELS:,} are possible")
    if len(set(listed)) < len(listed):
        twice = next(name for index, name in enumerate(listed) if name in listed[:index])
        raise InvalidValue("channels", f"has {twice!r} twice")
    return listed


def checked_ttl(ttl: Ttl) -> float:
    """In seconds, whole milliseconds, at least one."""
    if isinstance(ttl, timedelta):
        seconds: float = ttl.total_seconds()
    elif isinstance(ttl, (int, float)) and not isinstance(ttl, bool):
        seconds = ttl
    else:
        raise InvalidValue("ttl", f"must be seconds or a timedelta, not a {type(ttl).__name__}")
    if math.isnan(seconds) or not 0 < seconds <= MAX_TTL:
        raise InvalidValue("ttl", f"is {seconds:,} seconds; possible is more than 0 and up to {MAX_TTL:,}, a year")
    if isinstance(seconds, int):
        return int(seconds)
    return max(round(float(seconds), 3), 0.001)


def checked_versions(if_version: IfVersion, key: str | None) -> dict[str, int]:
    """By key. ``key``: the one that a number alone is meant for; None where there is no one key."""
    if not isinstance(if_version, Mapping):
        if key is None:
            raise InvalidValue("if_version", f"must map keys to versions, not be a {type(if_version).__name__}")
        return {key: _version(if_version, "if_version")}
    return {
        checked_name(name, "if_version key"): _version(version, f"if_version[{name!r}]")
        for name, version in if_version.items()
    }


def _version(version: int, what: str) -> int:
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidValue(what, f"must be a version, which is an int, not a {type(version).__name__}")
    if not 0 <= version <= MAX_VERSION:
        raise InvalidValue(what, f"is {version}; a version is 0, for a key that is not there, or more, up to 2**53 - 1")
    return int(version)


def effort(confirm: bool, id: str | None, condition: object = None) -> tuple[bool, str | None]:
    """Whether a command is confirmed, and its id. ``condition``: None, or what may make a Conflict."""
    confirm = confirm or condition is not None
    return confirm, secrets.token_urlsafe(16) if confirm and id is None else id
