"""What scripts/package has put into dist/."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
sys.path.insert(0, str(ROOT / "packaging"))
sys.path.insert(0, str(ROOT / "tests/bare"))

import versions  # noqa: E402

VERSION = versions.version()


def run(*command, cwd=ROOT, env=None, seconds=120):
    """What it prints, both streams; fails when it does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SYNCRELAY_")}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env={**clean, **(env or {})}, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout[-6000:]}"
    return done.stdout


def missing_guards(binary):
    """Those of the compiler and the linker that a program has not which talks to strangers."""
    seen = run("readelf", "--wide", "--headers", "--dynamic", "--dyn-syms", binary)
    wanted = {"BIND_NOW", "GNU_RELRO", r"Type:\s+DYN", r"__stack_chk_fail@", r"__\w+_chk@"}
    return {guard for guard in wanted if not re.search(guard, seen)}


def the_one(pattern):
    found = sorted(DIST.glob(pattern))
    assert len(found) == 1, f"dist/{pattern}: {found}; scripts/package makes it"
    return found[0]


@pytest.fixture(scope="session")
def client_wheel():
    return the_one(f"syncrelay-{VERSION}-py3-none-any.whl")


@pytest.fixture(scope="session")
def wheel():
    return the_one(f"syncrelay-{VERSION}-py3-none-manylinux_*.whl")


@pytest.fixture(scope="session")
def deb():
    return the_one(f"syncrelay_{VERSION}_*.deb")


@pytest.fixture(scope="session")
def unpacked_deb(deb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb")
    run("dpkg-deb", "--raw-extract", deb, folder)
    return folder
