"""Which pages may connect, as their own scripts see it."""

import base64

from browser import ROOT

# The first message's type, or the code and reason of the close.
CONNECT = """
new Promise((resolve) => {
  const socket = new WebSocket("ws://%s:%d/ws/sync");
  socket.onmessage = ({ data }) => { resolve(JSON.parse(data).type); socket.close(); };
  socket.onclose = ({ code, reason }) => resolve([code, reason]);
})
"""


def file_page(browser, folder):
    path = folder / "page.html"
    path.write_text("<!doctype html><title>a page from a file</title>")
    return browser.open(path.as_uri())


def test_a_page_from_a_file_reads_which_option_would_let_it_in(relay, browser, tmp_path):
    page = file_page(browser, tmp_path)
    refused = [4403, "origin_not_allowed: start the relay with --allow-origin null"]
    assert page.evaluate(CONNECT % ("127.0.0.1", relay.port)) == refused


def test_a_page_from_a_file_is_let_in_where_null_is_listed(start_relay, browser, tmp_path):
    relay = start_relay("--allow-origin", "null")
    assert file_page(browser, tmp_path).evaluate(CONNECT % ("localhost", relay.port)) == "sync:full"


def test_pages_on_loopback_names_are_let_in_under_any_of_them(relay, browser):
    for page_host in ("localhost", "127.0.0.1"):
        page = browser.open(f"http://{page_host}:{relay.port}/health")
        for relay_host in ("localhost", "127.0.0.1"):
            assert page.evaluate(CONNECT % (relay_host, relay.port)) == "sync:full"


# The client's verdict when it has ended; its code is given as base64.
CONNECT_BY_CLIENT = """
import("data:text/javascript;base64,%s").then(({ connect }) => new Promise((resolve) => {
  const relay = connect("ws://127.0.0.1:%d/ws/sync");
  relay.onStatus((status) => status === "offline" && relay.error && resolve([relay.error.code, relay.error.reason]));
}))
"""


def test_the_browser_client_stops_and_tells_the_console_why(relay, browser, tmp_path):
    code = base64.b64encode((ROOT / "examples/backend/page/syncrelay.js").read_bytes()).decode()
    page = file_page(browser, tmp_path)
    refusal = page.evaluate(CONNECT_BY_CLIENT % (code, relay.port))
    assert refusal == [4403, "origin_not_allowed: start the relay with --allow-origin null"]
    assert any("--allow-origin null" in line for line in page.complaints())
