"""The example of monitoring, with the real relay and a real Prometheus. The relay: $SYNCRELAY_BINARY, else build/syncrelay."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import prometheus_process  # noqa: E402
from pusher import Pusher  # noqa: E402
from relay_process import RelayProcess  # noqa: E402


@pytest.fixture(scope="module")
def directory():
    """Short, because the path of a unix socket ends at 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="syncrelay-monitoring-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def relay(directory):
    relay = RelayProcess(runtime_dir=directory)
    yield relay
    relay.dispose()


@pytest.fixture(scope="module")
def pusher(relay):
    pusher = Pusher(relay.endpoint)
    yield pusher
    pusher.close()


@pytest.fixture(scope="module")
def prometheus(relay, directory):
    if not shutil.which("prometheus"):
        pytest.skip("prometheus is not installed")
    running = prometheus_process.Prometheus(directory / "prometheus", relay.ready["admin"])
    yield running
    running.stop()
