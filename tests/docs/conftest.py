import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What builds the site, and who types what a page says.
sys.path[:0] = [str(ROOT / "scripts/lib/site"), str(ROOT / "tests/readme")]

from reader import Reader  # noqa: E402


@pytest.fixture
def reader():
    reader = Reader(ROOT / "build/readme")
    reader.environment["PYTHONPATH"] = str(ROOT / "clients/python/src")
    yield reader
    reader.leaves()
