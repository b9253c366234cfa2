import shutil
import subprocess
from pathlib import Path

import pytest

from reader import Reader
from readme import ROOT, commands

HOME = ROOT / "build/readme"


def command_with(start: str) -> str:
    [found] = [command for command in commands() if command.startswith(start)]
    return found


@pytest.fixture
def reader():
    reader = Reader(HOME)
    yield reader
    reader.leaves()


@pytest.fixture
def relay(reader):
    return reader.starts_relay("scripts/run")


@pytest.fixture
def relay_with_metrics(reader):
    return reader.starts_relay(command_with("scripts/run --admin"))


@pytest.fixture(scope="session")
def python_client(tmp_path_factory):
    """The Python client, installed by the README's commands into a copy, since pip builds in place.

    Without an index of packages pyzmq and what builds a wheel are the system's, which the environment sees."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "clients/python", copy / "clients/python")
    reader = Reader(HOME)
    reader.environment["PATH"] = f"/usr/bin:{reader.environment['PATH']}"  # Debian's Python
    reader.types(command_with("python3 -m venv"), cwd=copy)
    settings = copy / ".venv/pyvenv.cfg"
    settings.write_text(settings.read_text().replace(
        "include-system-site-packages = false", "include-system-site-packages = true"))
    reader.types(command_with(".venv/bin/pip install"), cwd=copy)
    reader.leaves()
    return copy / ".venv/bin/python"


@pytest.fixture
def wscat(reader):
    if not shutil.which("npm"):
        pytest.skip("npm is not installed, which wscat comes with")
    if not Path(HOME / "npm/bin/wscat").exists():
        reader.types(command_with("npm install"))
