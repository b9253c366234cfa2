"""The wheel with the relay's program, and the client alone, as pip installs them."""

import json
import re
import subprocess
import sys
import zipfile

import pytest

import platform_tag
from conftest import DIST, ROOT, VERSION, missing_guards, run

MEBIBYTE = 1024 * 1024
USE = """
import json, urllib.request, syncrelay, syncrelay.testing
with syncrelay.testing.relay() as running:
    with syncrelay.Relay(running.endpoint) as relay:
        seq = relay.set("radio", 1, confirm=True).seq
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/health", timeout=10) as reply:
        print(json.dumps({"seq": seq, "status": json.load(reply)["status"], "file": syncrelay.__file__}))
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """environment(*options): a new one, into which `pip install syncrelay` has been typed. pyzmq is the system's."""

    def make(*options):
        folder = tmp_path_factory.mktemp("venv") / "venv"
        run("/usr/bin/python3", "-m", "venv", "--system-site-packages", folder)
        run(folder / "bin/pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check", *options, "syncrelay")
        return folder

    return make


@pytest.fixture(scope="session")
def installed(environment):
    return environment("--find-links", DIST)


def test_pip_takes_the_wheel_with_the_program_where_it_runs(installed):
    assert (installed / "bin/syncrelay").read_bytes()[:4] == b"\x7fELF"
    assert run(installed / "bin/syncrelay", "--version").strip() == f"syncrelay {VERSION}"


def test_syncrelay_serve_is_the_program_and_python_m_syncrelay_too(installed):
    assert run(installed / "bin/syncrelay", "serve", "--print-config") == run(
        installed / "bin/python", "-m", "syncrelay", "serve", "--print-config")


def test_a_relay_for_tests_runs_with_what_was_installed(installed):
    said = json.loads(run(installed / "bin/python", "-c", USE))
    assert said["seq"] == 1 and said["status"] == "ok" and said["file"].startswith(str(installed))


def test_pip_takes_the_client_alone_where_no_program_is_for(environment, client_wheel, tmp_path):
    (tmp_path / client_wheel.name).write_bytes(client_wheel.read_bytes())
    folder = environment("--find-links", tmp_path)
    assert not (folder / "bin/syncrelay").exists()
    done = subprocess.run([folder / "bin/python", "-m", "syncrelay", "serve"], env={"PATH": str(tmp_path)}, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 1 and "docs/install.md" in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_program_needs_glibc_and_nothing_else(installed):
    binary = str(installed / "bin/syncrelay")
    assert platform_tag.foreign_libraries(binary) == []
    assert set(platform_tag.needed(binary)) <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}


def test_the_program_is_hardened(installed):
    assert missing_guards(installed / "bin/syncrelay") == set()


def test_the_tag_is_that_of_the_newest_symbol_of_glibc_that_the_program_uses(installed, wheel):
    """Looked at once more, with objdump."""
    dynamic = run("objdump", "-T", installed / "bin/syncrelay")
    newest = max(tuple(map(int, pair)) for pair in re.findall(r"GLIBC_(\d+)\.(\d+)", dynamic))
    assert wheel.name == f"syncrelay-{VERSION}-py3-none-manylinux_{newest[0]}_{newest[1]}_x86_64.whl"
    assert not re.search(r"\b(GLIBCXX|CXXABI|OPENSSL)_", dynamic)


def test_a_program_that_needs_other_libraries_gets_no_tag():
    python = "/usr/bin/python3"
    with pytest.raises(ValueError, match="libz.so.1|libexpat.so.1"):
        platform_tag.platform_tag(python)


def test_both_wheels_hold_the_same_client_and_name_what_they_hold(wheel, client_wheel):
    with zipfile.ZipFile(wheel) as binary, zipfile.ZipFile(client_wheel) as pure:
        added = set(binary.namelist()) ^ set(pure.namelist())
        assert added == {f"syncrelay-{VERSION}.data/scripts/syncrelay"}
        modules = [name for name in pure.namelist() if name.endswith((".py", ".typed", "/LICENSE"))]
        assert len(modules) > 50 and all(binary.read(name) == pure.read(name) for name in modules)
        about = f"syncrelay-{VERSION}.dist-info/WHEEL"
        assert "Root-Is-Purelib: false" in binary.read(about).decode()
        assert "Tag: py3-none-any" in pure.read(about).decode()
        assert f"Tag: {'-'.join(wheel.stem.split('-')[2:])}" in binary.read(about).decode()


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < 6 * MEBIBYTE


def test_the_files_have_the_sums_that_are_said():
    assert "OK" in run("sha256sum", "--check", "SHA256SUMS", cwd=DIST)


def test_a_wheel_is_the_same_when_it_is_made_again(wheel, client_wheel, installed, tmp_path):
    run(sys.executable, "-B", ROOT / "packaging/binary_wheel.py", client_wheel, installed / "bin/syncrelay", tmp_path)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()
