"""--trusted-proxy: the address by which a client is known behind a proxy, and that nobody else chooses his own."""

import contextlib

import pytest

from deadline import wait_until
from raw_client import RawClient, upgrade_request
from relay_process import run_relay

PROXY = ("--trusted-proxy", "127.0.0.1", "--trusted-proxy", "10.0.0.0/8")
SOMEBODY, SOMEBODY_ELSE = "203.0.113.7", "203.0.113.8"


def upgraded(relay, source="127.0.0.1", **headers):
    return RawClient(relay.port, source=source).upgrade(**headers)


def status(relay, source="127.0.0.1", **headers):
    with RawClient(relay.port, source=source) as client:
        client.send(upgrade_request(**headers))
        return client.read_head()[0]


def addresses(peer):
    return [client["address"] for client in peer.confirm({"op": "clients"})["clients"]]


@pytest.mark.parametrize("headers,address", [
    ({}, "127.0.0.1"),
    ({"X_Forwarded_For": SOMEBODY}, SOMEBODY),
    ({"X_Forwarded_For": f"198.51.100.1, {SOMEBODY}, 10.1.2.3"}, SOMEBODY),
    ({"X_Forwarded_For": "[2001:db8::1]:4711"}, "2001:db8::1"),
    ({"Forwarded": f'for=198.51.100.1, for="{SOMEBODY}:80";proto=https'}, SOMEBODY),
    ({"Forwarded": f"for={SOMEBODY}", "X_Forwarded_For": SOMEBODY}, SOMEBODY),
    ({"Forwarded": "for=unknown"}, "127.0.0.1"),
    ({"X_Forwarded_For": f"{SOMEBODY}, nonsense"}, "127.0.0.1"),
], ids=["none", "one", "several", "ipv6", "forwarded", "both", "unknown", "nonsense"])
def test_a_client_is_known_by_the_address_that_its_proxy_names(start_relay, peer_of, headers, address):
    relay = start_relay(*PROXY)
    with upgraded(relay, **headers) as client:
        client.read_text()
        assert addresses(peer_of(relay)) == [address]
    assert f"address={address}" in relay.logged("client gone")


def test_who_comes_without_the_proxy_cannot_choose_his_address(start_relay, peer_of):
    relay = start_relay(*PROXY)
    with upgraded(relay, "127.0.0.2", X_Forwarded_For=SOMEBODY, Forwarded=f"for={SOMEBODY_ELSE}") as client:
        client.read_text()
        assert addresses(peer_of(relay)) == ["127.0.0.2"]


def test_without_the_option_the_headers_mean_nothing(relay, peer_of):
    with upgraded(relay, X_Forwarded_For=SOMEBODY) as client:
        client.read_text()
        assert addresses(peer_of(relay)) == ["127.0.0.1"]


def test_the_limit_per_address_is_of_the_clients_behind_the_proxy(start_relay):
    relay = start_relay(*PROXY, "--max-clients-per-address", "1")
    with upgraded(relay, X_Forwarded_For=SOMEBODY), upgraded(relay, X_Forwarded_For=SOMEBODY_ELSE):
        assert status(relay, X_Forwarded_For=SOMEBODY) == 503
        assert status(relay, X_Forwarded_For=f"{SOMEBODY_ELSE}, {SOMEBODY}") == 503
        assert status(relay, "127.0.0.2", X_Forwarded_For=SOMEBODY) == 101


def test_a_proxy_may_have_many_connections_that_are_no_clients_yet(start_relay):
    """As a crowd of one address they would be bounded: test_the_limit_per_address_holds_before_the_upgrade_too."""
    relay = start_relay(*PROXY, "--max-clients-per-address", "20", "--shards", "1")
    with contextlib.ExitStack() as opened:
        waiting = [opened.enter_context(RawClient(relay.port)) for _ in range(100)]
        wait_until(lambda: relay.connections() == 100, "all of them are kept")
        for number, client in enumerate(waiting):
            client.upgrade(X_Forwarded_For=f"198.51.100.{number}")


def test_two_headers_that_name_different_clients_are_refused_and_told(start_relay):
    """The one that the proxy does not write is a stranger's."""
    relay = start_relay(*PROXY)
    assert status(relay, X_Forwarded_For=SOMEBODY, Forwarded=f"for={SOMEBODY_ELSE}") == 400
    assert status(relay, X_Forwarded_For="nonsense") == 101
    assert relay.metrics().value("proxy_headers_unusable_total") == 2
    line = relay.logged("name different clients")
    assert SOMEBODY in line and SOMEBODY_ELSE in line and "proxy=127.0.0.1" in line


def test_the_log_tells_of_unusable_headers_once_a_second_at_most(start_relay):
    relay = start_relay(*PROXY, "--shards", "1")
    for _ in range(50):
        assert status(relay, X_Forwarded_For="nonsense") == 101
    assert relay.metrics().value("proxy_headers_unusable_total") == 50
    relay.logged("does not say by an address")
    relay.stop()
    assert relay.log().count("does not say by an address") < 20


def test_the_rate_of_upgrades_is_of_the_clients_behind_the_proxy(start_relay):
    relay = start_relay(*PROXY, "--connect-rate", "1")
    assert [status(relay, X_Forwarded_For=SOMEBODY) for _ in range(40)].count(429) > 0
    assert status(relay, X_Forwarded_For=SOMEBODY_ELSE) == 101


@pytest.mark.parametrize("network", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", "*"])
def test_what_is_no_network_is_refused_at_the_start(runtime_dir, network):
    ended = run_relay("--trusted-proxy", network, runtime_dir=runtime_dir)
    assert ended.returncode == 2 and "trusted-proxy" in ended.stderr


LIMITS = [("--connect-rate", "1", 429, "--connect-rate"), ("--max-clients-per-address", "1", 503, "--max-clients-per-address")]


def crowd(relay, code, **headers):
    """Clients come until one is told that there are too many."""
    clients = []
    try:
        for _ in range(40):
            clients.append(RawClient(relay.port))
            clients[-1].send(upgrade_request(**headers))
            if clients[-1].read_head()[0] == code:
                return
    finally:
        for client in clients:
            client.close()
    raise AssertionError(f"nobody was told {code}")


@pytest.mark.parametrize("option, value, code, named", LIMITS, ids=["rate", "clients"])
def test_a_proxy_that_is_not_trusted_and_shuts_out_everybody_is_told(start_relay, option, value, code, named):
    relay = start_relay(option, value)
    crowd(relay, code, X_Forwarded_For=SOMEBODY)
    line = relay.logged("clients refused: their address")
    assert named in line and "address=127.0.0.1" in line and "--trusted-proxy 127.0.0.1" in line
    crowd(relay, code, X_Forwarded_For=SOMEBODY)
    assert relay.log().count("clients refused: their address") <= 4, "one a second of each shard"
    assert relay.log().count("is no --trusted-proxy") == 1


@pytest.mark.parametrize("option, value, code, named", LIMITS, ids=["rate", "clients"])
def test_a_trusted_proxy_that_names_nobody_is_told_what_to_do(start_relay, option, value, code, named):
    relay = start_relay(option, value, "--trusted-proxy", "127.0.0.1")
    crowd(relay, code)
    assert "have it send X-Forwarded-For" in relay.logged("clients refused: their address")
    assert "is no --trusted-proxy" not in relay.log()


@pytest.mark.parametrize("headers", [{"X_Forwarded_For": SOMEBODY}, {"Forwarded": f"for={SOMEBODY}"}], ids=["list", "rfc7239"])
def test_who_speaks_for_others_and_is_not_trusted_is_told_once(start_relay, headers):
    relay = start_relay("--trusted-proxy", "10.0.0.0/8")
    for _ in range(3):
        upgraded(relay, **headers).close()
    assert "--trusted-proxy 127.0.0.1" in relay.logged("is no --trusted-proxy")
    assert relay.log().count("is no --trusted-proxy") == 1
