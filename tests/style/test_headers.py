"""Every header compiles alone, so that the order of includes never matters."""

import re

import pytest

from project import ROOT, files_under, run

HEADERS = files_under("include", "src", "tests", suffixes=(".h",))
SOURCES = files_under("src", "tests", suffixes=(".cpp",))


def of_the_same_name(header):
    """src/room/name.cpp for include/syncrelay/room/name.h and src/room/name.h; for tests' headers it lies beside them."""
    rooms = {header.parent, ROOT.joinpath("src", header.parent.name).relative_to(ROOT)}
    return next((source for source in SOURCES if source.stem == header.stem and source.parent in rooms), None)


def begins_with(source, header):
    first = re.search(r"#include [<\"](.*)[>\"]", (ROOT / source).read_text())
    return first is not None and str(header).endswith("/" + first[1])


WITH_SOURCE = [header for header in HEADERS if of_the_same_name(header)]
ALONE = [header for header in HEADERS if header not in WITH_SOURCE]


@pytest.mark.parametrize("header", WITH_SOURCE, ids=str)
def test_a_header_is_the_first_include_of_its_source(header):
    """Compiled one by one, as the build for users has them, the sources show that it needs nothing before it."""
    assert begins_with(of_the_same_name(header), header)


@pytest.mark.parametrize("header", ALONE, ids=str)
def test_a_header_without_a_source_compiles_alone(header):
    done = run(
        "g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iinclude", "-Isrc",
        "-Itests", '-DSYNCRELAY_SOURCE_ROOT="."', "-x", "c++", "-include", f"./{header}", "/dev/null",
    )
    assert done.returncode == 0, done.stderr
