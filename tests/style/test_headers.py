"""Every header compiles alone, so that the order of includes never matters."""

import pytest

from project import files_under, run

HEADERS = files_under("include", "src", "tests", suffixes=(".h",))


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_a_header_compiles_alone(header):
    done = run(
        "g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iinclude", "-Isrc",
        "-Itests", '-DSYNCRELAY_SOURCE_ROOT="."', "-x", "c++", "-include", f"./{header}", "/dev/null",
    )
    assert done.returncode == 0, done.stderr
