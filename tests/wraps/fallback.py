"""One of subprojects/*.wrap, tried in a project of its own, without a network.

The archive that a wrap names cannot be fetched where the tests run. In its place stands one with the
same name and the same layout, made of the headers that the distribution installs; its hash replaces
the wrap's. So everything is tested but the address and the hash.
"""

import configparser
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRAPS = sorted((ROOT / "subprojects").glob("*.wrap"))


class Fallback:
    def __init__(self, wrap: Path, project: Path) -> None:
        self.wrap = wrap
        self.project = project
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(wrap)
        self.source = parser["wrap-file"]
        self.dependency = parser["provide"]["dependency_names"]

    @property
    def patch_directory(self) -> Path | None:
        name = self.source.get("patch_directory")
        return ROOT / "subprojects" / "packagefiles" / name if name else None

    def lay_out(self, program: str, *, archive: dict[str, Path], build_file: str = "") -> None:
        """Writes a project that has one program and can get its dependency only from the wrap.

        archive: where in the archive which installed file or folder lies.
        build_file: upstream's own meson.build, for an archive that has one.
        """
        (self.project / "main.cpp").write_text(program)
        (self.project / "meson.build").write_text(
            "project('trial', 'c', 'cpp', default_options: ['cpp_std=c++20'])\n"
            f"executable('trial', 'main.cpp', dependencies: dependency('{self.dependency}'))\n"
        )
        subprojects = self.project / "subprojects"
        (subprojects / "packagecache").mkdir(parents=True)
        shutil.copytree(ROOT / "subprojects/packagefiles", subprojects / "packagefiles")
        packed = self._pack(subprojects / "packagecache", archive, build_file)
        digest = hashlib.sha256(packed.read_bytes()).hexdigest()
        (subprojects / self.wrap.name).write_text(
            re.sub(r"(?m)^source_hash = .*", f"source_hash = {digest}", self.wrap.read_text())
        )

    def _pack(self, folder: Path, archive: dict[str, Path], build_file: str) -> Path:
        tree = self.project / "tree" / self.source["directory"]
        tree.mkdir(parents=True)
        for name, installed in archive.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if installed.is_dir() else shutil.copy
            copy(installed, tree / name)
        if build_file:
            (tree / "meson.build").write_text(build_file)
        filename = self.source["source_filename"]
        kind = "zip" if filename.endswith(".zip") else "gztar"
        packed = shutil.make_archive(
            str(folder / "archive"), kind, tree.parent, self.source["directory"])
        return Path(packed).rename(folder / filename)

    def setup(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self._run("meson", "setup", "build", *options)

    def build(self) -> subprocess.CompletedProcess[str]:
        return self._run("ninja", "-C", "build")

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.project, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
