import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from backend_process import BackendProcess  # noqa: E402
from relay_process import RelayProcess  # noqa: E402
from ws_client import SyncClient  # noqa: E402

# As scripts/run, but nobody is waited for long: neither whose connection is lost nor who takes leave.
ROOMS = ("--open-channels", "room:*", "--anonymous-identity", "--presence", "room:*",
         "--presence-grace", "1s", "--presence-grace-closed", "1s")


@pytest.fixture
def runtime_dir():
    path = Path(tempfile.mkdtemp(prefix="syncrelay-example-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def relay(runtime_dir):
    relay = RelayProcess(*ROOMS, runtime_dir=runtime_dir)
    yield relay
    relay.dispose()


@pytest.fixture
def start_backend(relay):
    running = []

    def start(port=0):
        running.append(BackendProcess(relay, port))
        return running[-1]

    yield start
    for backend in running:
        backend.stop()


@pytest.fixture
async def connect(relay):
    clients = []

    async def open_client(**query):
        clients.append(await SyncClient.open(relay, **query))
        return clients[-1]

    yield open_client
    for client in clients:
        await client.leave()
