"""docs/reference is what the code says: scripts/docs --reference writes it anew."""

import re
import shutil
import subprocess

import pytest

import reference

ROOT = reference.ROOT


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_of_the_reference_is_not_stale(name):
    if name == "metrics.md" and not shutil.which("redis-server"):
        pytest.skip("there is no redis-server, which a relay of a cluster needs")
    assert (ROOT / "docs/reference" / name).read_text() == reference.PAGES[name](), "scripts/docs --reference"


def test_the_page_of_metrics_has_those_that_the_code_names():
    sources = "".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.cpp")))
    named = set(re.findall(r'(?:\.(?:header|single)|add_histogram)\((?:page,)?\s*"(\w+)"', sources))
    rows = re.findall(r"^\| `syncrelay_(\w+)`", (ROOT / "docs/reference/metrics.md").read_text(), re.MULTILINE)
    assert len(named) > 50 and set(rows) == named


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.skipif(not (ROOT / "clients/js/node_modules/typescript5").exists(), reason="no npm ci in clients/js yet")
def test_the_page_of_the_typescript_api_is_not_stale():
    subprocess.run(["node", ROOT / "scripts/lib/site/typescript_api.mjs", "--check"], check=True, timeout=120)


def test_the_table_of_options_has_them_all():
    rows = re.findall(r"^\| `--([a-z-]+)[^\n]*\| `SYNCRELAY_\w+` \|$", (ROOT / "docs/reference/options.md").read_text(), re.MULTILINE)
    assert len(reference.settings()) > 20 and set(rows) == reference.settings()


def test_the_reference_has_something_to_say_of_each_entry():
    for name in ("options.md", "metrics.md"):
        rows = re.findall(r"^\| `.*$", (ROOT / "docs/reference" / name).read_text(), re.MULTILINE)
        assert rows and [row for row in rows if not re.search(r"\w", re.split(r"(?<!\\)\|", row)[2])] == []
