"""Who may include whom: the table of rooms in docs/architecture.md, enforced."""

import re
from dataclasses import dataclass
from pathlib import Path

from project import ROOT

ROW = re.compile(r"^\| (?P<room>\w+) \|[^|]*\| (?P<others>[^|]*) \|", re.MULTILINE)


def rooms() -> dict[str, set[str]]:
    """Room to the rooms that it may include: the first and the third column, and itself."""
    table = (ROOT / "docs/architecture.md").read_text().partition("## Rooms")[2].partition("\n## ")[0]
    return {
        row["room"]: {row["room"], *re.findall(r"\w+", row["others"])}
        for row in ROW.finditer(table) if row["room"] != "room"
    }


ROOMS = rooms()

# Third-party headers by the files that may include them. None may in a header under include/.
LIBRARIES = {
    r"spdlog/|fmt/": r"src/base/log\.cpp",
    r"rapidjson/": r"src/json/\w+\.cpp",
    r"libwebsockets\.h|ev\.h|uv\.h": r"src/(ws/\w+\.(cpp|h)|cli/\w+\.cpp)",
    r"zmq\.hpp?$|zmq_addon\.hpp": r"src/(ipc/\w+\.(cpp|h)|cli/\w+\.cpp)",
    r"CLI/": r"src/config/\w+\.cpp",
    r"openssl/": r"src/(auth/\w+\.cpp|tls/\w+\.(cpp|h))",
    r"zlib\.h": r"src/protocol/(de|in)flater\.cpp",
    r"sqlite3\.h": r"src/store/\w+\.(cpp|h)",
    r"hiredis/": r"src/redis/\w+\.(cpp|h)",
}

SYSTEM = re.compile(r"^(sys|netinet|arpa|net|linux|bits)/|^[a-z0-9_]+(\.h)?$")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


@dataclass(frozen=True)
class Include:
    path: Path
    target: str
    quoted: bool


def includes_of(path: Path, text: str) -> list[Include]:
    return [Include(path, target, mark == '"') for mark, target in INCLUDE.findall(text)]


def room_of(path: Path) -> str | None:
    """The room that a source file lives in; None for main.cpp, which knows all."""
    parts = path.parts
    if parts[:2] == ("include", "syncrelay"):
        return parts[2] if len(parts) > 3 else None
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def room_included(include: Include) -> str | None:
    """The room that a quoted include leads to; its own for a bare file name."""
    parts = Path(include.target).parts
    if parts[0] == "syncrelay":
        parts = parts[1:]
    return parts[0] if len(parts) > 1 else room_of(include.path)


def fault(include: Include) -> str | None:
    """What is wrong with this include, if anything is."""
    where = f"{include.path} includes {include.target}"
    return _own_fault(include, where) if include.quoted else _library_fault(include, where)


def _own_fault(include: Include, where: str) -> str | None:
    own, other = room_of(include.path), room_included(include)
    if own is None:
        return None
    if own not in ROOMS:
        return f"{where}: {own} is no room of the table"
    if other not in ROOMS[own]:
        return f"{where}: {own} may include {', '.join(sorted(ROOMS[own]))}"
    return None


def _library_fault(include: Include, where: str) -> str | None:
    for header, allowed in LIBRARIES.items():
        if re.match(header, include.target):
            if include.path.parts[0] == "include":
                return f"{where}: no third-party type in a header under include/"
            if not re.fullmatch(allowed, str(include.path)):
                return f"{where}: only {allowed} may"
            return None
    return None if SYSTEM.match(include.target) else f"{where}: not a library of the table"
