"""The JSON form of values that JSON does not have: one rule for each type. The README has them as a table."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import sys
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Mapping
from uuid import UUID

_ADVICE: tuple[tuple[tuple[type, ...], str], ...] = (
    ((bytes, bytearray, memoryview), "decode it to text, or give base64.b64encode(value).decode()"),
    ((datetime.timedelta,), "give its total_seconds()"),
)


class NoForm(Exception):
    """The value has no form in JSON; the text completes a sentence that begins with the value's path."""


def simpler_form(value: object) -> object:
    """One step towards JSON, for a value that is no str, number, bool, None, list, tuple, dict or set.

    Raises NoForm. Nothing is imported for a model: it is known by the methods that Pydantic's models have.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, (UUID, PurePath)):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal_form(value)
    if _has(value, "model_dump"):
        return _of_model(value, "model_dump")
    if _has(value, "json") and hasattr(type(value), "__fields__"):
        return _of_model(value, "json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields_of(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise NoForm(_why_not(value))


def key_text(key: object) -> str:
    """The name of an object's member. Raises NoForm."""
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    if isinstance(key, int):
        reason = digits_reason(key)
        if reason is not None:
            raise NoForm(f"has a key that {reason}")
        return int.__repr__(key)
    if isinstance(key, float):
        if not math.isfinite(key):
            raise NoForm(f"has the key {number_name(key)}, which JSON does not have")
        return float.__repr__(key)
    if isinstance(key, Enum):
        return key_text(key.value)
    if isinstance(key, (datetime.date, datetime.time, UUID, PurePath, Decimal)):
        return str(simpler_form(key))
    raise NoForm(f"has a key of type {type(key).__name__}: {key!r:.40}")


def digits_reason(value: int) -> str | None:
    """Why it cannot be written, if so."""
    try:
        int.__repr__(value)
    except ValueError:
        return f"is a number of more than {sys.get_int_max_str_digits()} digits, which Python does not write as text"
    return None


def number_name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _has(value: object, method: str) -> bool:
    return callable(getattr(type(value), method, None))


def _of_model(value: Any, method: str) -> object:
    """Version 2 and version 1 of Pydantic. The model's own settings decide, such as its aliases and encoders."""
    try:
        return value.model_dump(mode="json") if method == "model_dump" else json.loads(value.json())
    except Exception as error:  # whatever a validator, an encoder or a property of the model raises
        raise NoForm(f"is a {type(value).__qualname__}, whose {method}() failed: {error!r:.200}") from error


def _decimal_form(value: Decimal) -> str:
    """Text, not a number: whoever reads a number in a browser gets a double, which does not have all the digits."""
    if not value.is_finite():
        raise NoForm(f"is {value}, which JSON does not have")
    return str(value)


def _fields_of(value: Any) -> dict[str, object]:
    try:
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    except AttributeError as error:
        raise NoForm(f"is a {type(value).__qualname__} without a value for each field: {error}") from error


def _why_not(value: object) -> str:
    kind = type(value)
    what = f"is a {kind.__module__}.{kind.__qualname__}, which JSON does not have"
    for kinds, advice in _ADVICE:
        if isinstance(value, kinds):
            return f"{what}: {advice}"
    if value.__class__ is not kind:
        stands_for = value.__class__.__name__
        return f"{what}: it stands for a {stands_for}, give that itself, as {stands_for}(value) does"
    if hasattr(kind, "casefold"):
        return f"{what}: it stands for text, give str(value)"
    if hasattr(kind, "__iter__"):
        return f"{what}: make it a list"
    return f"{what}: give what it stands for, or have the Relay's default= do so"
