"""What a person meets in the example page: nothing that is done is lost, and what is not known is said."""

import signal

import pytest

from test_two_pages import REFUSED


@pytest.fixture(params=["chromium", "firefox"])
def browser_name(request):
    return request.param


@pytest.fixture
def pages(browser, backend):
    pages = [browser.open(backend.url), browser.open(backend.url)]
    for page in pages:
        page.wait_for("#status", "live")
        page.wait_for("#radio", "Silence")
    return pages


def test_a_click_counts_although_the_other_half_changes_under_it(pages):
    mine, other = pages
    mine.hold("#comparison button:first-child")
    other.click("#next")
    mine.wait_for("#radio", "Harbour Lights")
    mine.release()
    other.wait_for("#verdict", "Harbour Lights won")
    mine.hold("#next")
    other.click("#comparison button:last-child")
    mine.wait_for("#verdict", "Paper Lanterns won")
    mine.release()
    other.wait_for("#radio", "Seven Small Engines")


def test_a_click_judges_the_pair_that_was_pressed(pages):
    mine, other = pages
    mine.hold("#comparison button:last-child")
    other.click("#comparison button:first-child")
    mine.wait_for("#verdict", "Harbour Lights won")
    assert "Seven Small Engines" not in mine.text("#comparison")
    mine.release()
    other.wait_for("#verdict", "Seven Small Engines won")


@pytest.mark.parametrize("selector", ["#next", "#comparison button:first-child"])
def test_the_keyboard_stays_where_it_is(pages, selector):
    mine, other = pages
    mine.focus(selector)
    other.click("#next")
    mine.wait_for("#radio", "Harbour Lights")
    other.click("#comparison button:last-child")
    mine.wait_for("#verdict", "Seven Small Engines won")
    assert mine.evaluate(f"document.activeElement === document.querySelector('{selector}')")
    before = other.text("#position")
    mine.press("Enter")
    other.wait_for("#position", str(int(before) + 1))
    assert mine.evaluate(f"document.activeElement === document.querySelector('{selector}')")


def test_a_click_without_a_backend_says_so_and_the_next_one_works(browser, start_backend):
    backend = start_backend()
    page = browser.open(backend.url)
    page.wait_for("#radio", "Silence")
    place = "JSON.stringify(document.querySelector('#next').getBoundingClientRect())"
    before = page.evaluate(place)
    backend.stop()
    page.click("#next")
    page.wait_for("#problem", "does not answer")
    assert page.evaluate(place) == before, "what is said comes and goes without moving what is clicked"
    assert page.evaluate("document.querySelector('#problem').closest('[role=alert], [aria-live]') !== null")
    page.wait_for("#status", "live")
    start_backend(backend.port)
    page.click("#next")
    page.wait_for("#radio", "Harbour Lights")
    assert page.text("#problem") == ""


def test_before_the_first_snapshot_the_page_claims_nothing(browser, relay, link, start_backend):
    link.stall()
    page = browser.open(start_backend(relay_port=link.port).url)
    page.wait_for("#status", "connecting")
    page.evaluate("fetch('/tracks').then((answer) => answer.json()).then(() => null)")
    for place in ("#radio", "#comparison"):
        assert page.text(place).startswith("connecting")
    assert "nothing has been played" not in page.text("main")
    assert page.evaluate("[...document.querySelectorAll('button')].every((button) => button.disabled)")
    link.resume()
    page.wait_for("#radio", "nothing has been played yet")
    assert page.evaluate("[...document.querySelectorAll('button')].every((button) => !button.disabled)")


def test_a_relay_that_begins_anew_takes_the_last_verdict_with_it(pages, relay, start_relay):
    pages[0].click("#comparison button:first-child")
    for page in pages:
        page.wait_for("#verdict", "Harbour Lights won")
    relay.kill()
    pages[0].wait_for("#status", "offline")
    start_relay("--port", relay.port)
    for page in pages:
        page.wait_for("#verdict", "Open this page a second time")
        assert "won" not in page.text("#verdict")
        assert page.text("#position") == "0"


def test_a_frozen_relay_is_doubtful_then_lost_and_live_when_it_goes_on(pages, relay, browser_name, artifacts):
    page = pages[0]
    seen = "window.seen = []; new MutationObserver(() => window.seen.push(document.querySelector('#status')" \
        ".dataset.status)).observe(document.querySelector('#status'), {attributes: true}); null"
    page.evaluate(f"(() => {{ {seen} }})()")
    relay.signal(signal.SIGSTOP)
    page.wait_for("#status", "doubtful")
    page.screenshot(artifacts / f"doubtful-{browser_name}.png")
    page.wait_for("#status", "resuming")
    relay.signal(signal.SIGCONT)
    page.wait_for("#status", "live")
    assert page.evaluate("window.seen")[:2] == ["doubtful", "offline"]
    pages[1].click("#next")
    page.wait_for("#radio", "Harbour Lights")
    assert [text for text in page.complaints() if not text.startswith(REFUSED)] == []


def test_space_judges_the_pair_that_was_shown_when_it_went_down(pages):
    mine, other = pages
    mine.focus("#comparison button:last-child")
    mine.hold_key(" ")
    other.click("#comparison button:first-child")
    mine.wait_for("#verdict", "Harbour Lights won")
    assert "Seven Small Engines" not in mine.text("#comparison")
    mine.release_key(" ")
    other.wait_for("#verdict", "Seven Small Engines won")


@pytest.mark.parametrize("selector", ["#next", "#comparison button:first-child"])
def test_enter_that_is_held_counts_once(pages, selector):
    mine, other = pages
    mine.focus(selector)
    for _ in range(5):
        mine.hold_key("Enter")
    mine.release_key("Enter")
    other.wait_for("#position", "1")
    mine.press("Enter")
    other.wait_for("#position", "2")
    other.click("#next")
    other.wait_for("#position", "3")
    assert mine.evaluate("performance.getEntriesByType('resource').filter((entry) => "
                         "/verdict|start/.test(entry.name)).length") == 2
