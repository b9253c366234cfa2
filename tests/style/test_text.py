"""The text of the project: speaks of no machine, ends its lines, and stays in short files."""

import re
import socket
from pathlib import Path

import pytest

from project import ROOT, project_files

LINES_OF_CODE = 400
LINES_OF_TEST = 600
CODE = {".cpp", ".h", ".py", ".js", ".ts", ".sh"}


def text_files():
    for path in project_files():
        data = (ROOT / path).read_bytes()
        # Files kept as test input are what they are.
        if b"\0" not in data and "corpus" not in path.parts and "vectors" not in path.parts:
            yield path, data.decode()


def machine_names() -> dict[str, re.Pattern[str]]:
    """What would betray the machine that a text was written on: its paths and its name."""
    names = {str(Path.home()): "home directory", socket.gethostname(): "host name"}
    if len(ROOT.parts) > 2:
        names[str(ROOT)] = "checkout"
    if len(ROOT.parts) > 3:
        names[str(ROOT.parent)] = "folder around the checkout"
    return {
        f"{what} {name}": re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
        for name, what in names.items() if len(name) > 4 and name != "localhost"
    }


@pytest.mark.parametrize("what, pattern", machine_names().items())
def test_no_text_names_the_machine_it_was_written_on(what, pattern):
    found = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)
    ]
    assert not found, f"{what}:\n" + "\n".join(found)


def test_lines_end_cleanly():
    found = [
        f"{path}:{number}"
        for path, text in text_files() if path.suffix != ".patch"
        for number, line in enumerate(text.splitlines(), 1) if line != line.rstrip()
    ]
    unended = [str(path) for path, text in text_files() if text and not text.endswith("\n")]
    assert not found + unended, "trailing space or no newline at the end:\n" + "\n".join(
        found + unended)


def test_files_stay_short():
    long = []
    for path, text in text_files():
        limit = LINES_OF_TEST if path.parts[0] == "tests" else LINES_OF_CODE
        if path.suffix in CODE and (lines := text.count("\n")) > limit:
            long.append(f"{path}: {lines} lines, limit {limit}")
    assert not long, "\n".join(long)
