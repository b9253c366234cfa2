"""scripts/release refuses what is untrue, and tags what is true. Tried in a clone, where making packages and testing them
is played."""

import os
import shutil
import subprocess
from datetime import date, timedelta

import pytest

from conftest import ROOT

VERSION = "7.8.9"
PLAYED = """#!/usr/bin/env bash
mkdir -p dist && cd dist
touch syncrelay-7.8.9-py3-none-any.whl syncrelay-7.8.9-py3-none-manylinux_2_36_x86_64.whl
touch syncrelay_7.8.9_amd64.deb syncrelay-7.8.9.tgz SHA256SUMS
"""
TESTED = """#!/usr/bin/env bash
ls dist >build/reports/tested
[ "$*" = made ]
"""
OF_THE_VERSION = ["meson.build", "clients/python/pyproject.toml", "clients/js/package.json", "clients/js/package-lock.json",
                  "Dockerfile", "CHANGELOG.md"]
OTHERS = ["scripts/release", "scripts/lib/packages.sh", "packaging/versions.py", ".gitignore"]


class Clone:
    def __init__(self, folder):
        self.folder = folder
        for name in OF_THE_VERSION + OTHERS:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        old = self.read("meson.build").split("version: '")[1].split("'")[0]
        for name in OF_THE_VERSION[:-1]:
            # Some package of the lock file may have the same one.
            self.write(name, self.read(name).replace(old, VERSION, 2 if name.endswith("lock.json") else 1))
        self.changelog(f"{date.today()}")
        for name, text in {"scripts/package": PLAYED, "scripts/test": TESTED}.items():
            self.write(name, text)
            (folder / name).chmod(0o755)
        self.git("init", "-q")
        self.commit()

    def read(self, name):
        return (self.folder / name).read_text()

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def changelog(self, day, said="- **Something** is new.\n"):
        self.write("CHANGELOG.md", f"# Changelog\n\n## {VERSION} ({day})\n\n{said}\n## 7.8.8\n\n- Old.\n")

    def git(self, *words):
        return subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@localhost", *words], cwd=self.folder, check=True,
                              capture_output=True, text=True).stdout.strip()

    def commit(self):
        """All tests pass on it, as scripts/test notes."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        (self.folder / "build/reports").mkdir(parents=True, exist_ok=True)
        self.write("build/reports/passed", self.git("rev-parse", "HEAD") + "\n")

    def release(self, version=VERSION):
        who = {f"GIT_{role}_{what}": "x@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return subprocess.run([self.folder / "scripts/release", version], env={**os.environ, **who}, capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)

    def tags(self):
        return self.git("tag").split()


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_what_is_true_is_tagged_and_packed(clone):
    done = clone.release()
    assert done.returncode == 0, done.stderr
    assert clone.tags() == [f"v{VERSION}"]
    assert clone.git("cat-file", "-t", f"v{VERSION}") == "tag"
    assert clone.git("rev-parse", f"v{VERSION}^{{commit}}") == clone.git("rev-parse", "HEAD")
    assert len(list((clone.folder / "dist").iterdir())) == 5
    assert sorted(clone.read("build/reports/tested").split()) == sorted(path.name for path in (clone.folder / "dist").iterdir())
    again = clone.release()
    assert again.returncode == 1 and "is there" in again.stderr


def dirty(clone):
    clone.write("stray", "")


def no_date(clone):
    clone.write("CHANGELOG.md", clone.read("CHANGELOG.md").replace(f" ({date.today()})", ""))
    clone.commit()


def no_such_day(clone):
    clone.changelog("2026-02-30")
    clone.commit()


def tomorrow(clone):
    clone.changelog(date.today() + timedelta(days=1))
    clone.commit()


def nothing_said(clone):
    clone.changelog(date.today(), "")
    clone.commit()


def other_client(clone):
    clone.write("clients/python/pyproject.toml", clone.read("clients/python/pyproject.toml").replace(VERSION, "7.8.8"))
    clone.commit()


def never_tested(clone):
    (clone.folder / "build/reports/passed").unlink()


def tested_before(clone):
    clone.git("commit", "-q", "--allow-empty", "-m", "one more")


def no_deb(clone):
    clone.write("scripts/package", PLAYED.replace("syncrelay_7.8.9_amd64.deb", ""))
    clone.commit()


def package_that_fails(clone):
    clone.write("scripts/package", PLAYED + "exit 1\n")
    clone.commit()


def package_that_does_not_work(clone):
    clone.write("scripts/test", "#!/bin/sh\nexit 1\n")
    clone.commit()


@pytest.mark.parametrize("spoil, said", [
    (dirty, "not committed"), (no_date, "CHANGELOG.md begins with"), (no_such_day, "is no date"),
    (tomorrow, "still to come"), (nothing_said, "says nothing"), (other_client, "pyproject.toml has version 7.8.8"),
    (never_tested, "no whole run"), (tested_before, "not on this commit"), (no_deb, "has not made dist/syncrelay_7.8.9"),
    (package_that_fails, ""), (package_that_does_not_work, "do not do what they should"),
])
def test_what_is_untrue_is_refused_and_leaves_no_tag(clone, spoil, said):
    spoil(clone)
    done = clone.release()
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert clone.tags() == []


@pytest.mark.parametrize("version", ["7.8.8", "v7.8.9", "7.8", ""])
def test_another_version_is_refused(clone, version):
    assert clone.release(version).returncode == 1 and clone.tags() == []
