"""Formatting and static checks by the tools that own them: clang-format, shellcheck."""

import re
import shutil

import pytest

from project import ROOT, files_under, project_files, run

CPP = files_under("include", "src", "tests", suffixes=(".h", ".cpp"))
FORMAT_VERSION = 14  # others format the same rules slightly differently


def shell_scripts():
    for path in project_files():
        with (ROOT / path).open("rb") as file:
            shebang = file.readline(40)
        if path.suffix == ".sh" or re.match(rb"#!.*\b(ba)?sh\b", shebang):
            yield path


def test_cpp_is_formatted():
    version = re.search(r"version (\d+)", run("clang-format", "--version").stdout)
    if not version or int(version[1]) != FORMAT_VERSION:
        pytest.skip(f"clang-format {FORMAT_VERSION} is not what is installed here")
    assert CPP, "no C++ file found"
    done = run("clang-format", "--dry-run", "--Werror", *CPP)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", list(shell_scripts()), ids=str)
def test_shellcheck_finds_nothing(script):
    assert shutil.which("shellcheck"), "scripts/test installs it"
    done = run("shellcheck", "-x", script)
    assert done.returncode == 0, done.stdout
