"""Whole programs of the guides run as the guides say, and end with what they show; so do the lines of migrating.md."""

import json
import re
import subprocess
import time

import pytest

from readme import ROOT, blocks

GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))
MIGRATING = (ROOT / "docs/migrating.md").read_text()
SERVER = re.compile(r"uvicorn|gunicorn|runserver|celery .* worker")
FILE = re.compile(r"# (\w+\.py)\n")
SECONDS = 60


@pytest.fixture
def relay(reader):
    reader.starts_relay("build/syncrelay serve --port 8642")


@pytest.fixture
def checkout(tmp_path):
    """A folder like the checkout, with an environment for Python beside the build."""
    (tmp_path / "build").symlink_to(ROOT / "build")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
    python.chmod(0o755)
    return tmp_path


def starts_server(reader, line, checkout):
    reader.starts(line, checkout)
    if "celery" in line:
        return  # a task waits for it
    asking = ["curl", "-s", "--retry-connrefused", "--retry", "100", "--retry-delay", "1", "-o", "/dev/null",
              reader.adapted("http://localhost:8000/")]
    assert subprocess.run(asking, timeout=SECONDS).returncode == 0


def becomes(reader, line, checkout, expected):
    """Tasks take their time: asks until the answer is there."""
    end = time.monotonic() + SECONDS
    while (answer := json.loads(reader.types(line, checkout))) != expected:
        assert time.monotonic() < end, answer


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_programs_of_a_guide_do_what_it_shows(reader, relay, checkout, guide):
    text = guide.read_text()
    for program in blocks("python", text):
        (checkout / FILE.match(program)[1]).write_text(program)
    [*lines, last] = [line for block in blocks("sh", text) for line in block.splitlines()]
    for line in lines:
        if SERVER.search(line):
            starts_server(reader, line, checkout)
        else:
            reader.types(line, checkout)
    becomes(reader, last, checkout, json.loads(blocks("json", text)[0]))


# Named in a sentence of the guide; what a reader adds by himself: where it listens.
OTHER_SERVERS = [
    ("fastapi", "uvicorn --workers 4", "uvicorn --workers 4 app:app --port 8000", "-X POST 'http://localhost:8000/radio/start?track=7'"),
    ("django", "gunicorn --workers 4 app:application", "gunicorn --workers 4 app:application --bind 127.0.0.1:8000",
     "-d track=7 http://localhost:8000/radio/start"),
    ("flask", "flask --app app --debug run", "flask --app app --debug run --port 8000", "-d track=7 http://localhost:8000/radio/start"),
]


@pytest.mark.parametrize("guide, named, line, asks", OTHER_SERVERS, ids=[row[0] for row in OTHER_SERVERS])
def test_the_other_ways_to_serve_that_a_guide_names_serve(reader, relay, checkout, guide, named, line, asks):
    text = (ROOT / f"docs/guides/{guide}.md").read_text()
    assert f"`{named}`" in text
    [program] = blocks("python", text)
    (checkout / "app.py").write_text(program)
    starts_server(reader, f".venv/bin/python -m {line}", checkout)
    assert reader.types(f"curl -sf {asks}", checkout)
    becomes(reader, "build/syncrelay state radio", checkout, {"track": 7})


def test_the_line_without_python_pushes(reader, relay, checkout):
    [line] = re.findall(r"`(build/syncrelay publish .*?)`", (ROOT / "docs/guides/scripts.md").read_text())
    assert reader.types(line, checkout)


def test_a_guide_has_no_block_of_another_kind():
    found = {language for guide in GUIDES for language in re.findall(r"^```(\w+)$", guide.read_text(), re.MULTILINE)}
    assert found == {"python", "sh", "json"} and "```" not in "".join(blocks("python", MIGRATING))


def sides(diff):
    """The program before the change, and the one after."""
    lines = diff.splitlines()
    return ["\n".join(line[1:] for line in lines if not line.startswith(other)) + "\n" for other in "+-"]


@pytest.mark.parametrize("diff", blocks("diff", MIGRATING), ids=["process", "socketio", "centrifugo", "pusher"])
def test_the_lines_before_a_migration_are_python_and_those_after_it_run(reader, relay, checkout, diff):
    before, after = sides(diff)
    compile(before, "before", "exec")
    done = subprocess.run(["/usr/bin/python3", "-W", "error::ResourceWarning", "-c", after], env=reader.environment,
                          cwd=checkout, timeout=SECONDS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_handlers_after_a_migration_are_called():
    """Those of a Relay that only pushes are not, and nothing would say so."""
    programs = [sides(diff)[1] for diff in blocks("diff", MIGRATING)]
    with_handlers = [program for program in programs if "@relay.on" in program]
    assert with_handlers and all("\nrelay.start()" in program for program in with_handlers)


def test_what_the_lines_after_a_migration_push_arrives(reader, relay, checkout):
    for diff in blocks("diff", MIGRATING):
        subprocess.run(["/usr/bin/python3", "-c", sides(diff)[1]], env=reader.environment, cwd=checkout, check=True,
                       timeout=SECONDS)
    channels = reader.types("build/syncrelay channels --json", checkout)
    assert "room:42" in channels and "room:43" in channels and "@dev-1" in channels
