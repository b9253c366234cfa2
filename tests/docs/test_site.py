"""The site that scripts/docs builds: whole, searchable, without anything from elsewhere."""

import json
import subprocess
from pathlib import Path

import pytest

import dialect
import links
import site_pages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([ROOT / "scripts/docs", folder], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_link_and_anchor_of_the_site_leads_somewhere(site):
    assert links.faults(site) == [] and len(list(site.rglob("*.html"))) > 25


def test_every_page_can_be_found_by_its_words(site):
    index = json.loads((site / "search/search_index.json").read_text())["docs"]
    for page in site_pages.listed():
        place = "index.html" if str(page) == "README.md" else str(page).replace("README.md", "index.md").replace(".md", ".html")
        assert any(entry["location"].split("#")[0] == place and entry["text"] for entry in index), page


def test_options_and_names_are_words_in_the_text_and_untouched_in_blocks(site):
    assert site_pages.with_whole_words("<code>log_bytes</code>") == "<code>log_<wbr>bytes</code>"
    marked = '<code>a <span class="option">--ping-interval</span> 5</code>'
    assert site_pages.with_whole_words("<code>a --ping-interval 5</code>") == marked
    assert site_pages.with_whole_words("<pre><code>a --x</code></pre>") == "<pre><code>a --x</code></pre>"
    assert '<span class="option">--host</span>' in (site / "index.html").read_text()


def test_a_page_of_docs_that_the_navigation_forgets_is_in_the_site_all_the_same(tmp_path, monkeypatch):
    shorter = tmp_path / "navigation.yml"
    shorter.write_text("- README.md\n")
    monkeypatch.setattr(site_pages, "NAVIGATION", shorter)
    assert Path("docs/channels.md") in site_pages.listed() and Path("docs/reference/codes.md") in site_pages.listed()


@pytest.mark.parametrize("text, fault", [
    ('<a href="none.html">', "p.html: none.html"),
    ('<a href="q.html#none">', "p.html: q.html#none"),
    ('<a href="#none">', "p.html: #none"),
    ('<script src="https://cdn.example/x.js">', "p.html: loads https://cdn.example/x.js"),
    ('<link rel="stylesheet" href="//fonts.example/x.css">', "p.html: loads //fonts.example/x.css"),
    ('<a href="q.html#there"> <a href="https://example.org/">', None),
])
def test_a_link_that_leads_nowhere_is_found(tmp_path, text, fault):
    (tmp_path / "p.html").write_text(text)
    (tmp_path / "q.html").write_text('<h1 id="there">')
    assert links.faults(tmp_path) == ([fault] if fault else [])


@pytest.mark.parametrize("written, adapted", [
    ("text\n- one\n  - two\nmore\n", "text\n\n- one\n    - two\nmore\n"),
    ("- one\n\n  ```sh\n  run\n    deep\n  ```\n", "- one\n\n    ```sh\n    run\n      deep\n    ```\n"),
    ("```sh\n- not a list\n  [x](y)\n```\n", "```sh\n- not a list\n  [x](y)\n```\n"),
    ("see [x](y#z)\n", "see [x](Y#z)\n"),
    ("    indented [x](#z)\n", "    indented [x](#z)\n"),
])
def test_the_projects_markdown_becomes_the_generators(written, adapted):
    assert dialect.adapted(written, str.upper) == adapted


def test_anchors_are_made_as_github_makes_them():
    assert dialect.anchor("1. Clients: `GET /ws/sync`, twice") == "1-clients-get-wssync-twice"
    assert dialect.anchor("Snapshots - and more") == "snapshots---and-more"
