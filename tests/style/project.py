"""The project's files, as the style tests see them."""

import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=None)
def project_files() -> tuple[Path, ...]:
    """Every file that is or could be committed, relative to the root; nothing that is built."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    paths = (Path(name) for name in sorted(set(listed.split("\0"))) if name)
    return tuple(path for path in paths if (ROOT / path).is_file())


def files_under(*folders: str, suffixes: tuple[str, ...]) -> list[Path]:
    return [
        path for path in project_files()
        if path.suffix in suffixes and any(path.is_relative_to(folder) for folder in folders)
    ]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], cwd=ROOT, capture_output=True, text=True,
        stdin=subprocess.DEVNULL,
    )
