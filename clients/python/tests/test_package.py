"""What a user of the package gets."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pull_peer import DEADLINE, PullPeer

ROOT = Path(__file__).parent.parent
MODULES = sorted(path.name for path in (ROOT / "src" / "syncrelay").glob("*.py"))


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=10 * DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_every_module_and_its_types_and_works_alone(directory: Path, fake: PullPeer) -> None:
    # Not importorskip, which takes a folder of that name in the working directory for it.
    if subprocess.run([sys.executable, "-m", "build", "--version"], cwd=directory, capture_output=True).returncode != 0:
        pytest.skip("the module build is not installed")
    shutil.copytree(ROOT, directory / "copy", ignore=shutil.ignore_patterns("build", "dist", "*.egg-info", "tests"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", ".", "copy", cwd=directory)
    (wheel,) = directory.glob("syncrelay-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"syncrelay/{name}" for name in [*MODULES, "py.typed"]} <= set(names)
    fake.start()
    script = "import sys; sys.path.insert(0, sys.argv[1]); import syncrelay; print(syncrelay.__file__)\n"
    script += "with syncrelay.Relay(sys.argv[2]) as relay: relay.broadcast('t', 1)"
    assert str(wheel) in run(sys.executable, "-I", "-c", script, str(wheel), fake.endpoint, cwd=directory)
    assert fake.receive() == [{"op": "broadcast", "type": "t", "data": 1}]


def test_mypy_finds_nothing_in_strict_mode(directory: Path) -> None:
    pytest.importorskip("mypy")
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(directory), cwd=ROOT)
