"""The examples of proxies with the real relay behind them; the binary is $SYNCRELAY_BINARY, else build/syncrelay.

What is not installed is skipped. Every relay and proxy has free ports and a directory of its own.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import proxy_process  # noqa: E402
from app import App  # noqa: E402
from certificate import Certificate  # noqa: E402
from relay_process import RelayProcess  # noqa: E402
from way_in import WayIn  # noqa: E402


@pytest.fixture(scope="session")
def certificate():
    return Certificate()


@pytest.fixture
def directory():
    """Short, because the path of a unix socket ends at 107 bytes; others must be able to enter it."""
    path = Path(tempfile.mkdtemp(prefix="syncrelay-proxy-"))
    path.chmod(0o755)
    (path / "run").mkdir(mode=0o700)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start_relay(directory):
    running = []

    def start(*arguments):
        running.append(RelayProcess(*arguments, runtime_dir=directory / "run"))
        return running[-1]

    yield start
    for relay in running:
        relay.dispose()


@pytest.fixture
def start_app():
    running = []

    def start(name):
        running.append(App(name))
        return running[-1]

    yield start
    for app in running:
        app.stop()


@pytest.fixture(params=proxy_process.ALL, ids=proxy_process.name_of)
def kind(request):
    if not request.param.is_there():
        pytest.skip(f"{request.param.PROGRAM} is not installed")
    return request.param


@pytest.fixture
def start_proxy(directory, certificate):
    """start_proxy(kind, relay, app): its timeout is longer than any test, unless `idle` says otherwise."""
    running = []

    def start(kind, relay, app, idle=60):
        (directory / kind.__name__).mkdir()
        running.append(kind(directory / kind.__name__, certificate, relay.port, app.port, idle))
        return running[-1]

    yield start
    for proxy in running:
        proxy.stop()


@pytest.fixture
async def way_in(certificate):
    """Connects clients, which are gone before the proxy stops."""
    way = WayIn(certificate.client_context())
    yield way
    await way.close()
