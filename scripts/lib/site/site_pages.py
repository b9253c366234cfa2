"""Builds the site: scripts/docs is how it is called.

The pages keep the places that they have in the project, so that the links between them are those that hold there, too.
What they link to besides goes along: files as they are, folders as a list of what is in them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))

import dialect  # noqa: E402
import links  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
NAVIGATION = ROOT / "docs/navigation.yml"
KEPT = {".css", ".png", ".svg", ".jpg"}
STYLE = Path("scripts/lib/site/site.css")
ICON = Path("src/pages/both/icon.svg")
OPTION = re.compile(r"--[a-z]+(?:-[a-z]+)*")


class Staging:
    """The folder that the generator reads: pages, and what they link to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._todo: list[Path] = []
        self._done: set[Path] = set()

    def fill(self, pages: list[Path]) -> None:
        self._todo = list(pages)
        while self._todo:
            path = self._todo.pop()
            if path in self._done:
                continue
            self._done.add(path)
            self._take(path)

    def _take(self, path: Path) -> None:
        staged = self._folder / path
        staged.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md" and (ROOT / path).is_file():
            staged.write_text(dialect.adapted((ROOT / path).read_text(), lambda link: self._target(path, link)))
        elif path.name == "README.md":
            staged.write_text(self._listing(path.parent))
        else:
            shutil.copyfile(ROOT / path, staged)

    def _target(self, page: Path, link: str) -> str:
        """A link of `page` to something of the project goes along; a folder is shown by its README.md."""
        if ":" in link:
            return link
        found = Path(os.path.normpath(page.parent / link))
        if str(found).startswith("..") or not (ROOT / found).exists():
            raise SystemExit(f"{page}: there is no {link}")
        if (ROOT / found).is_dir():
            found, link = found / "README.md", f"{link.rstrip('/')}/README.md"
        elif found.suffix not in KEPT | {".md"}:
            return self._shown(page, found)
        self._todo.append(found)
        return link

    def _shown(self, page: Path, file: Path) -> str:
        """A page with the text of a file, which a browser would rather store than show."""
        shown = Path(f"{file}.md")
        text = (ROOT / file).read_text()
        (self._folder / shown).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / shown).write_text(f"# {file}\n\n~~~~~~{_language(file)}\n{text}~~~~~~\n")
        return os.path.relpath(shown, page.parent)

    def _listing(self, folder: Path) -> str:
        names = sorted(path for path in _tracked(folder) if path.is_file())
        rows = []
        for path in names:
            link = self._shown(folder / "README.md", path.relative_to(ROOT)) if _is_text(path) else None
            name = path.relative_to(ROOT / folder)
            rows.append(f"- [{name}]({link})" if link else f"- {name}")
        return f"# {folder}\n\n" + "\n".join(rows) + "\n"


def _tracked(folder: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", str(folder)],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def _is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes() and path.suffix != ".md"


def _language(file: Path) -> str:
    return {".py": "python", ".yml": "yaml", ".sh": "bash", ".js": "javascript", ".json": "json"}.get(file.suffix, "text")


def _pages(navigation: list) -> list[Path]:
    found: list[Path] = []
    for entry in navigation:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            found += _pages(value) if isinstance(value, list) else [Path(value)]
    return found


def navigation() -> list:
    """What docs/navigation.yml says, and at its end the pages of docs that it does not name."""
    named: list = yaml.safe_load(NAVIGATION.read_text())
    known = _pages(named)
    others = [path.relative_to(ROOT) for path in sorted((ROOT / "docs").rglob("*.md"))]
    more = [str(path) for path in others if path not in known]
    return [*named, {"More": more}] if more else named


def listed() -> list[Path]:
    """The pages of the navigation, relative to the project."""
    return _pages(navigation())


def _settings(named: list, staging: Path, site: Path) -> dict:
    return {
        "site_name": "syncrelay", "docs_dir": str(staging), "site_dir": str(site), "nav": named,
        "use_directory_urls": False, "strict": True, "plugins": ["search"],
        "extra_css": [str(STYLE)],
        "theme": {
            "name": "material", "font": False, "logo": str(ICON), "favicon": str(ICON),
            "features": ["navigation.sections", "navigation.top", "search.highlight"],
            "palette": [
                {"media": "(prefers-color-scheme: light)", "scheme": "default", "primary": "teal", "accent": "teal",
                 "toggle": {"icon": "material/weather-night", "name": "Dark"}},
                {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "primary": "teal", "accent": "teal",
                 "toggle": {"icon": "material/weather-sunny", "name": "Light"}},
            ],
        },
        "markdown_extensions": [
            "tables", "sane_lists", "pymdownx.superfences", {"toc": {"permalink": True, "slugify": dialect.anchor}},
        ],
    }


def with_whole_words(html: str) -> str:
    """In the text, but for blocks of code, no line ends within an option, and within a name only behind an underscore."""
    return re.sub(r"(<pre[^>]*>)?<code>([^<]*)</code>", _marked, html)


def _marked(code: re.Match[str]) -> str:
    return code[0] if code[1] else f"<code>{OPTION.sub(_whole, code[2]).replace('_', '_<wbr>')}</code>"


def _whole(option: re.Match[str]) -> str:
    return f'<span class="option">{option[0]}</span>'


def build(site: Path) -> None:
    """Raises SystemExit with a text for a person."""
    named = navigation()
    with tempfile.TemporaryDirectory(prefix="syncrelay-docs-") as folder:
        staging = Path(folder) / "pages"
        Staging(staging).fill([*_pages(named), STYLE, ICON])
        # Here, not before: what needs the generator says so only when it is used.
        from mkdocs.commands.build import build as generate
        from mkdocs.config import load_config

        settings = Path(folder) / "mkdocs.yml"
        settings.write_text("site_name: syncrelay\n")
        generate(load_config(str(settings), **_settings(named, staging, site)))
    for page in site.rglob("*.html"):
        page.write_text(with_whole_words(page.read_text()))
    if found := links.faults(site):
        raise SystemExit("links that lead nowhere:\n" + "\n".join(found))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
