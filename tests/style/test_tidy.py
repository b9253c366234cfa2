"""What clang-tidy finds. It reads a room's sources as one, which takes a fifth of the time."""

import json
import re

import pytest

from project import ROOT, files_under, run

BUILD = ROOT / "build/tidy"
SOURCES = files_under("src", suffixes=(".cpp",))
ROOMS = sorted({source.parent for source in SOURCES})
OF_ROOM = re.compile(r"(?:src/lib(\w+)\.a|syncrelay)\.p/\w+-unity\d+\.cpp$")


def read_by_tidy():
    """The files that clang-tidy is given, relative to BUILD."""
    assert BUILD.is_dir(), "scripts/test sets it up before"
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    files = sorted({entry["file"] for entry in entries})
    return [file for file in files if OF_ROOM.fullmatch(file)]


def test_tidy_reads_every_source():
    read = set()
    for file in read_by_tidy():
        included = re.findall(r"#include *[<\"](.*)[>\"]", (BUILD / file).read_text())
        read |= {(BUILD / file).parent.joinpath(name).resolve() for name in included}
    assert {ROOT / source for source in SOURCES} <= read


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_tidy_finds_nothing(room):
    wanted = "syncrelay.p/" if room.name == "src" else f"src/lib{room.name}.a.p/"
    files = [file for file in read_by_tidy() if file.startswith(wanted)]
    assert files
    done = run("clang-tidy", "--quiet", "-p", BUILD, *(BUILD / file for file in files))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_using_declarations_are_used(source):
    """What clang-tidy would find in a source that it reads by itself."""
    text = (ROOT / source).read_text()
    for name in re.findall(r"^\s*using (?:\w*::)+(\w+);", text, re.MULTILINE):
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name
