"""The little in which Markdown as the project writes it (GitHub's) differs from that of the generator."""

from __future__ import annotations

import re
from typing import Callable

FENCE = re.compile(r"^\s*```")
ITEM = re.compile(r"^( *)([-*]|\d+\.) ")
LINK = re.compile(r"(?<!\\)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def anchor(title: str, separator: str = "-") -> str:
    """The anchor of a heading as GitHub makes it: each space a hyphen, none of them joined."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", separator)


def adapted(text: str, target: Callable[[str], str]) -> str:
    """Lists have an empty line before them and are indented by twice as much; the targets of links are what `target`
    makes of them. Blocks of code stay as they are, but for the indentation of the list that they are in."""
    lines: list[str] = []
    in_code = in_list = False
    more = 0
    for line in text.splitlines():
        if FENCE.match(line):
            in_code = not in_code
            more = _indent(line) if in_list else 0
        elif not in_code:
            line = LINK.sub(lambda link: f"]({target(link[1])}{link[2] or ''})", line)
            if (item := ITEM.match(line)) and not in_list and lines and lines[-1].strip():
                lines.append("")
            in_list = bool(item) or in_list and (not line.strip() or line.startswith(" "))
            more = _indent(line) if in_list else 0
        lines.append(" " * more + line if line.strip() else line)
    return "\n".join(lines) + "\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
