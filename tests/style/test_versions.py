"""The version stands in meson.build; wherever it is said again, it is the same."""

import re
import sys

from project import ROOT

sys.path.insert(0, str(ROOT / "packaging"))

import versions  # noqa: E402


def test_every_place_that_says_the_version_says_that_of_meson():
    assert re.fullmatch(r"\d+\.\d+\.\d+", versions.version())
    assert versions.differing() == {}


def test_no_place_is_read_wrongly():
    assert "none" not in versions.places().values() and len(versions.places()) == 7
