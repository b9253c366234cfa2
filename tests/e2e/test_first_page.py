"""The first page: what a relay shows of itself on the client port, and to whom."""

import gzip
import json
import re
from http.client import HTTPConnection
from pathlib import Path

import pytest

from relay_process import RelayProcess
from tokens import Issuer

BUNDLE = Path(__file__).resolve().parents[2] / "examples/backend/page/syncrelay.js"
FILE = re.compile(r'(?:src|href)="([^"]+)"')
MODULE = re.compile(r'from "\./([^"]+)"')


@pytest.fixture
def key_file(tmp_path):
    return Issuer().key_file(tmp_path / "key")


def statuses(relay):
    return {path: relay.http(path=path).status for path in ("/", "/page.js", "/page.json", "/syncrelay.js", "/health")}


SHOWN = {"/": 200, "/page.js": 200, "/page.json": 200, "/syncrelay.js": 200, "/health": 200}
HIDDEN = {**dict.fromkeys(SHOWN, 404), "/health": 200}


def test_a_fresh_relay_shows_its_page_with_all_that_it_names(relay):
    page = relay.http(path="/")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    found, waiting = set(), {path for path in FILE.findall(page.body)}
    assert "page.js" in waiting
    while waiting:
        path = waiting.pop()
        found.add(path)
        reply = relay.http(path="/" + path)
        assert reply.status == 200, path
        folder = path.rpartition("/")[0]
        waiting |= {"/".join(filter(None, [folder, name])) for name in MODULE.findall(reply.body)} - found
    assert "syncrelay.js" in found


def test_the_policy_lets_nothing_in_but_the_relays_own(relay):
    policy = relay.http(path="/").headers["Content-Security-Policy"]
    assert policy.split("; ") == [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]


def test_head_and_a_second_visit_cost_no_body(relay):
    whole = relay.http(path="/syncrelay.js")
    head = relay.http("HEAD", "/syncrelay.js")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, "", str(len(whole.body.encode())))
    again = relay.http(path="/syncrelay.js", headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status, again.body) == (304, "")
    assert relay.http("POST", "/", body="").status == 405


def test_the_client_that_it_serves_is_the_one_of_the_example(relay):
    connection = HTTPConnection("127.0.0.1", relay.port, timeout=5)
    connection.request("GET", "/syncrelay.js", headers={"Accept-Encoding": "gzip"})
    reply = connection.getresponse()
    assert reply.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(reply.read()) == BUNDLE.read_bytes()
    connection.close()


@pytest.mark.parametrize("options, expected", [
    (("--page", "off"), HIDDEN), (("--no-page",), HIDDEN), (("--page", "on"), SHOWN), (("--page", "auto"), SHOWN)], ids=str)
def test_page_says_whether_there_is_one(start_relay, options, expected):
    assert statuses(start_relay(*options)) == expected


def test_a_relay_with_keys_for_tokens_shows_none_unless_it_is_told_to(start_relay, key_file, runtime_dir):
    assert statuses(start_relay("--token-key", key_file)) == HIDDEN
    relay = start_relay("--token-key", key_file, "--page", "on", runtime_dir=runtime_dir / "other")
    assert statuses(relay) == SHOWN
    assert relay.http(path="/page.json").json()["tokens"] == "required"


def test_who_asks_from_here_is_told_where_backends_and_operators_come_in(relay):
    about = relay.http(path="/page.json").json()
    assert about["commands"] == relay.ready["commands"][0]
    assert about["control"] == relay.ready["control"][0]
    assert about["admin_port"] == relay.ready["admin"]
    assert about["version"] == relay.health()["version"]


def test_who_comes_from_elsewhere_is_told_nothing_of_that(start_relay):
    relay = start_relay("--trusted-proxy", "127.0.0.1")
    reply = relay.http(path="/page.json", headers={"X-Forwarded-For": "203.0.113.7"})
    assert set(json.loads(reply.body)) == {"version", "tokens"}


def test_without_an_admin_listener_there_is_nothing_to_say_of_it(runtime_dir):
    relay = RelayProcess(runtime_dir=runtime_dir, admin=False)
    try:
        assert "admin_port" not in relay.http(path="/page.json").json()
    finally:
        relay.dispose()
