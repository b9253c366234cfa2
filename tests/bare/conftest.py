import subprocess

import pytest

from bare_root import BARE, BareRoot


@pytest.fixture(scope="session")
def bare_root():
    """Made anew, with a clone of this checkout and nothing else. It stays: scripts/test goes on in it."""
    impossible = subprocess.run([BARE, "possible"], capture_output=True, text=True)
    if impossible.returncode != 0:
        pytest.skip(impossible.stdout.strip())
    root = BareRoot()
    root.make()
    return root
