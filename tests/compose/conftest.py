"""What the compose files start, on the machine's engine or else on one of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import private_engine  # noqa: E402
from stack import CLUSTER, IMAGES, ROOT, Stack  # noqa: E402

PROJECT = "syncrelay-test"


def engine_is_there() -> bool:
    return subprocess.run("docker info", shell=True, capture_output=True).returncode == 0


def run(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def run_there():
    """Executes a command where the engine is; the images of this project are built."""
    if engine_is_there():
        Stack(run, PROJECT).compose("build")
        yield run
    elif os.environ.get("CI") == "true" and private_engine.is_possible():
        folder = ROOT / "build/compose"
        folder.mkdir(parents=True, exist_ok=True)
        engine = private_engine.PrivateEngine(folder)
        engine.build(ROOT, IMAGES)
        with engine.running():
            yield engine.run
    else:
        pytest.skip("no Docker engine answers here; with CI=true and as root one is set up")


@pytest.fixture(scope="session")
def stack(run_there):
    """Up and served; taken down with its volume at the end."""
    stack = Stack(run_there, PROJECT)
    yield from lifetime(stack, stack.wait_until_served)


@pytest.fixture(scope="module")
def cluster(run_there):
    cluster = Stack(run_there, f"{PROJECT}-cluster", CLUSTER)
    yield from lifetime(cluster, cluster.wait_until_all_serve)


def lifetime(stack, wait):
    stack.compose("down", "--volumes")
    try:
        stack.compose("up", "-d")
        wait()
        yield stack
    finally:
        sys.stdout.write(stack.compose("logs", "--no-color"))
        stack.compose("down", "--volumes", "--timeout", "5")
