"""The example page in two browsers: both show the same, whatever restarts."""

import pytest

# Chromium itself reports every refused connection; nothing a page does can prevent that.
REFUSED = "WebSocket connection to "


@pytest.fixture
def pages(browser, backend):
    pages = [browser.open(backend.url), browser.open(backend.url)]
    for page in pages:
        page.wait_for("#status", "live")
    return pages


def test_a_click_in_one_page_shows_in_both(pages, artifacts):
    left, right = pages
    left.click("#next")
    for page in pages:
        page.wait_for("#radio", "Harbour Lights")
    right.click("#comparison button:last-child")
    for page in pages:
        page.wait_for("#verdict", "Seven Small Engines won")
    assert left.text("#comparison") == right.text("#comparison")
    assert left.text("#position") == right.text("#position") == "2"
    for name, page in zip(("left", "right"), pages):
        page.screenshot(artifacts / f"{name}.png")
        assert page.complaints() == []


def test_a_page_that_comes_late_shows_what_was_told_before(pages, browser, backend):
    pages[0].click("#next")
    pages[0].wait_for("#radio", "Harbour Lights")
    late = browser.open(backend.url)
    late.wait_for("#radio", "Harbour Lights")
    assert late.complaints() == []


def test_both_pages_recover_when_the_relay_is_restarted(pages, relay, start_relay):
    relay.kill()
    for page in pages:
        page.wait_for("#status", "offline")
    start_relay("--port", relay.port)
    for page in pages:
        page.wait_for("#status", "live")
    pages[1].click("#next")
    for page in pages:
        page.wait_for("#radio", "Harbour Lights")
        assert [c for c in page.complaints() if not c.startswith(REFUSED)] == []
