"""The browser client in somebody's React page: packed, installed, built for production, opened."""

import pytest

from pusher import Pusher
from react_project import ReactProject, WebServer, what_is_missing


@pytest.fixture(scope="module")
def project():
    if missing := what_is_missing():
        pytest.skip(missing)
    return ReactProject()


@pytest.fixture(scope="module")
def site(project):
    said = project.install()
    assert "warn" not in said, said
    server = WebServer(project.build())
    yield server
    server.close()


@pytest.fixture
def pusher(relay):
    pusher = Pusher(relay.endpoint)
    yield pusher
    pusher.close()


def test_a_production_build_shows_live_state_and_events(site, relay, pusher, browser):
    page = browser.open(f"{site.url}/?relay={relay.port}")
    page.wait_for("#status", "live")
    pusher.broadcast("radio:started", {"track": "Harbour Lights"}, set={"radio": {"track": "Harbour Lights"}})
    page.wait_for("#radio", "Harbour Lights")
    page.wait_for("#last", "Harbour Lights")
    pusher.set("radio", {"track": "Slow Comet"})
    page.wait_for("#radio", "Slow Comet")
    assert page.complaints() == []


def test_strict_mode_in_a_browser_leaves_one_connection(site, relay, browser):
    page = browser.open(f"{site.url}/?relay={relay.port}")
    page.wait_for("#status", "live")
    assert relay.health()["clients"] == 1
