"""Names the first value in a command that cannot travel as JSON. Runs only after encoding has failed."""

from __future__ import annotations

import json
import math
from typing import Iterator

from .errors import InvalidValue

MAX_NESTING = 512  # levels, the command itself being the first; the relay's limit
_MAX_PATH = 200  # characters shown


def find_fault(command: dict[str, object]) -> InvalidValue | None:
    """The first fault in document order, or None. A value that contains itself is found as too deep."""
    stack: list[tuple[str, object, int]] = [("", command, 1)]
    while stack:
        path, value, depth = stack.pop()
        reason = _reason(value, depth)
        if reason is not None:
            return InvalidValue(_shown(path), reason)
        stack.extend(reversed([(child, item, depth + 1) for child, item in _children(path, value)]))
    return None


def _reason(value: object, depth: int) -> str | None:
    if isinstance(value, (dict, list, tuple)):
        if depth > MAX_NESTING:
            return f"is nested deeper than {MAX_NESTING} levels, or contains itself"
        return _key_reason(value) if isinstance(value, dict) else None
    if isinstance(value, str):
        return _text_reason(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {_number_name(value)}, which JSON does not have"
    if value is None or isinstance(value, (bool, int, float)):
        return None
    return f"is a {type(value).__module__}.{type(value).__qualname__}, which JSON does not have"


def _key_reason(members: dict[object, object]) -> str | None:
    for key in members:
        if isinstance(key, float) and not math.isfinite(key):
            return f"has the key {_number_name(key)}, which JSON does not have"
        if not (key is None or isinstance(key, (str, bool, int, float))):
            return f"has a key of type {type(key).__name__}: {key!r:.40}"
        if isinstance(key, str) and _text_reason(key) is not None:
            return f"has the key {key!r:.40}, which {_text_reason(key)}"
    return None


def _text_reason(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"has a lone surrogate (U+{ord(text[error.start]):04X}) at index {error.start}, which UTF-8 cannot carry"
    return None


def _number_name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _children(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield _member_path(path, key), item
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield f"{path}[{index}]", item


def _member_path(path: str, key: object) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key)}]"


def _shown(path: str) -> str:
    if len(path) <= _MAX_PATH:
        return path or "command"
    return f"{path[: _MAX_PATH // 2]}…{path[-_MAX_PATH // 2 :]}"
