"""The page of docs/tutorial.md, in two browsers, and the site of scripts/docs, in one."""

import functools
import http.server
import re
import subprocess
import threading
from contextlib import contextmanager

import pytest

from browser import ROOT
from relay_process import run_relay

TUTORIAL = (ROOT / "docs/tutorial.md").read_text()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """The address of a web server with the files of `folder`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def block(language):
    [text] = re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
    return text


def test_two_browsers_are_in_step_as_the_tutorial_says(relay, browser, tmp_path):
    def types(*words):
        done = run_relay(*words, runtime_dir=relay.runtime_dir)
        assert done.returncode == 0, done.stderr

    (tmp_path / "page.html").write_text(block("html"))
    (tmp_path / "listen.js").write_text(block("js").replace("8642", str(relay.port)))
    with served(tmp_path) as url:
        pages = [browser.open(f"{url}/page.html") for _ in range(2)]
        changes = [("set", "radio", '{"track": "Slow Comet"}'), ("merge", "radio", '{"by": "Tin Roof"}'),
                   ("publish", "over", "--set", "radio=null", "--set", 'last="Tin Roof"')]
        for change, shown in zip(changes, ("Slow Comet", '"by": "Tin Roof"', '"last": "Tin Roof"')):
            types(*change)
            for page in pages:
                page.wait_for("#state", shown)
        assert pages[0].text("#state") == pages[1].text("#state")
        # Browsers ask for an icon, which a folder of two files has not.
        assert [text for page in pages for text in page.complaints() if "404" not in text] == []


def test_the_site_finds_what_is_searched_for_and_asks_nobody_else(browser, artifacts, tmp_path):
    pytest.importorskip("mkdocs")
    subprocess.run([ROOT / "scripts/docs", tmp_path], check=True, timeout=120)
    with served(tmp_path) as url:
        page = browser.open(f"{url}/docs/tutorial.html?q=stall-timeout", width=1200)
        page.wait_for(".md-search-result__list", "Options")
        page.screenshot(artifacts / "site-search.png")
        asked = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => new URL(name).host)")
        assert asked and set(asked) == {url.removeprefix("http://")}
        assert page.complaints() == []
