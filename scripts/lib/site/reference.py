"""Writes docs/reference from the code: options, metrics, codes, the Python API. scripts/docs --reference calls it.

Each function returns the text of a page, which a test compares with the one that is there. The TypeScript API is
typescript_api.mjs's.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).parent))

import codes  # noqa: E402
import metrics as metrics_page  # noqa: E402
import python_api  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/reference"
BINARY = Path(os.environ.get("SYNCRELAY_BINARY", ROOT / "build/syncrelay"))
GENERATED = "Generated from {}; do not edit it, run `scripts/docs --reference`."

OPTION = re.compile(r"^  (-[\w,-]+)(?: ([^\s].*?))?(?:  +(.*))?$")
LIMITS = re.compile(r" \(([^()]*(?:default|repeatable| to )[^()]*)\)$")
UNNAMED = ("Options", "Commands that ask a running relay")  # groups of options that a file and the environment do not set
TITLES = {
    "command": ["| command | |", "|---|---|"],
    "asking": ["| option | | bounds, default |", "|---|---|---|"],
    "setting": ["| option | | bounds, default | in the environment |", "|---|---|---|---|"],
}


def says(word: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNCRELAY_")}
    return subprocess.run([BINARY, word], check=True, capture_output=True, text=True, env=environment).stdout


@lru_cache(maxsize=None)
def settings() -> frozenset[str]:
    """What a file and the environment may set, too; the other options are for the command line."""
    return frozenset(re.findall(r"^#?\s*([a-z-]+) =", says("--print-config"), re.MULTILINE))


def options(text: str | None = None) -> str:
    """From --help."""
    page = ["# Options\n", GENERATED.format("`syncrelay --help`")]
    group = ""
    for line in _joined(text or says("--help")):
        if heading := re.match(r"^([A-Z][^:()]*):$", line):
            group = heading[1]
            page += [f"\n## {group}\n", *TITLES["command" if group == "Subcommands" else "asking" if group in UNNAMED else "setting"]]
        elif (option := OPTION.match(line)) and group != "Subcommands":
            page.append(_option_row(option, group))
        elif (command := re.match(r"^  ([a-z-]+) +(.*)$", line)) and group == "Subcommands":
            page.append(f"| `{command[1]}` | {_cell(command[2])} |")
        elif group and line.strip() and not line.startswith(" "):
            page.append(("\n" if page[-1].startswith("|") else "") + _cell(line))
    page.append("\nWhat the lines cannot say: [Configuration](../configuration.md).\n")
    return "\n".join(page)


def _joined(text: str) -> list[str]:
    """A name too long for its column has its text on the next line."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("      ") and lines:
            lines[-1] += "  " + line.strip()
        else:
            lines.append(line)
    return lines


def _option_row(option: re.Match[str], group: str) -> str:
    name, value, said = option[1], option[2], option[3]
    said = said or ""
    limits = LIMITS.search(said)
    said = said[:limits.start()] if limits else said
    flag = name.split(",")[-1].lstrip("-")
    shown = f"{name} {value}" if value else name
    row = f"| `{shown}` | {_cell(said)} | {_cell(limits[1] if limits else '')} |"
    if group in UNNAMED:
        return row
    variable = "`SYNCRELAY_" + flag.replace("-", "_").upper() + "`" if flag in settings() else ""
    return f"{row} {variable} |"


def _cell(text: str) -> str:
    return re.sub(r"(--[a-z][a-z-]*[a-z]|\{[^{}]*\}|(?<!\w)\*(?!\w)|<[\w-]+>)", r"`\1`", text).replace("|", "\\|")


def metrics() -> str:
    return metrics_page.page(BINARY, GENERATED, _cell)


# Every page that this program writes, by its file's name.
PAGES: dict[str, Callable[[], str]] = {
    "options.md": options, "metrics.md": metrics, "codes.md": lambda: codes.page(ROOT, GENERATED),
    "python.md": lambda: python_api.page(ROOT, GENERATED),
}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, page in PAGES.items():
        (FOLDER / file).write_text(page())
