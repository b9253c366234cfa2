"""A command as nothing but dict, list, str, numbers, bool and None; or the first value in it that has no such form."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Iterable, Optional, Tuple, Union

from .errors import InvalidValue
from .forms import NoForm, digits_reason, key_text, number_name, simpler_form

MAX_NESTING = 512  # levels, the command itself being the first; the relay's limit
_MAX_PATH = 200  # characters shown
_MAX_STEPS = 100  # from a value to its form; more is a default= that never comes to an end
_SCALARS = frozenset((str, int, float, bool, type(None)))
_SUBCLASSES: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (bool, bool),
    (str, str.__str__),
    (int, int.__pos__),
    (float, float.__pos__),
)
_IN_SET = "{…}"  # in a path; a set has no better name for what is in it

Default = Callable[[Any], object]
_Path = Optional[Tuple[Any, Union[str, int, object]]]  # the path of the container, and what leads from there


def plain_command(command: dict[str, object], default: Default | None, levels: int = 0) -> dict[str, Any]:
    """A copy in JSON's own types. Raises InvalidValue for the first fault in document order.

    ``default`` gives something simpler for a value that has no rule, as that of json.dumps does. A value that contains
    itself is found as too deep. ``levels``: how deep the command stands in another.
    """
    plain: dict[str, Any] = _Walk(default).plain(command, None, levels + 1)
    return plain


class _Walk:
    """Without recursion, so that no nesting of values can exhaust the stack."""

    def __init__(self, default: Default | None) -> None:
        self._default = default

    def plain(self, value: object, path: _Path, depth: int) -> Any:
        root: list[Any] = [None]
        sets: list[list[Any]] = []
        todo: list[tuple[object, _Path, int, Any, Any]] = [(value, path, depth, root, 0)]
        while todo:
            value, path, depth, target, slot = todo.pop()
            form = self._form(value, path)
            if depth > MAX_NESTING and isinstance(form, (dict, list, tuple, set, frozenset)):
                raise fault(path, f"is nested deeper than {MAX_NESTING} levels, or contains itself")
            if isinstance(form, dict):
                names = _names(form, path)
                target[slot] = members = dict.fromkeys(name for name, _, _ in names)
                todo += [(item, (path, key), depth + 1, members, name) for name, key, item in reversed(names)]
            elif isinstance(form, (list, tuple)):
                target[slot] = items = [None] * len(form)
                places = reversed(list(enumerate(form)))
                todo += [(item, (path, index), depth + 1, items, index) for index, item in places]
            elif isinstance(form, (set, frozenset)):
                target[slot] = items = [None] * len(form)
                sets.append(items)
                todo += [(item, (path, _IN_SET), depth + 1, items, index) for index, item in enumerate(form)]
            else:
                target[slot] = form
        for items in reversed(sets):  # the inner ones first
            if len(items) > 1:
                items[:] = _sorted(items)
        return root[0]

    def _form(self, value: object, path: _Path) -> object:
        """JSON's own type or a set, one level deep."""
        for _ in range(_MAX_STEPS):
            if isinstance(value, (dict, list, tuple, set, frozenset)):
                return value
            value = _as_itself(value)
            if type(value) in _SCALARS:
                _check_scalar(value, path)
                return value
            value = self._simpler(value, path)
        raise fault(path, f"has no form after {_MAX_STEPS} steps: default= gives something like what it was given")

    def _simpler(self, value: object, path: _Path) -> object:
        try:
            return simpler_form(value)
        except NoForm as error:
            if self._default is None:
                raise fault(path, str(error)) from error.__cause__
            reason = str(error)
        try:
            return self._default(value)
        except (TypeError, ValueError) as error:
            raise fault(path, f"{reason}; default= says: {error}") from error


def fault(path: _Path, reason: str) -> InvalidValue:
    return InvalidValue(_shown(path), reason)


def _as_itself(value: Any) -> object:
    """Of a subclass of a scalar, the scalar. What only says that it is one, as lazy objects do, is none."""
    for kind, itself in _SUBCLASSES:
        if issubclass(type(value), kind):
            return itself(value)
    return value


def _check_scalar(value: object, path: _Path) -> None:
    reason = None
    if isinstance(value, str):
        reason = _text_reason(value)
    elif isinstance(value, float) and not math.isfinite(value):
        reason = f"is {number_name(value)}, which JSON does not have"
    elif isinstance(value, int):
        reason = digits_reason(value)
    if reason is not None:
        raise fault(path, reason)


def _names(members: dict[Any, object], path: _Path) -> list[tuple[str, object, object]]:
    """Of each member: its name, its key, its value."""
    keys: dict[str, object] = {}
    names = []
    for key, item in list(members.items()):
        try:
            name = key_text(key)
        except NoForm as error:
            raise fault(path, str(error)) from None
        reason = _text_reason(name)
        if reason is not None:
            raise fault(path, f"has the key {key!r:.40}, which {reason}")
        if name in keys:
            raise fault(path, f"has two keys that both become {json.dumps(name)}: {keys[name]!r:.40} and {key!r:.40}")
        keys[name] = key
        names.append((name, key if isinstance(key, int) else name, item))
    return names


def _text_reason(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"has a lone surrogate (U+{ord(text[error.start]):04X}) at index {error.start}, which UTF-8 cannot carry"
    return None


def _sorted(elements: Iterable[Any]) -> list[Any]:
    """Always the same order for the same elements: numbers by size, text by code points, all else by its JSON."""
    elements = list(elements)
    if all(isinstance(each, str) for each in elements):
        return sorted(elements)
    if all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in elements):
        return sorted(elements)
    return sorted(elements, key=lambda each: json.dumps(each, sort_keys=True))


def _shown(path: _Path) -> str:
    steps: list[object] = []
    while path is not None:
        path, step = path
        steps.append(step)
    text = ""
    for step in reversed(steps):
        text += _step(step, first=not text)
    if len(text) <= _MAX_PATH:
        return text or "command"
    return f"{text[: _MAX_PATH // 2]}…{text[-_MAX_PATH // 2 :]}"


def _step(step: object, first: bool) -> str:
    if step is _IN_SET:
        return _IN_SET
    if isinstance(step, str) and step.isidentifier():
        return step if first else f".{step}"
    return f"[{json.dumps(step)}]"
