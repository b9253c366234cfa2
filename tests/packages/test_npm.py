"""The browser client as npm packs it."""

import json
import re
import shutil
import tarfile

import pytest

from conftest import ROOT, VERSION, the_one

pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")


@pytest.fixture(scope="module")
def packed():
    with tarfile.open(the_one(f"syncrelay-{VERSION}.tgz")) as archive:
        yield {name: archive.extractfile(name).read() for name in archive.getnames()}


def test_it_holds_what_was_built_the_licence_and_nothing_else(packed):
    strangers = [name for name in packed
                 if not re.fullmatch(r"package/(LICENSE|README\.md|package\.json|dist/[\w./-]+\.(js|d\.ts|map|json))", name)]
    assert strangers == []
    assert packed["package/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_every_file_that_the_package_names_is_in_it(packed):
    about = json.loads(packed["package/package.json"])
    named = re.findall(r'"\./(dist/[^"*]+)"', json.dumps(about))
    assert about["version"] == VERSION and len(named) > 5
    assert [name for name in named if f"package/{name}" not in packed] == []


def test_what_was_built_is_what_this_checkout_builds(packed):
    built = ROOT / "clients/js/dist/syncrelay.min.js"
    assert packed["package/dist/syncrelay.min.js"] == built.read_bytes()
    assert "prepare" not in json.loads(packed["package/package.json"])["scripts"]
