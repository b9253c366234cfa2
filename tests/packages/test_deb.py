"""What is in the Debian package: looked at, without installing it."""

import os
import re

import pytest

import default_config
from conftest import VERSION, missing_guards, run

UNIT = "syncrelay.service"
MOST_EXPOSED = 2.0  # by the scale of systemd, where 10 is a service that may do everything


@pytest.fixture(scope="session")
def unit(unpacked_deb):
    return next(path for path in unpacked_deb.rglob(UNIT) if path.is_file())


@pytest.fixture(scope="session")
def conffile(unpacked_deb):
    return unpacked_deb / "etc/syncrelay/syncrelay.toml"


def settings(unpacked_deb, file):
    """name: value, as --print-config shows them."""
    shown = run(unpacked_deb / "usr/bin/syncrelay", "--config", file, "--print-config")
    return dict(re.findall(r"^([a-z-]+) = (.*)  # ", shown, re.MULTILINE))


def test_lintian_has_nothing_to_say(deb):
    said = run("lintian", "--allow-root", "--fail-on", "error,warning", deb)
    assert said.strip() == ""


def test_the_unit_is_one_that_systemd_understands(unit, unpacked_deb, tmp_path):
    there = tmp_path / UNIT
    there.write_text(unit.read_text().replace("/usr/bin/syncrelay", str(unpacked_deb / "usr/bin/syncrelay")))
    assert run("systemd-analyze", "verify", "--man=no", there).strip() == ""


def test_the_unit_is_hardened(unit):
    said = run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:g}", "--no-pager", unit)
    [level] = re.findall(r"Overall exposure level.*: ([\d.]+)", said)
    assert float(level) < MOST_EXPOSED, said


def test_the_unit_says_when_it_is_ready(unit):
    assert "\nType=notify\n" in unit.read_text()


def test_every_option_stands_in_the_configuration_with_its_default(unpacked_deb, conffile, tmp_path):
    """Uncommented, it is what the program has without it, but for the folders of the service."""
    empty, whole = tmp_path / "empty.toml", tmp_path / "whole.toml"
    empty.write_text('runtime-dir = "/run/syncrelay"\ndata = "/var/lib/syncrelay"\n')
    whole.write_text(re.sub(r"(?m)^#(?=[a-z-]+ = )", "", conffile.read_text()))
    names = set(re.findall(r"(?m)^([a-z-]+) = ", whole.read_text()))
    defaults = settings(unpacked_deb, empty)
    assert names == set(defaults) - default_config.LEFT_OUT
    assert settings(unpacked_deb, whole) == defaults == settings(unpacked_deb, conffile)


def test_the_configuration_is_what_the_program_says_today(unpacked_deb, conffile):
    assert conffile.read_text() == default_config.default_config(str(unpacked_deb / "usr/bin/syncrelay"))
    assert (unpacked_deb / "DEBIAN/conffiles").read_text() == "/etc/syncrelay/syncrelay.toml\n"


def test_the_manual_page_has_every_option(unpacked_deb):
    wide = {"MANWIDTH": "200", "LC_ALL": "C.UTF-8"}
    page = run("man", "--local-file", unpacked_deb / "usr/share/man/man1/syncrelay.1.gz", env=wide)
    options = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", run(unpacked_deb / "usr/bin/syncrelay", "--help"), re.MULTILINE))
    missing = {option for option in options if option not in page}
    assert len(options) > 60 and not missing
    assert "keep every browser in step" in page and "/etc/syncrelay/syncrelay.toml" in page


@pytest.mark.parametrize("typed, completed", [
    (["sta"], {"state", "stats"}),
    (["serve", "--max-cl"], {"--max-clients", "--max-clients-per-address", "--max-client-message"}),
    (["--durability", ""], {"process", "power"}),
])
def test_bash_completes_commands_options_and_their_values(unpacked_deb, typed, completed):
    file = unpacked_deb / "usr/share/bash-completion/completions/syncrelay"
    words = " ".join(f"'{word}'" for word in ["syncrelay", *typed])
    script = f'. {file}; COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _syncrelay; printf "%s\\n" "${{COMPREPLY[@]}}"'
    assert set(run("bash", "-c", script).split()) == completed


def test_it_depends_on_the_libraries_that_the_program_uses(deb):
    depends = run("dpkg-deb", "--field", deb, "Depends")
    for name in ("libev4", "libhiredis", "libspdlog", "libsqlite3-0", "libssl3", "libwebsockets17", "libzmq5",
                 "libwebsockets-evlib-ev"):
        assert name in depends
    assert run("dpkg-deb", "--field", deb, "Version").strip() == VERSION


def test_the_program_is_hardened(unpacked_deb):
    binary = unpacked_deb / "usr/bin/syncrelay"
    assert os.access(binary, os.X_OK)
    assert missing_guards(binary) == set()
