"""The modules of both pages, as far as they need no browser: tests/browser/modules, by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

MODULES = sorted(Path(__file__).with_name("modules").glob("*.test.mjs"))


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("tests", MODULES, ids=lambda path: path.name)
def test_what_needs_no_browser_does_what_it_says(tests):
    done = subprocess.run(["node", "--test", tests], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
