"""The admin page before a relay: what its listener answers is what the page reads."""

import pytest

from control_peer import ControlPeer
from raw_client import RawClient

WIDE = {"width": 1240, "height": 900}


@pytest.fixture(params=["chromium", "firefox"])
def browser_name(request):
    return request.param


@pytest.fixture
def admin_url(relay):
    return f"http://localhost:{relay.ready['admin']}/"


@pytest.fixture
def ask(relay):
    peer = ControlPeer(relay.ready["control"][0])
    yield peer.ask
    peer.close()


@pytest.fixture
def open_view(browser, admin_url):
    pages = []

    def open_view(view):
        page = browser.open(f"{admin_url}#{view}", **WIDE)
        pages.append(page)
        page.wait_for("#status", "live")
        return page

    yield open_view
    for page in pages:
        assert page.complaints() == []
        assert page.violations() == []
        assert [url for url in page.requests() if not url.startswith(admin_url)] == []


def test_the_overview_shows_what_happens(open_view, ask, relay):
    with RawClient(relay.port).upgrade():
        page = open_view("overview")
        for number in range(50):
            ask({"op": "broadcast", "type": "tick", "data": number})
        page.wait_for("#tiles", "clients")
        page.wait_for("#bounds", "State")
        page.wait_for("#bounds", "256 MiB")
        page.evaluate("""new Promise((done) => { const look = setInterval(() =>
            document.querySelector("#charts .line").getAttribute("d") && done(clearInterval(look)), 50) }).then(() => null)""")


def test_a_client_is_listed_and_disconnected(open_view, relay):
    with RawClient(relay.port).upgrade() as client:
        page = open_view("clients")
        page.wait_for("#client-count", "1 client")
        page.wait_for("#client-table", "127.0.0.1")
        page.click("#client-table tbody tr:nth-child(2) button.danger")
        page.click("#confirm button[value=yes]")
        assert client.read_close_code() == 4000
        page.wait_for("#client-count", "0 clients")


def test_a_client_is_explained(open_view, relay, ask):
    with RawClient(relay.port).upgrade():
        [client] = ask({"op": "clients"})["clients"]
        assert ask({"op": "explain", "client": str(client["id"])})["ok"]
        page = open_view("clients")
        page.click("#client-table tbody tr:nth-child(2) button")
        page.wait_for("#story", "onnected")
        page.click("#story-end")
        page.click("#confirm button[value=yes]")
        page.wait_for("#story-title", "gone")


def test_a_channel_is_explored_while_it_changes(open_view, ask):
    ask({"op": "set", "channel": "room:42", "key": "topic", "value": "Harbours"})
    page = open_view("channels")
    page.wait_for("#channel-table", "room:42")
    page.evaluate("void (location.hash = 'channel/room%3A42')")
    page.wait_for("#channel-state", "Harbours")
    page.wait_for("#tail", "sync:set")
    ask({"op": "broadcast", "channel": "room:42", "type": "chat:said", "data": {"text": "Ahoy"}})
    page.wait_for("#tail", "chat:said")
    page.wait_for("#no-members", "Nobody")


def test_a_refused_command_is_told(open_view, ask):
    assert not ask({"op": "set", "key": "a"})["ok"]
    page = open_view("refused")
    page.wait_for("#refused-table tbody", "control socket")
