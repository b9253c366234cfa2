"""Options, variables and metrics that the documents name are such as there are."""

import re
import subprocess

import pytest

import reference
from readme import ROOT

PAGES = ["README.md", "SECURITY.md", "CHANGELOG.md", *(str(path.relative_to(ROOT)) for folder in ("docs", "examples", "clients")
         for path in sorted((ROOT / folder).rglob("*.md"))
         if not {"node_modules", ".pytest_cache"} & set(path.parts) and "reference" not in path.parts)]

# Options of other programs, and one that is gone.
OTHERS = {
    "celery": {"--concurrency"}, "curl": {"--cacert", "--data-binary", "--fail", "--show-error"}, "django": {"--noreload"},
    "docker": {"--publish", "--read-only", "--rm", "--target", "--volume"}, "flask": {"--app", "--debug"},
    "gunicorn": {"--bind", "--max-requests", "--preload"},
    "meson": {"--buildtype"}, "pip": {"--find-links"}, "python": {"--directory"}, "redis": {"--appendonly", "--dir", "--save"},
    "scripts/bench": {"--only", "--rate", "--seconds", "--servers"}, "scripts/docs": {"--reference"}, "sed, rsync": {"--inplace"},
    "uvicorn": {"--reload", "--workers"}, "0.1.0": {"--notify"},
}
OTHER_VARIABLES = {"SYNCRELAY_TOKEN", "SYNCRELAY_BINARY"}
A_METRIC = re.compile(r"`(?:syncrelay_)?([a-z]+(?:_[a-z]+)+_total)[`{]")


def said(page):
    text = (ROOT / page).read_text()
    return text.partition("\n## 0.1.0")[0] if page == "CHANGELOG.md" else text


@pytest.fixture(scope="module")
def options():
    text = subprocess.run([reference.BINARY, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--[a-z][a-z-]*[a-z]", text))


@pytest.mark.parametrize("page", PAGES)
def test_the_options_and_variables_of_a_page_are_there(page, options):
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", said(page)))
    assert named - options - set().union(*OTHERS.values()) == set()
    variables = {"SYNCRELAY_" + name.upper().replace("-", "_") for name in reference.settings()} | OTHER_VARIABLES
    assert set(re.findall(r"\bSYNCRELAY_[A-Z_]*[A-Z]\b", said(page))) - variables == set()


@pytest.mark.parametrize("page", PAGES)
def test_the_metrics_of_a_page_are_there(page):
    known = set(re.findall(r"`syncrelay_(\w+)`", (ROOT / "docs/reference/metrics.md").read_text()))
    assert {name for name in A_METRIC.findall(said(page))} - known == set()


@pytest.mark.parametrize("page", ["docs/configuration.md"])
def test_the_defaults_of_the_table_are_those_of_the_relay(page):
    shown = dict(re.findall(r"^([a-z-]+) = (.*?)  # default$", reference.says("--print-config"), re.MULTILINE))
    rows = re.findall(r"^\| (`--.*?) \| (`\w+`(?:, `\w+`)*) \|", said(page), re.MULTILINE)
    assert len(rows) > 10
    for names, values in rows:
        options, defaults = re.findall(r"--([a-z-]+)", names), re.findall(r"`(\w+)`", values)
        assert [_seconds(shown[option].strip('"')) for option in options] == [_seconds(value) for value in defaults], names


def _seconds(text):
    """10m is 600s, and 0s is 0."""
    minutes = re.fullmatch(r"(\d+)m", text)
    return f"{int(minutes[1]) * 60}s" if minutes else "0" if text == "0s" else text
