"""What docs/install.md tells its reader to type does what it says; what is for a system's administrator, in the bare root."""

import os
import re
import shutil

import pytest

from conftest import DIST, ROOT, VERSION, run

PAGE = (ROOT / "docs/install.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder in which the lines of the wheel have been typed, but for the one that makes it, which scripts/test has done.
    Without an index of packages pyzmq is the system's."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "dist").symlink_to(DIST)
    setup, *rest = [line for line in LINES if ".venv" in line]
    path = {"PATH": f"/usr/bin:{os.environ['PATH']}", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    run("bash", "-c", setup, cwd=folder, env=path)
    settings = folder / ".venv/pyvenv.cfg"
    settings.write_text(settings.read_text().replace("packages = false", "packages = true"))
    said = [run("bash", "-c", line, cwd=folder, env=path) for line in rest]
    assert said[-1].strip() == f"syncrelay {VERSION}"
    return folder


def test_the_lines_that_make_packages_are_those_that_scripts_test_has_typed():
    made = [line.split()[1:] for line in LINES if line.startswith("scripts/package")]
    part = (ROOT / "scripts/lib/parts.sh").read_text()
    made.remove(["image"])  # needs an engine with Debian's image; tests/compose builds the same Dockerfile in one of its own
    assert sorted(sum(made, [])) == ["client", "deb", "npm", "wheel"]
    assert "names=(client wheel deb)" in part and "names+=(npm)" in part


def test_the_python_lines_run_with_what_the_page_has_installed(environment, tmp_path):
    assert PYTHON
    folder = {"SYNCRELAY_RUNTIME_DIR": str(tmp_path)} if len(str(tmp_path)) < 80 else {}
    for text in PYTHON:
        run(environment / ".venv/bin/python", "-c", text, cwd=environment, env=folder)


def test_the_lines_for_an_administrator_are_typed_in_the_bare_root():
    tried = (ROOT / "tests/packages/test_bare_install.py").read_text()
    lines = [line.removeprefix("sudo ") for line in LINES if line.startswith("sudo ")]
    assert len(lines) == 2 and all(line in tried for line in lines)


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
def test_the_npm_package_installs_by_the_line_of_the_page(tmp_path):
    [command] = re.findall(r"`(npm install \S+)`", PAGE)
    (tmp_path / "dist").symlink_to(DIST)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    run("bash", "-c", f"{command} --offline --no-audit --no-fund --legacy-peer-deps", cwd=tmp_path)
    said = run("node", "-e", "import('syncrelay').then((all) => console.log(typeof all.connect))", cwd=tmp_path)
    assert said.strip() == "function"
