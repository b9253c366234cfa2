"""What the example page says of a backend or a relay that is away, and that it takes it back."""

import pytest

from refusing_relay import RefusingRelay


@pytest.fixture
def refusing_relay():
    relay = RefusingRelay(4403, "origin_not_allowed: start the relay with --allow-origin http://page.example")
    yield relay
    relay.close()


def complain(page, backend):
    """The page says that the backend, which ends here, does not answer."""
    page.wait_for("#radio", "Silence")
    backend.stop()
    page.click("#next")
    page.wait_for("#problem", "does not answer")


def wait_until_empty(page, place):
    page.evaluate(
        "new Promise((resolve, reject) => {"
        f"  const place = document.querySelector('{place}');"
        "  const look = () => place.textContent === '' && resolve(null);"
        "  new MutationObserver(look).observe(place, {childList: true}); look();"
        "  setTimeout(() => reject(new Error(place.textContent)), 20000); })")


def test_a_complaint_ends_when_the_backend_is_back(browser, start_backend):
    backend = start_backend()
    page = browser.open(backend.url)
    complain(page, backend)
    start_backend(backend.port)
    wait_until_empty(page, "#problem")


def test_a_complaint_ends_with_an_event_of_the_backend(browser, start_backend):
    backend, other = start_backend(), start_backend()
    page = browser.open(backend.url)
    complain(page, backend)
    other.post("/radio/start", {"track": 3})
    page.wait_for("#radio", "Slow Comet")
    wait_until_empty(page, "#problem")


def test_a_page_that_was_refused_says_why_and_not_that_it_tries_again(browser, relay, refusing_relay, start_backend):
    page = browser.open(start_backend(relay_port=refusing_relay.port).url)
    page.wait_for("#status", "stopped")
    assert "start the relay with --allow-origin http://page.example" in page.text("#status")
    assert "trying again" not in page.text("header")
    assert refusing_relay.connections == 1


def test_a_page_that_comes_after_a_verdict_shows_it_too(browser, backend):
    first = browser.open(backend.url)
    first.wait_for("#radio", "Silence")
    first.click("#comparison button:last-child")
    first.wait_for("#verdict", "Seven Small Engines won")
    late = browser.open(backend.url)
    late.wait_for("#verdict", "Seven Small Engines won")
    assert late.text("body") == first.text("body")


def test_a_click_while_the_relay_is_away_says_that_it_counts_later(browser, backend, relay, start_relay):
    page = browser.open(backend.url)
    page.wait_for("#radio", "Silence")
    relay.kill()
    page.wait_for("#status", "offline")
    page.click("#next")
    page.wait_for("#note", "takes effect when the relay can be reached")
    start_relay("--port", relay.port)
    page.wait_for("#radio", "Harbour Lights")
    wait_until_empty(page, "#note")
