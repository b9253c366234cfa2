import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOMS = ("--open-channels", "room:*", "--anonymous-identity", "--presence", "room:*")  # as scripts/run
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "example")]

from backend_process import BackendProcess  # noqa: E402
from browser import ROOT, Browser, what_is_missing  # noqa: E402
from link import Link  # noqa: E402
from relay_process import RelayProcess  # noqa: E402


@pytest.fixture
def start_relay():
    """Starts relays in one runtime directory: the second is the first one, restarted."""
    runtime_dir = Path(tempfile.mkdtemp(prefix="syncrelay-browser-"))
    running = []

    def start(*arguments):
        running.append(RelayProcess(*arguments, runtime_dir=runtime_dir))
        return running[-1]

    yield start
    for relay in running:
        relay.dispose()
    shutil.rmtree(runtime_dir, ignore_errors=True)


@pytest.fixture
def relay(start_relay):
    return start_relay(*ROOMS)


@pytest.fixture
def backend(relay):
    backend = BackendProcess(relay)
    yield backend
    backend.stop()


@pytest.fixture
def browser_name():
    """A module whose tests are for others, too, has a fixture of this name with parameters."""
    return "chromium"


@pytest.fixture(scope="session")
def browsers():
    """Those that run, by name."""
    running = {}
    yield running
    for browser in running.values():
        browser.close()


@pytest.fixture
def browser(browser_name, browsers):
    if missing := what_is_missing(browser_name):
        pytest.skip(missing)
    if browser_name not in browsers:
        browsers[browser_name] = Browser(browser_name)
    yield browsers[browser_name]
    browsers[browser_name].close_pages()


@pytest.fixture
def start_backend(relay):
    """Backends whose page finds the relay on `relay_port`: by default where it is."""
    running = []

    def start(port=0, relay_port=None):
        at = SimpleNamespace(runtime_dir=relay.runtime_dir, port=relay_port or relay.port)
        running.append(BackendProcess(at, port))
        return running[-1]

    yield start
    for backend in running:
        backend.stop()


@pytest.fixture
def link(relay):
    link = Link(relay.port)
    yield link
    link.close()


@pytest.fixture
def artifacts():
    folder = ROOT / "build/reports/browser"
    os.makedirs(folder, exist_ok=True)
    return folder
