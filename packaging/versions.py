"""The version of the project, which stands in meson.build, and everything that has to agree with it.

    versions.py        prints it; exits with 1, and says where, when another place says another
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def found_by(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else "none"


def version(root: Path = ROOT) -> str:
    return found_by(r"^  version: '(.+)',$", (root / "meson.build").read_text())


def places(root: Path = ROOT) -> dict[str, str]:
    """Which version stands where. CHANGELOG.md's is the first that it tells of."""
    lock = json.loads((root / "clients/js/package-lock.json").read_text())
    return {
        "meson.build": version(root),
        "clients/python/pyproject.toml": found_by('^version = "(.+)"$', (root / "clients/python/pyproject.toml").read_text()),
        "clients/js/package.json": json.loads((root / "clients/js/package.json").read_text())["version"],
        "clients/js/package-lock.json": lock["version"],
        "clients/js/package-lock.json, packages": lock["packages"][""]["version"],
        "Dockerfile": found_by("^ARG VERSION=(.+)$", (root / "Dockerfile").read_text()),
        "CHANGELOG.md": found_by(r"^## (\S+)", (root / "CHANGELOG.md").read_text()),
    }


def differing(root: Path = ROOT) -> dict[str, str]:
    return {place: other for place, other in places(root).items() if other != version(root)}


if __name__ == "__main__":
    print(version())
    for place, other in differing().items():
        print(f"error: {place} has version {other}, meson.build {version()}", file=sys.stderr)
    sys.exit(1 if differing() else 0)
