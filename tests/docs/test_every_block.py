"""Whatever README.md and docs show as something to type or to copy is executed or checked by a test, or a reason stands here
why it is not."""

import re

import pytest

import readme
from readme import FENCE, ROOT, commands

PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md")))]

# Who executes or checks the fenced blocks, by page and language.
README, GUIDES = "tests/readme/test_readme.py", "tests/docs/test_guides.py"
CLUSTERS, HTTP = "tests/readme/test_clusters.py", "tests/e2e/test_http_examples.py"
INSTALL, TYPES = "tests/packages/test_install_page.py", "clients/js/tests/package/readme.test.ts"
FRAMEWORKS, REFERENCE = "clients/js/tests/package/frontends.test.tsx", "tests/docs/test_reference.py"
BLOCKS = {
    "docs/channels.md": {"sh": README, "python": README, "json": "tests/docs/test_shown_json.py"},
    "docs/admin.md": {"sh": README},
    "docs/clusters.md": {"sh": CLUSTERS, "acl": CLUSTERS},
    "docs/frontends.md": {language: FRAMEWORKS for language in ("html", "tsx", "vue", "svelte")},
    "docs/http.md": {language: HTTP for language in ("sh", "php", "ruby", "go")},
    "docs/install.md": {"sh": INSTALL, "python": INSTALL},
    "docs/migrating.md": {"diff": GUIDES},
    "docs/tokens.md": {"sh": README, "python": README, "ts": README},
    "docs/tutorial.md": {"sh": README, "python": README, "js": README, "html": README, "text": README, "ts": TYPES},
    "docs/reference/python.md": {"text": REFERENCE},
    "docs/reference/typescript.md": {"typescript": REFERENCE},
    **{page: {"sh": README} for page in readme.PAGES if page not in ("docs/tutorial.md", "docs/tokens.md")},
    **{page: {"python": GUIDES, "sh": GUIDES, "json": GUIDES} for page in PAGES if page.startswith("docs/guides/")},
}

# Commands within a sentence, by their begin; what readme.commands() finds in the pages of tests/readme is executed there.
PROGRAMS = ("adduser|apt-get|build/|celery|curl|docker|docker-compose|flask|gunicorn|kill|kubectl|meson|nginx|ninja|node|npm|npx|openssl"
            "|php|pip|promtool|python3?|redis-cli|redis-server|ruby|scripts/|sudo|systemctl|systemd-analyze|uvicorn|wscat")
COMMAND = re.compile(rf"(\.venv/\S+|(?:{PROGRAMS})\S*|(?:\w+/)*syncrelay|cluster\.py) \S")
TYPED = {*commands(), *commands(readme.CHANNELS), *commands(readme.ADMIN),
         *(command for command in commands(readme.CLUSTERS) if command.startswith("docker"))}
SERVERS, BENCH = "tests/docs/test_guides.py", "tests/docs/test_bench_lines.py"
PACKAGES, DEB = "tests/packages/test_wheel.py", "tests/packages/test_deb.py"
IMAGE = "tests/compose/test_image.py"
NO_SYSTEMD = "no systemd runs where the tests do; tests/packages/test_deb.py looks at the unit"
A_VERB = "names a verb, whose arguments are others each time: tests/e2e/test_cli.py and its neighbours type them all"
INLINE = {
    "uvicorn --workers 4": SERVERS, "gunicorn --workers 4 app:application": SERVERS, "flask --app app --debug run": SERVERS,
    "build/syncrelay publish job:finished": SERVERS,
    "scripts/bench --": BENCH, "cluster.py ": BENCH,
    "openssl rand -hex 32": HTTP,
    "npm install ./dist/": INSTALL,
    ".venv/bin/syncrelay serve": PACKAGES, "python -m syncrelay serve": PACKAGES,
    "systemd-analyze security syncrelay": DEB, "apt-get remove": "tests/packages/test_bare_install.py",
    "apt-get purge": "tests/packages/test_bare_install.py",
    "systemctl ": NO_SYSTEMD,
    "adduser www-data syncrelay": "www-data belongs to the reader's system",
    "docker compose up -d": "tests/compose/test_compose.py", "docker run --rm": IMAGE, "docker stop": IMAGE,
    "scripts/test ": "runs what this file is part of", "scripts/package wheel": INSTALL,
    "scripts/release 0.2.0": "tests/packages/test_release.py",
    "scripts/soak cluster": "hours; tests/convergence plays the same histories for seconds",
    "kill -9": "a signal, not something to type here: tests/packages/test_wheel.py sends it",
    "syncrelay keygen": "tests/docs/test_curve_lines.py", "syncrelay stats --control": "tests/docs/test_curve_lines.py",
    "syncrelay explain CLIENT": A_VERB, "syncrelay stats": A_VERB, "syncrelay backup": A_VERB, "syncrelay watch": A_VERB,
}
# Not fenced, because it is no program: pictures, and messages and synopses, which other tests compare with the code.
INDENTED = {"docs/architecture.md": "drawings", "docs/protocol.md": "tests/docs/test_shown_json.py",
            "docs/reference/python.md": "docstrings, of which the README of the client has the whole programs"}


def shown(page):
    return (ROOT / page).read_text()


def inline(page):
    prose = re.sub(r"^ {4}.*$", "", FENCE.sub("", shown(page)), flags=re.MULTILINE)
    return {code for code in readme.INLINE.findall(prose) if COMMAND.match(code)} - TYPED


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_have_a_test_that_knows_the_page(page):
    languages = {language for language, _ in FENCE.findall(shown(page))}
    assert "" not in languages, "a block does not say what it is"
    assert shown(page).count("```") == 2 * len(FENCE.findall(shown(page))), "a block that no test would find"
    known = BLOCKS.get(page, {})
    assert languages - set(known) == set(), "executed by no test"
    for test in {known[language] for language in languages}:
        assert _knows(test, page), f"{test} does not read {page}"


def _knows(test, page):
    text = "".join(path.read_text() for path in (ROOT / test).parent.iterdir() if path.suffix in (".py", ".ts", ".tsx"))
    *_, folder, name = ("", *page.split("/"))
    return name in text or name.removesuffix(".md") in text or f"docs/{folder}" in text


@pytest.mark.parametrize("page", PAGES)
def test_a_command_within_a_sentence_has_a_test_or_a_reason(page):
    if page.startswith("docs/reference/"):
        return  # is made of the code, where they say what a function does
    assert [code for code in sorted(inline(page)) if not code.startswith(tuple(INLINE))] == []


def test_what_is_listed_here_is_there():
    pages = "".join(map(shown, PAGES))
    assert [command for command in INLINE if f"`{command}" not in pages] == []
    tests = [word for said in (*INLINE.values(), *INDENTED.values()) for word in re.findall(r"[\w/]+/test_\w+\.py", said)]
    assert [test for test in tests if not (ROOT / test).exists()] == []
    assert [page for page in BLOCKS if not (ROOT / page).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_code_is_fenced_where_no_reason_says_otherwise(page):
    if page in INDENTED:
        return
    prose = FENCE.sub("", shown(page))
    assert re.findall(r"\n\n( {4}[^\s-].*)", prose) == []
