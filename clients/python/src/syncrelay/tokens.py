"""Tokens, by which the relay knows clients: who one is, what it may follow and publish, and until when.

``make`` needs PyJWT, and for private keys cryptography (Debian: python3-jwt, python3-cryptography).
"""

from __future__ import annotations

import datetime
import difflib
import json
import math
import time
from typing import Any, Iterable, Mapping

from .errors import InvalidValue
from .members import MAX_CHANNEL, Ttl, checked_channel, checked_identity, checked_name, checked_ttl
from .plain import plain_command
from .token_key import Key, package, signing_key

__all__ = ["make"]

MAX_INFO = 1024  # bytes
MAX_PATTERNS = 100
MAX_TOKEN = 8 * 1024  # bytes
HOUR = 3600

_OTHER_NAMES = {"exp": "ttl", "iss": "issuer", "aud": "audience"}
_GRANTS = ("channels", "publish", "issuer", "audience")
_DATES = ("nbf", "iat")

_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def make(
    key: Key, *, sub: str | None = None, info: object = None, channels: Iterable[str] | None = None,
    publish: Iterable[str] | None = None, ttl: Ttl = HOUR, issuer: str | None = None,
    audience: str | Iterable[str] | None = None, kid: str | None = None, **claims: object,
) -> str:  # fmt: skip
    """A token for one client, which the relay takes until ``ttl`` is over and 60 s more.

    ``key``: the relay's secret (HS256), or the private key in PEM of its public one (RS256, ES256, EdDSA), as str or
    bytes; or the ``Path`` of a file with it, which is read each time. A str is never a path.
    ``sub``: the identity, which it has from the start. ``info``: what others see of it, an object by the rules for values.
    ``channels``, ``publish``: names, or their beginnings with ``*``, where it may follow and publish, and nowhere else;
    ``""`` is the default channel. None: where the relay's options let everybody.
    ``ttl``: seconds or a timedelta, up to a year. ``kid``: which key of the relay's set it is.
    ``claims``: others, which the relay carries no further; ``nbf`` and ``iat`` are seconds since 1970 or datetimes.

    Raises InvalidValue, a ValueError, for what the relay would refuse; ImportError when PyJWT is missing.
    """
    payload: dict[str, object] = {}
    if sub is not None:
        payload["sub"] = checked_identity(sub, "sub")
    if info is not None:
        payload["info"] = _checked_info(info, sub)
    if channels is not None:
        payload["channels"] = _checked_patterns(channels, "channels")
    if publish is not None:
        payload["publish"] = _checked_patterns(publish, "publish")
    payload["exp"] = math.ceil(time.time() + checked_ttl(ttl))
    if issuer is not None:
        payload["iss"] = checked_name(issuer, "issuer", MAX_TOKEN)
    if audience is not None:
        payload["aud"] = _checked_audience(audience)
    for name, value in claims.items():
        payload[_checked_claim(name)] = _date(name, value) if name in _DATES else value
    return _signed(key, _to_json(plain_command(payload, None)).encode(), kid)


def _signed(key: Key, payload: bytes, kid: str | None) -> str:
    algorithm, prepared = signing_key(key)
    headers = None if kid is None else {"kid": checked_name(kid, "kid", MAX_TOKEN)}
    jwt = package("jwt", "PyJWT")
    if not hasattr(jwt, "PyJWS"):
        raise ImportError("the module jwt is another package than PyJWT: pip uninstall jwt, pip install 'pyjwt[crypto]'")
    token: str = jwt.PyJWS().encode(payload, prepared, algorithm=algorithm, headers=headers)
    if len(token) > MAX_TOKEN:
        raise InvalidValue("token", f"has {len(token)} bytes; up to {MAX_TOKEN} are possible")
    return token


def _checked_info(info: object, sub: str | None) -> object:
    if sub is None:
        raise InvalidValue("info", "says something of an identity, and without sub there is none")
    plain: Any = plain_command({"info": info}, None)["info"]
    if not isinstance(plain, dict):
        raise InvalidValue("info", f"must become an object, and {type(info).__name__} does not")
    size = len(_to_json(plain).encode())
    if size > MAX_INFO:
        raise InvalidValue("info", f"has {size} bytes as JSON; up to {MAX_INFO} are possible")
    return plain


def _checked_patterns(patterns: Iterable[str], what: str) -> list[str]:
    if isinstance(patterns, (str, bytes, Mapping)) or not isinstance(patterns, Iterable):
        raise InvalidValue(what, f"must be a list of names and patterns, not a {type(patterns).__name__}")
    listed = [_checked_pattern(pattern, f"{what}[{index}]") for index, pattern in enumerate(patterns)]
    if len(listed) > MAX_PATTERNS:
        raise InvalidValue(what, f"has {len(listed)} patterns; up to {MAX_PATTERNS} are possible")
    return listed


def _checked_pattern(pattern: object, what: str) -> str:
    if not isinstance(pattern, str):
        raise InvalidValue(what, f"must be a str, not {type(pattern).__name__}")
    begin = pattern[:-1] if pattern.endswith("*") else pattern
    if "*" in begin:
        raise InvalidValue(what, f"{pattern[: MAX_CHANNEL + 1]!r} has a * elsewhere than at its end")
    checked_channel(begin, what)
    if begin.startswith("@"):
        raise InvalidValue(what, f"{pattern!r} is for personal channels, which nobody follows but whose sub it is")
    return pattern


def _checked_audience(audience: str | Iterable[str]) -> object:
    if isinstance(audience, str):
        return checked_name(audience, "audience", MAX_TOKEN)
    if isinstance(audience, (bytes, Mapping)) or not isinstance(audience, Iterable):
        raise InvalidValue("audience", f"must be a str or a list of them, not a {type(audience).__name__}")
    return [checked_name(name, f"audience[{index}]", MAX_TOKEN) for index, name in enumerate(audience)]


def _checked_claim(name: str) -> str:
    """A typing error in ``channels`` must not grant what the relay grants to all."""
    if name in _OTHER_NAMES:
        raise InvalidValue(name, f"is given by {_OTHER_NAMES[name]}=")
    for meant in difflib.get_close_matches(name, _GRANTS, 1, 0.8):
        raise InvalidValue(name, f"is no argument; {meant} is")
    if not name or _to_json(name) != f'"{name}"':
        raise InvalidValue(name, "is no name of a claim: the relay takes none that need an escape")
    return name


def _date(name: str, value: object) -> object:
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise InvalidValue(name, "is a datetime without a time zone: give datetime.now(timezone.utc), for instance")
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidValue(name, f"must be seconds since 1970 or a datetime, not a {type(value).__name__}")
    return value
