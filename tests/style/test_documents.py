"""What documents say of the project's files is so."""

import re

import pytest

from project import ROOT

NAMED = re.compile(r"`(?:tests/(\w+)/)?(test_\w+\.py)::(test_\w+)`")
FILES = re.compile(r"`((?:tests|clients)/[\w/.]+|test_\w+\.\w+)`")


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/guarantees.md"])
def test_every_test_that_is_named_is_there(document):
    named = NAMED.findall((ROOT / document).read_text())
    assert len(named) > 20
    lost = [f"{file}::{name}" for folder, file, name in named
            if f"def {name}(" not in (ROOT / "tests" / (folder or "e2e") / file).read_text()]
    assert not lost


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/guarantees.md"])
def test_every_file_of_tests_that_is_named_is_there(document):
    folders = ["", "tests/e2e", "clients/python/tests"]
    lost = [name for name in FILES.findall((ROOT / document).read_text())
            if not any((ROOT / folder / name).exists() for folder in folders)]
    assert not lost
