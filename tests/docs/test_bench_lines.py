"""The lines of docs/scaling.md that measure are such as the benchmarks take; to run them takes minutes and a machine of their own."""

import re
import subprocess

import pytest

from readme import INLINE, ROOT

TEXT = (ROOT / "docs/scaling.md").read_text()
LINES = sorted({code for code in INLINE.findall(TEXT) if code.startswith(("scripts/bench ", "cluster.py "))})
PROGRAMS = {"scripts/bench": "tests/bench/bench.py", "cluster.py": "tests/bench/cluster.py"}


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_measures_names_what_there_is(line):
    program, *words = line.split()
    done = subprocess.run(["/usr/bin/python3", "-B", ROOT / PROGRAMS[program], *words, "--help"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    if "--servers" in words:
        known = re.findall(r'^[A-Z_]+ = "(.*)"$', (ROOT / "tests/bench/servers.py").read_text(), re.MULTILINE)
        assert set(words[words.index("--servers") + 1].split(",")) <= set(known)


def test_a_scenario_that_there_is_not_would_be_noticed():
    done = subprocess.run(["/usr/bin/python3", "-B", ROOT / PROGRAMS["scripts/bench"], "--only", "none", "--help"],
                          capture_output=True, timeout=60)
    assert done.returncode != 0 and len(LINES) > 5
