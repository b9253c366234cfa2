"""docs/reference is what the code says: scripts/docs --reference writes it anew."""

import re
import shutil
import subprocess

import pytest

import reference

ROOT = reference.ROOT


@pytest.mark.parametrize("name", ["options.md", "metrics.md", "codes.md", "python.md"])
def test_a_page_of_the_reference_is_not_stale(name, written):
    assert (ROOT / "docs/reference" / name).read_text() == written[name], "scripts/docs --reference"


@pytest.fixture(scope="module")
def written():
    return reference.pages()


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.skipif(not (ROOT / "clients/js/node_modules/typescript5").exists(), reason="no npm ci in clients/js yet")
def test_the_page_of_the_typescript_api_is_not_stale():
    subprocess.run(["node", ROOT / "scripts/lib/site/typescript_api.mjs", "--check"], check=True, timeout=120)


def test_the_table_of_options_has_them_all():
    shown = subprocess.run([reference.BINARY, "--print-config"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^#?\s*([a-z-]+) =", shown, re.MULTILINE))
    rows = re.findall(r"^\| `--([a-z-]+)[^|]*\| `SYNCRELAY_", (ROOT / "docs/reference/options.md").read_text(), re.MULTILINE)
    assert len(known) > 20 and set(rows) == known


def test_the_reference_has_something_to_say_of_each_entry():
    for name in ("options.md", "metrics.md"):
        rows = re.findall(r"^\| `.*$", (ROOT / "docs/reference" / name).read_text(), re.MULTILINE)
        assert rows and [row for row in rows if re.search(r"\|\s*\|$", row)] == []
