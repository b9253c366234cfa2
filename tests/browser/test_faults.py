"""Two tabs of the example page while the network and the relay fail: both go on, without a word in the console."""

import pytest

from test_two_pages import REFUSED


@pytest.fixture
def relay(start_relay, tmp_path):
    return start_relay("--data", tmp_path / "data")


@pytest.fixture
def pages(browser, start_backend, link):
    """Their sockets go over the link; what is clicked goes to the backend directly."""
    backend = start_backend(relay_port=link.port)
    pages = [browser.open(backend.url), browser.open(backend.url)]
    for page in pages:
        page.wait_for("#status", "live")
    return pages


def both_show(pages, track, position):
    for page in pages:
        page.wait_for("#radio", track)
        page.wait_for("#position", position)
        page.wait_for("#status", "live")


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_both_tabs_go_on_after_the_network_failed(pages, link, artifacts, fault):
    pages[0].click("#next")
    both_show(pages, "Harbour Lights", "1")
    getattr(link, fault)()
    pages[1].click("#next")
    both_show(pages, "Seven Small Engines", "2")
    pages[0].screenshot(artifacts / f"after-{fault}.png")
    for page in pages:
        assert [text for text in page.complaints() if not text.startswith(REFUSED)] == []


def test_both_tabs_go_on_at_their_position_after_the_relay_crashed(pages, relay, start_relay, tmp_path):
    pages[0].click("#next")
    both_show(pages, "Harbour Lights", "1")
    relay.kill()
    for page in pages:
        page.wait_for("#status", "offline")
    start_relay("--port", relay.port, "--data", tmp_path / "data")
    pages[1].click("#next")
    both_show(pages, "Seven Small Engines", "2")
    for page in pages:
        assert [text for text in page.complaints() if not text.startswith(REFUSED)] == []
