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
    """The Python client, installed by the README's command from a copy, since pip builds in place."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "clients/python", copy / "clients/python")
    environment = HOME / "venv"
    subprocess.run(
        ["/usr/bin/python3", "-m", "venv", "--clear", "--system-site-packages", environment], check=True)
    reader = Reader(HOME)
    reader.types(command_with("pip install"), cwd=copy)
    reader.leaves()
    return environment / "bin/python"


@pytest.fixture
def wscat(reader):
    if not shutil.which("npm"):
        pytest.skip("npm is not installed, which wscat comes with")
    if not Path(HOME / "npm/bin/wscat").exists():
        reader.types(command_with("npm install"))
