"""Names the failed tests in a report, each with the first lines of what it says: JUnit's XML by pytest or Vitest, or
what doctest prints.

    failed_tests.py build/reports/js.xml
    failed_tests.py build/reports/unit.log

A report that is missing or broken off names none.
"""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

LINES = 15  # of each test
WIDTH = 200
IN_FULL = 10  # tests; the others by name alone


def of_junit(text: str):
    for case in ElementTree.fromstring(text).iter("testcase"):
        for bad in case.iter():
            if bad.tag in ("failure", "error"):
                name = f"{case.get('classname', '')}: {case.get('name')}"
                yield name, said_by(bad.text or bad.get("message", ""))


def said_by(text: str) -> list[str]:
    """Pytest shows the whole test first: what it complains about is marked, and where is the last line."""
    lines = text.strip().splitlines()
    marked = [line[1:].strip() for line in lines if re.match(r"E\s", line)]
    return marked[:LINES - 1] + lines[-1:] if marked else lines


def of_doctest(text: str):
    for block in re.split(r"^={20,}$", text, flags=re.MULTILINE):
        name = re.search(r"^TEST CASE: +(.*)", block, re.MULTILINE)
        if name and "ERROR: " in block:
            yield name[1], block[name.end():].split("\n[doctest]")[0].strip().splitlines()


def failed_tests(report: Path):
    try:
        text = report.read_text(errors="replace")
        return list(of_junit(text) if report.suffix == ".xml" else of_doctest(text))
    except (OSError, ElementTree.ParseError):
        return []


def main(report: Path):
    for count, (name, lines) in enumerate(failed_tests(report)):
        print(f"  failed: {name}")
        for line in [line for line in lines if line.strip()][:LINES if count < IN_FULL else 0]:
            print(f"    {line[:WIDTH]}")


main(Path(sys.argv[1]))
