"""What a user of the package gets."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from modules import require
from pull_peer import DEADLINE, PullPeer

ROOT = Path(__file__).parent.parent
MODULES = sorted(path.name for path in (ROOT / "src" / "syncrelay").glob("*.py"))


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=10 * DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the archive of the sources."""
    require("build")
    directory = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, directory / "copy", ignore=shutil.ignore_patterns("build", "dist", "*.egg-info", "tests"))
    run(sys.executable, "-m", "build", "--wheel", "--sdist", "--no-isolation", "--outdir", ".", "copy", cwd=directory)
    return directory


def test_the_wheel_holds_every_module_and_its_types_and_works_alone(built: Path, directory: Path, fake: PullPeer) -> None:
    (wheel,) = built.glob("syncrelay-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"syncrelay/{name}" for name in [*MODULES, "py.typed"]} <= set(names)
    fake.start()
    script = "import sys; sys.path.insert(0, sys.argv[1]); import syncrelay; print(syncrelay.__file__)\n"
    script += "with syncrelay.Relay(sys.argv[2]) as relay: relay.broadcast('t', 1)"
    assert str(wheel) in run(sys.executable, "-I", "-c", script, str(wheel), fake.endpoint, cwd=directory)
    assert fake.receive() == [{"op": "broadcast", "type": "t", "data": 1}]


def test_wheel_and_sources_carry_the_license_of_the_project(built: Path) -> None:
    license = (ROOT / "LICENSE").read_text()
    assert "MIT License" in license and "Copyright (c) 2026 The syncrelay authors" in license
    root = ROOT.parent.parent / "LICENSE"
    assert license == root.read_text(), f"{ROOT / 'LICENSE'} is a copy of {root}"
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/LICENSE")]
        assert archive.read(name).decode() == license
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(metadata).decode().splitlines()
        assert "License: MIT" in lines or "License-Expression: MIT" in lines
    (sources,) = built.glob("*.tar.gz")
    with tarfile.open(sources) as tar:
        (member,) = [member for member in tar.getmembers() if member.name.endswith("/LICENSE")]
        file = tar.extractfile(member)
        assert file is not None and file.read().decode() == license


def test_mypy_finds_nothing_in_strict_mode(mypy_cache: Path) -> None:
    require("mypy")
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(mypy_cache), cwd=ROOT)


@pytest.mark.parametrize("where", ["missing", "a folder"])
def test_a_module_that_is_missing_is_a_failure_only_where_it_should_be_installed(
    directory: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "a folder":
        (directory / "no_such_module").mkdir()
        monkeypatch.syspath_prepend(str(directory))
    monkeypatch.setenv("SYNCRELAY_UNDER_TEST", "1")
    with pytest.raises(pytest.fail.Exception, match="no_such_module is not installed"):
        require("no_such_module")
    monkeypatch.delenv("SYNCRELAY_UNDER_TEST")
    with pytest.raises(pytest.skip.Exception):
        require("no_such_module")
    require("json")
