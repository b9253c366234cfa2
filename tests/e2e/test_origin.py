"""Which web pages may connect."""

import pytest

from raw_client import RawClient, upgrade_request

SAME = [("127.0.0.1:8642", "http://127.0.0.1:8642"), ("127.0.0.1:8642", "http://127.0.0.1:5173"),
        ("localhost:8642", "https://localhost"), ("app.example", "https://app.example:444"),
        ("App.Example:8642", "http://app.EXAMPLE"), ("[::1]:8642", "http://[::1]:3000"),
        ("app.example:8642", "capacitor://app.example")]
OTHER = [("127.0.0.1:8642", "http://evil.example"), ("127.0.0.1:8642", "http://127.0.0.1.evil.example"),
         ("127.0.0.1:8642", "http://evil.example/127.0.0.1"), ("127.0.0.1:8642", "http://127.0.0.1@evil.example"),
         ("127.0.0.1:8642", "http://evil.example:8642"), ("app.example", "https://sub.app.example"),
         ("sub.app.example", "https://app.example"), ("127.0.0.1:8642", "null"),
         ("127.0.0.1:8642", "127.0.0.1"), ("127.0.0.1:8642", "http://"), ("[::1]:8642", "http://[::2]:8642"),
         ("127.0.0.1:8642", "http://evil.example#127.0.0.1"), ("127.0.0.1:8642", "http://evil.example?127.0.0.1")]


def status(relay, host, origin):
    with RawClient(relay.port) as client:
        client.send(upgrade_request(host=host, Origin=origin))
        return client.read_head()[0]


@pytest.mark.parametrize("host,origin", SAME)
def test_an_origin_with_the_same_host_name_is_accepted_whatever_its_port(relay, host, origin):
    assert status(relay, host, origin) == 101


@pytest.mark.parametrize("host,origin", OTHER)
def test_another_origin_is_refused(relay, host, origin):
    assert status(relay, host, origin) == 403
    assert relay.health()["clients"] == 0


def test_without_an_origin_a_client_is_accepted(relay):
    assert status(relay, "127.0.0.1:8642", None) == 101


async def test_the_log_says_which_option_would_allow_it(relay):
    assert status(relay, "127.0.0.1:8642", "https://front.example:444") == 403
    assert "https://front.example:444" in relay.logged("--allow-origin")
    assert relay.metrics().labels("clients_refused_total", "reason").get("origin") == 1


def test_a_listed_origin_is_accepted(start_relay):
    relay = start_relay("--allow-origin", "https://a.example", "--allow-origin", "http://b.example:3000")
    assert status(relay, "relay.example", "https://a.example") == 101
    assert status(relay, "relay.example", "http://b.example:3000") == 101
    assert status(relay, "relay.example", "https://relay.example") == 101
    assert status(relay, "relay.example", "https://a.example.evil.example") == 403
    assert status(relay, "relay.example", "https://c.example") == 403


@pytest.mark.parametrize("origin", ["https://anything.example", "null"])
def test_a_star_accepts_all(start_relay, origin):
    relay = start_relay("--allow-origin", "*")
    assert status(relay, "127.0.0.1:8642", origin) == 101
