"""Where the relay's own program is: the wheel for Linux brings it along, others find one that is installed."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Iterator

from .errors import RelayNotStarted

_NAME = "syncrelay"


def find_binary() -> Path:
    """``$SYNCRELAY_BINARY``, else the one that was installed with this package, else ``syncrelay`` on the PATH. Raises
    RelayNotStarted where there is none."""
    given = os.environ.get("SYNCRELAY_BINARY")
    if given:
        return Path(given)
    for folder in _script_folders():
        if _is_program(folder / _NAME):
            return folder / _NAME
    found = shutil.which(_NAME)
    if found and _is_program(Path(found)):
        return Path(found)
    raise RelayNotStarted(
        "the relay's program is not here: this is the client alone, as it is installed where there is no package with the "
        "program (it is there for Linux with glibc on x86_64). Install the Debian package, or build the relay, and have it on "
        "the PATH or in $SYNCRELAY_BINARY; docs/install.md says how"
    )


def _script_folders() -> Iterator[Path]:
    """Where pip puts programs: of this environment, of the user, beside what `pip install --target` made."""
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sysconfig.get_path("scripts", f"{os.name}_user"))
    yield Path(__file__).resolve().parent.parent / "bin"
    yield Path(sys.prefix) / "local" / "bin"


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
