from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from fake_relay import FakeRelay


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short, since the path of a socket may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="sr-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def endpoint(directory: Path) -> str:
    return f"ipc://{directory}/commands.sock"


@pytest.fixture
def fake(endpoint: str) -> Iterator[FakeRelay]:
    """Not started: the test decides when the relay is there."""
    with FakeRelay(endpoint) as relay:
        yield relay
