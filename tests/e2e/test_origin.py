"""Which web pages may connect."""

import pytest

from raw_client import CLOSE, TEXT, RawClient, upgrade_request

SAME = [("127.0.0.1:8642", "http://127.0.0.1:8642"), ("127.0.0.1:8642", "http://127.0.0.1:5173"),
        ("localhost:8642", "https://localhost"), ("app.example", "https://app.example:444"),
        ("App.Example:8642", "http://app.EXAMPLE"), ("[::1]:8642", "http://[::1]:3000"),
        ("app.example:8642", "capacitor://app.example"), ("127.0.0.1:8642", "http://localhost:8000"),
        ("localhost:8642", "http://127.0.0.1:5173"), ("[::1]:8642", "http://localhost")]
OTHER = [("127.0.0.1:8642", "http://evil.example"), ("127.0.0.1:8642", "http://127.0.0.1.evil.example"),
         ("127.0.0.1:8642", "http://evil.example/127.0.0.1"), ("127.0.0.1:8642", "http://127.0.0.1@evil.example"),
         ("127.0.0.1:8642", "http://evil.example:8642"), ("app.example", "https://sub.app.example"),
         ("sub.app.example", "https://app.example"), ("127.0.0.1:8642", "null"),
         ("127.0.0.1:8642", "127.0.0.1"), ("127.0.0.1:8642", "http://"), ("[::1]:8642", "http://[::2]:8642"),
         ("127.0.0.1:8642", "http://evil.example#127.0.0.1"), ("127.0.0.1:8642", "http://evil.example?127.0.0.1")]


ACCEPTED, REFUSED = "accepted", "refused"


def outcome(relay, host, origin):
    """What a page gets behind a granted handshake: a snapshot, or a close frame that its script can read and nothing
    else."""
    with RawClient(relay.port) as client:
        client.send(upgrade_request(host=host, Origin=origin))
        assert client.read_head()[0] == 101
        first = client.read_frame()
        if first.opcode == TEXT:
            return ACCEPTED
        assert first.opcode == CLOSE and first.close_code == 4403
        assert "--allow-origin" in first.payload[2:].decode()
        client.read_to_end()
        return REFUSED


@pytest.mark.parametrize("host,origin", SAME)
def test_an_origin_with_the_same_host_name_is_accepted_whatever_its_port(relay, host, origin):
    assert outcome(relay, host, origin) == ACCEPTED


@pytest.mark.parametrize("host,origin", OTHER)
def test_another_origin_is_refused(relay, host, origin):
    assert outcome(relay, host, origin) == REFUSED
    assert relay.health()["clients"] == 0


def test_without_an_origin_a_client_is_accepted(relay):
    assert outcome(relay, "127.0.0.1:8642", None) == ACCEPTED


async def test_the_log_says_which_option_would_allow_it(relay):
    assert outcome(relay, "127.0.0.1:8642", "https://front.example:444") == REFUSED
    assert "https://front.example:444" in relay.logged("--allow-origin")
    assert relay.metrics().labels("clients_refused_total", "reason").get("origin") == 1


def test_a_refused_page_is_told_which_option_would_allow_it(relay):
    with RawClient(relay.port).upgrade(host="localhost:8642", Origin="null") as client:
        close = client.read_frame()
        assert close.payload[2:] == b"origin_not_allowed: start the relay with --allow-origin null"
        client.send_frame(CLOSE, close.payload[:2])  # as a browser answers
        client.read_to_end()


def test_a_page_from_a_file_is_accepted_where_null_is_listed(start_relay):
    relay = start_relay("--allow-origin", "null")
    assert outcome(relay, "localhost:8642", "null") == ACCEPTED
    assert outcome(relay, "localhost:8642", "http://evil.example") == REFUSED


def test_a_listed_origin_is_accepted(start_relay):
    relay = start_relay("--allow-origin", "https://a.example", "--allow-origin", "http://b.example:3000",
                        "--allow-origin", "http://d.example:80")
    assert outcome(relay, "relay.example", "http://d.example") == ACCEPTED
    assert outcome(relay, "relay.example", "https://a.example") == ACCEPTED
    assert outcome(relay, "relay.example", "http://b.example:3000") == ACCEPTED
    assert outcome(relay, "relay.example", "https://relay.example") == ACCEPTED
    assert outcome(relay, "relay.example", "https://a.example.evil.example") == REFUSED
    assert outcome(relay, "relay.example", "https://c.example") == REFUSED


@pytest.mark.parametrize("origin", ["https://anything.example", "null"])
def test_a_star_accepts_all(start_relay, origin):
    relay = start_relay("--allow-origin", "*")
    assert outcome(relay, "127.0.0.1:8642", origin) == ACCEPTED
