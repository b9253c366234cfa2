"""What README.md, and the pages of docs, tell their reader to type, and what they say will come of it."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What belongs together as one text: README.md, and the pages that it leads to first, in the order in which they are read.
PAGES = ("README.md", *(f"docs/{name}.md" for name in (
    "tutorial", "people", "tokens", "shell", "example", "configuration", "operations", "troubleshooting")))
TEXT = "\n".join((ROOT / page).read_text() for page in PAGES)
TUTORIAL = (ROOT / "docs/tutorial.md").read_text()
CHANNELS = (ROOT / "docs/channels.md").read_text()
ADMIN = (ROOT / "docs/admin.md").read_text()
CLUSTERS = (ROOT / "docs/clusters.md").read_text()

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
TYPED = re.compile(r"(python3 -m |\.venv/|scripts/|build/|pip |npm |npx |docker |docker-compose |curl |wscat )")


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks(language: str, text: str = TEXT) -> list[str]:
    found = [Block(*fence) for fence in FENCE.findall(text)]
    return [block.text for block in found if block.language == language]


def commands(text: str = TEXT) -> list[str]:
    """Every command line: those in shell blocks, and those within a sentence."""
    prose = INLINE.findall(FENCE.sub("", text))
    inline = [code for code in prose if TYPED.match(code) and " " in code]
    lines = [line for block in blocks("sh", text) for line in block.splitlines() if line.strip()]
    return list(dict.fromkeys(lines + inline))


def options() -> set[str]:
    """The options in the first column of the table of docs/configuration.md."""
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `--")]
    return set(re.findall(r"--[a-z-]+", " ".join(rows)))
