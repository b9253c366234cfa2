"""Writes docs/reference from the code: options, metrics, codes, the Python API. scripts/docs --reference calls it.

Each function returns the text of a page, which a test compares with the one that is there. The TypeScript API is
typescript_api.mjs's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import codes  # noqa: E402
import python_api  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/reference"
BINARY = Path(os.environ.get("SYNCRELAY_BINARY", ROOT / "build/syncrelay"))
GENERATED = "Generated from {}; do not edit it, run `scripts/docs --reference`."

OPTION = re.compile(r"^  (-[\w,-]+)(?: ([^\s].*?))?(?:  +(.*))?$")
LIMITS = re.compile(r" \(([^()]*(?:default|repeatable| to )[^()]*)\)$")
COMMANDS = "Commands that ask a running relay"


def _help() -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNCRELAY_")}
    return subprocess.run([BINARY, "--help"], check=True, capture_output=True, text=True, env=environment).stdout


def options(text: str | None = None) -> str:
    """From --help."""
    page = ["# Options\n", GENERATED.format("`syncrelay --help`")]
    group = ""
    for line in _joined(text or _help()):
        if heading := re.match(r"^([A-Z][^:()]*):$", line):
            group = heading[1]
            if group == "Subcommands":
                page += [f"\n## {group}\n", "| command | |", "|---|---|"]
            else:
                page += [f"\n## {group}\n", "| option | in the environment | bounds, default | |", "|---|---|---|---|"]
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
    flag = name.split(",")[-1]
    named = group not in ("Options", COMMANDS) and not said.startswith("The same as ")  # a short form of another
    variable = "`SYNCRELAY_" + flag.lstrip("-").replace("-", "_").upper() + "`" if named else ""
    shown = f"{name} {value}" if value else name
    return f"| `{shown}` | {variable} | {_cell(limits[1] if limits else '')} | {_cell(said)} |"


def _cell(text: str) -> str:
    return re.sub(r"(--[a-z][a-z-]*[a-z]|\{[^{}]*\}|(?<!\w)\*(?!\w)|<[\w-]+>)", r"`\1`", text).replace("|", "\\|")


def metrics() -> str:
    """From a running relay's /metrics."""
    page = ["# Metrics\n", GENERATED.format("a running relay's `/metrics`"),
            "\nOf `--admin HOST:PORT`, in Prometheus' format.\n",
            "| metric | type | labels | |", "|---|---|---|---|"]
    text = _scrape()
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        samples = re.findall(rf"^{name}(?:_bucket|_sum|_count)?\{{(.*?)\}} ", text, re.MULTILINE)
        labels = sorted({label for sample in samples for label in re.findall(r'(\w+)="', sample)})
        page.append(f"| `{name}` | {kind} | {', '.join(labels)} | {_cell(helps.get(name, ''))} |")
    return "\n".join(page) + "\n"


def _scrape() -> str:
    with tempfile.TemporaryDirectory(prefix="syncrelay-docs-") as folder:
        relay = subprocess.Popen(
            [BINARY, "--host", "127.0.0.1", "--port", "0", "--admin", "127.0.0.1:0", "--runtime-dir", f"{folder}/run",
             "--data", f"{folder}/data", "--shards", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert relay.stdout
            port = json.loads(relay.stdout.readline())["admin"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                return answer.read().decode()
        finally:
            relay.terminate()
            relay.wait(20)
            assert relay.stdout
            relay.stdout.close()


def pages() -> dict[str, str]:
    """Every page that this program writes, by its file's name."""
    return {
        "options.md": options(), "metrics.md": metrics(), "codes.md": codes.page(ROOT, GENERATED),
        "python.md": python_api.page(ROOT, GENERATED),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, content in pages().items():
        (FOLDER / file).write_text(content)
