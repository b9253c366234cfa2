"""The page of the Python client's API, from its signatures and docstrings."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

MODULES = ("syncrelay", "syncrelay.tokens", "syncrelay.testing", "syncrelay.celery", "syncrelay.compat")
ROLE = re.compile(r"``([^`]+)``")


def page(root: Path, generated: str) -> str:
    sys.path.insert(0, str(root / "clients/python/src"))
    parts = ["# Python API\n", generated.format("signatures and docstrings") + "\n",
             "With examples: [syncrelay for Python](../../clients/python/README.md).\n"]
    for name in MODULES:
        module = importlib.import_module(name)
        parts += [f"## {name}\n", _said(module)]
        for member in _public(module):
            parts += _described(member, getattr(module, member))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def _public(module: Any) -> list[str]:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    return [name for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
            and (inspect.isclass(value) or inspect.isfunction(value))]


def _said(thing: Any) -> str:
    own = thing.__dict__.get("__doc__") if inspect.isclass(thing) else thing.__doc__
    return ROLE.sub(r"`\1`", inspect.cleandoc(own)) + "\n" if own else ""


def _described(name: str, thing: Any) -> list[str]:
    if inspect.isclass(thing):
        return [f"### {name}\n", _signature(name, thing), _said(thing), *_members(thing)]
    if callable(thing):
        return [f"### {name}\n", _signature(name, thing), _said(thing)]
    return []


def _members(owner: type) -> list[str]:
    parts = []
    for name, member in _of_all_bases(owner).items():
        if isinstance(member, property):
            kind = inspect.signature(member.fget).return_annotation if member.fget else inspect.Signature.empty
            parts += [f"#### {owner.__name__}.{name}\n", f"`{name}: {_text(kind)}`\n", _said(member)]
        elif callable(member):
            parts += [f"#### {owner.__name__}.{name}\n", _signature(name, member), _said(member)]
    return parts


def _of_all_bases(owner: type) -> dict[str, Any]:
    """Public methods and properties, also those of the project's private base classes, and none of the standard library's."""
    found: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        if base.__module__.startswith("syncrelay") and (base is owner or not _is_exported(base)):
            for name, member in vars(base).items():
                if not name.startswith("_") and (isinstance(member, property) or inspect.isroutine(member)):
                    found[name] = member.__func__ if isinstance(member, (staticmethod, classmethod)) else member
    return found


def _is_exported(base: type) -> bool:
    return any(getattr(sys.modules.get(module), base.__name__, None) is base for module in MODULES)


def _signature(name: str, thing: Any) -> str:
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    parameters = [_parameter(value) for key, value in signature.parameters.items() if key != "self"]
    stars = _with_markers(list(signature.parameters.values()), parameters)
    answer = signature.return_annotation
    arrow = "" if answer is inspect.Signature.empty or inspect.isclass(thing) else f" -> {_text(answer)}"
    way = "async " if inspect.iscoroutinefunction(thing) else ""
    line = f"{way}{name}({', '.join(stars)}){arrow}"
    if len(line) > 100:
        line = f"{way}{name}(\n    " + ",\n    ".join(stars) + f",\n){arrow}"
    return f"```text\n{line}\n```\n"


def _with_markers(declared: list[inspect.Parameter], shown: list[str]) -> list[str]:
    declared = [parameter for parameter in declared if parameter.name != "self"]
    result, marked = [], False
    for parameter, text in zip(declared, shown):
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            marked = True
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY and not marked:
            result.append("*")
            marked = True
        result.append(text)
    return result


def _parameter(parameter: inspect.Parameter) -> str:
    star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = star + parameter.name
    if parameter.annotation is not inspect.Parameter.empty:
        text += f": {_text(parameter.annotation)}"
    if parameter.default is not inspect.Parameter.empty:
        text += f" = {_default(parameter.default)}"
    return text


def _default(value: Any) -> str:
    shown = repr(value)
    return "…" if " at 0x" in shown or len(shown) > 40 else shown


def _text(annotation: Any) -> str:
    if annotation is inspect.Signature.empty:
        return ""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
