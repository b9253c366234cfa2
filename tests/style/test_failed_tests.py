"""scripts/test names what failed, right under the line that counts it."""

import pytest

from project import ROOT, run

SAID_BY_PYTEST = """
import pytest

def test_good():
    pass

@pytest.mark.parametrize("number", [7])
def test_bad(number):
    print("much that is of no interest")
    assert number == 8, "a number"

@pytest.fixture
def broken():
    raise OSError("no room")

def test_unready(broken):
    pass
"""

SAID_BY_VITEST = """<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests" tests="2" failures="1" errors="0" time="1">
  <testsuite name="tests/a.test.ts" tests="2" failures="1" errors="0" skipped="0" time="1">
    <testcase classname="tests/a.test.ts" name="good" time="0.1"></testcase>
    <testcase classname="tests/a.test.ts" name="it&apos;s bad" time="0.9">
      <failure message="expected 1 to be 2" type="AssertionError">
AssertionError: expected 1 to be 2

- 2
+ 1

 \N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT} tests/a.test.ts:7:3
      </failure>
    </testcase>
  </testsuite>
</testsuites>
"""

SAID_BY_DOCTEST = """[doctest] doctest version is "2.5.3"
===============================================================================
tests/unit/a_test.cpp:3:
TEST CASE:  one that speaks

tests/unit/a_test.cpp:4: MESSAGE: all is well

===============================================================================
tests/unit/a_test.cpp:7:
TEST CASE:  one that fails
  where it matters

tests/unit/a_test.cpp:9: ERROR: CHECK( 1 == 2 ) is NOT correct!
  values: CHECK( 1 == 2 )

===============================================================================
[doctest] test cases: 3 | 2 passed | 1 failed | 0 skipped
[doctest] Status: FAILURE!
"""


@pytest.fixture
def said(tmp_path):
    """Lines that the functions of scripts/lib/results.sh print for a program, reports being in `tmp_path`."""
    def said(command):
        (tmp_path / "results").mkdir()
        return run("bash", "-c", f"""set -euo pipefail
            cd '{ROOT}' && . scripts/lib/results.sh
            reports='{tmp_path}' results=$reports/results part=part
            {command}""").stdout.splitlines()
    return said


def test_pytest(said, tmp_path):
    (tmp_path / "test_some.py").write_text(SAID_BY_PYTEST)
    count, *lines = said(f"run_pytest some -c /dev/null --rootdir '{tmp_path}' '{tmp_path}/test_some.py'")
    assert "FAILED    1 passed   2 failed" in count
    assert lines[:4] == [
        "  failed: test_some: test_bad[7]",
        "    AssertionError: a number",
        "    assert 7 == 8",
        f"    {tmp_path}/test_some.py:10: AssertionError",
    ]
    assert lines[4:7] == [
        "  failed: test_some: test_unready",
        "    OSError: no room",
        f"    {tmp_path}/test_some.py:14: OSError",
    ]
    assert lines[7].startswith("---- some")


def test_vitest(said, tmp_path):
    (tmp_path / "some.xml").write_text(SAID_BY_VITEST)
    count, *lines = said("touch $reports/some.log && finish some 1 1 1 0 0")
    assert "FAILED    1 passed   1 failed" in count
    assert lines[:5] == [
        "  failed: tests/a.test.ts: it's bad",
        "    AssertionError: expected 1 to be 2",
        "    - 2",
        "    + 1",
        "     \N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT} tests/a.test.ts:7:3",
    ]


def test_doctest(said, tmp_path):
    (tmp_path / "said").write_text(SAID_BY_DOCTEST)
    count, *lines = said("run_doctest some sh -c \"cat '$reports/said'; exit 1\"")
    assert "FAILED    2 passed   1 failed" in count
    assert lines[:4] == [
        "  failed: one that fails",
        "    where it matters",
        "    tests/unit/a_test.cpp:9: ERROR: CHECK( 1 == 2 ) is NOT correct!",
        "      values: CHECK( 1 == 2 )",
    ]


@pytest.mark.parametrize("report", ["", "<testsuites><testsuite"])
def test_a_report_that_broke_off_leaves_the_log(said, tmp_path, report):
    (tmp_path / "some.xml").write_text(report)
    lines = said("echo aborted >$reports/some.log && finish some 134 0 0 0 0")
    assert lines[1].startswith("---- some")
    assert lines[2] == "aborted"
