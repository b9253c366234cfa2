from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from modules import missing
from pull_peer import PullPeer
from real_relay import BINARY, RealRelay
from router_peer import RouterPeer

from syncrelay import Relay
from syncrelay.testing import FakeRelay


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short, since the path of a socket may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="sr-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.fixture
def endpoint(directory: Path) -> str:
    return f"ipc://{directory}/commands.sock"


@pytest.fixture
def fake(endpoint: str) -> Iterator[PullPeer]:
    """Not started: the test decides when the relay is there."""
    with PullPeer(endpoint) as relay:
        yield relay


@pytest.fixture
def control(directory: Path) -> Iterator[RouterPeer]:
    """Stands where a Relay(endpoint) looks for the control socket; not started."""
    with RouterPeer(f"ipc://{directory}/control.sock") as peer:
        yield peer


def _real(directory: Path, *options: str) -> Iterator[RealRelay]:
    if not BINARY.exists():
        missing(f"no relay at {BINARY}: build it, or set SYNCRELAY_BINARY")
    relay = RealRelay(directory, *options)
    yield relay
    relay.stop()


@pytest.fixture
def real(directory: Path) -> Iterator[RealRelay]:
    """Not started; keeps everything in memory."""
    yield from _real(directory)


@pytest.fixture
def durable(directory: Path) -> Iterator[RealRelay]:
    """Not started; a restart goes on where it was killed."""
    yield from _real(directory, "--data", str(directory / "data"))


@pytest.fixture(params=["fake", "real"])
def relay(request: pytest.FixtureRequest, directory: Path) -> Iterator[Relay]:
    """One that keeps the relay's rules, and the relay's own."""
    if request.param == "fake":
        yield FakeRelay()
        return
    for real in _real(directory, "--open-channels", "*"):
        real.start()
        with Relay(real.endpoint) as relay:
            yield relay
