"""What the program embeds from outside src reaches everyone who builds it: the image, and the Debian package."""

import re

from project import ROOT


def embedded():
    """By the build files, from the project's root."""
    found = set()
    for file in sorted((ROOT / "src").rglob("meson.build")):
        for path in re.findall(r"'((?:\.\./)+[^']+)'", file.read_text()):
            outside = (file.parent / path).resolve().relative_to(ROOT)
            if outside.parts[0] != "src":
                found.add(str(outside))
    return sorted(found)


def is_covered(path, names):
    return any(path == name or path.startswith(f"{name}/") for name in names)


def test_what_is_embedded_is_in_the_images_context_and_copied():
    context = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    stage = (ROOT / "Dockerfile").read_text().split(" AS build\n")[1].split("\nFROM ")[0]
    copied = [word for line in re.findall(r"^COPY (.+) \S+$", stage, re.MULTILINE) for word in line.split()]
    assert len(embedded()) > 1
    assert [path for path in embedded() if not is_covered(path, context) or not is_covered(path, copied)] == []


def test_what_is_embedded_is_among_the_sources_of_the_debian_package():
    [listed] = re.findall(r"git ls-files [^\n]* -- (meson\.build .*?) \|\s+tar", (ROOT / "scripts/package").read_text(), re.DOTALL)
    assert [path for path in embedded() if not is_covered(path, listed.split())] == []
