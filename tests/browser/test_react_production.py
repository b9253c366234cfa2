"""The browser client in somebody's React page: packed, installed, built for production, opened."""

import json

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


PLAIN_PAGE = """<!doctype html><title>plain</title><link rel="icon" href="data:,"><p id="status"></p><p id="radio"></p>
<script type="module">
  import { connect } from "./BUNDLE";
  const relay = connect(`ws://127.0.0.1:${new URLSearchParams(location.search).get("relay")}/ws/sync`);
  relay.onStatus((status) => { document.querySelector("#status").textContent = status; });
  relay.onState("radio", (radio) => { document.querySelector("#radio").textContent = radio?.track ?? ""; });
</script>
"""


@pytest.mark.parametrize("field", ["unpkg", "jsdelivr"])
def test_the_bundle_that_a_cdn_finds_in_the_package_loads_in_a_plain_page(project, site, field, relay, pusher, browser):
    package = project.folder / "node_modules/syncrelay"
    bundle = json.loads((package / "package.json").read_text())[field]
    (package / f"{field}.html").write_text(PLAIN_PAGE.replace("./BUNDLE", bundle))
    server = WebServer(package)
    try:
        page = browser.open(f"{server.url}/{field}.html?relay={relay.port}")
        page.wait_for("#status", "live")
        pusher.set("radio", {"track": "Harbour Lights"})
        page.wait_for("#radio", "Harbour Lights")
        assert page.complaints() == []
    finally:
        server.close()
