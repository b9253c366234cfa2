"""Answers before the upgrade, /health, limits on clients, malformed HTTP."""

import re

import pytest

from deadline import until
from raw_client import PING, PONG, RawClient, frame, upgrade_request
from ws_client import settle

HALF_HANDSHAKE_SECONDS = 10


def answer(relay, request):
    with RawClient(relay.port) as client:
        client.send(request)
        return client.read_head()


def refused(relay):
    return relay.metrics().labels("clients_refused_total", "reason")


@pytest.mark.parametrize("path", ["/page", "/ws", "/ws/sync2", "/ws/sync/", "/WS/SYNC", "/favicon.ico", "/metrics"])
def test_an_unknown_path_is_404(relay, path):
    assert relay.http(path=path).status == 404
    assert answer(relay, upgrade_request(path))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_another_method_than_get_is_405(relay, method):
    reply = relay.http(method, "/ws/sync", body="" if method in ("POST", "PUT", "PATCH") else None)
    assert reply.status == 405
    assert "GET" in reply.headers["Allow"]


def test_post_to_health_is_405(relay):
    assert relay.http("POST", "/health", body="").status == 405


def test_a_plain_get_is_426(relay):
    reply = relay.http(path="/ws/sync")
    assert reply.status == 426
    assert reply.headers["Upgrade"].lower() == "websocket"


@pytest.mark.parametrize("request_headers", [
    {"Sec_WebSocket_Version": "8"}, {"Sec_WebSocket_Key": None}, {"Sec_WebSocket_Version": None},
    {"Upgrade": "h2c"}], ids=str)
def test_a_handshake_that_is_not_rfc_6455_is_not_upgraded(relay, request_headers):
    with RawClient(relay.port) as client:
        client.send(upgrade_request(**request_headers))
        try:
            assert client.read_head()[0] in (400, 426)
        except (EOFError, ConnectionResetError):
            pass  # closing without an answer is a refusal, too
    assert relay.health()["clients"] == 0


async def test_health_tells_clients_seq_epoch_uptime_and_version(relay, pusher, connect):
    client = await connect(relay)
    position = await settle(relay, pusher)
    await until(lambda: relay.health()["clients"] == 1, "only one client is left")
    reply = relay.http()
    health = reply.json()
    assert set(health) == {"status", "clients", "seq", "epoch", "uptime", "version"}
    assert (health["status"], health["seq"], health["epoch"]) == ("ok", position, client.epoch)
    assert reply.headers["Content-Type"].startswith("application/json")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", health["version"])
    assert 0 <= health["uptime"] <= relay.health()["uptime"] < 60


async def test_over_max_clients_is_503_with_retry_after_until_one_leaves(start_relay, connect):
    relay = start_relay("--max-clients", "3")
    clients = [await connect(relay) for _ in range(3)]
    status, headers = answer(relay, upgrade_request())
    assert status == 503 and int(headers["retry-after"]) > 0
    assert relay.health()["clients"] == 3
    assert sum(refused(relay).values()) == 1
    await clients[0].leave()
    await until(lambda: relay.health()["clients"] == 2, "one has left")
    await connect(relay)


async def test_max_clients_per_address_concerns_one_address(start_relay):
    relay = start_relay("--max-clients-per-address", "2")
    here = [RawClient(relay.port).upgrade() for _ in range(2)]
    assert answer(relay, upgrade_request())[0] in (429, 503)
    with RawClient(relay.port, source="127.0.0.2").upgrade():
        pass
    here[0].close()
    await until(lambda: relay.health()["clients"] == 1, "two have left")
    here.append(RawClient(relay.port).upgrade())
    for client in here:
        client.close()


def test_refused_clients_do_not_hold_their_place(start_relay):
    relay = start_relay("--max-clients", "2", "--max-clients-per-address", "2")
    for _ in range(20):
        with RawClient(relay.port).upgrade(Origin="http://evil.example") as refused:
            assert refused.read_close_code() == 4403
        assert answer(relay, upgrade_request("/nothing"))[0] == 404
    with RawClient(relay.port).upgrade(), RawClient(relay.port).upgrade():
        assert relay.health()["clients"] == 2


@pytest.mark.parametrize("request_bytes", [
    b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET /ws/sync\r\n\r\n", b"GET /ws/sync HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET /ws/sync HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    upgrade_request(X_Big="z" * 100_000), b"\0" * 10_000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%00%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=lambda r: r[:12].hex())
def test_malformed_http_is_refused_and_the_relay_goes_on(relay, request_bytes):
    with RawClient(relay.port, seconds=5) as client:
        try:
            client.send(request_bytes)
            assert client.read_head()[0] in range(400, 506)
        except TimeoutError:
            pass  # it may still wait for the rest
        except (EOFError, ConnectionResetError, BrokenPipeError):
            pass  # closing without an answer is a refusal, too
    assert relay.health()["clients"] == 0


@pytest.mark.heavy
async def test_half_handshakes_are_closed_after_ten_seconds(relay):
    """The one wait for a fixed bound of the contract: 10 s, and some for timers."""
    starts = [b"", b"GET /ws/sync HT", upgrade_request()[:-2]]
    clients = [RawClient(relay.port, seconds=HALF_HANDSHAKE_SECONDS + 5) for _ in starts]
    for client, start in zip(clients, starts):
        client.send(start)
    for client in clients:
        client.read_to_end()
        client.close()


async def test_a_handshake_in_single_bytes_is_understood(relay):
    with RawClient(relay.port) as client:
        for byte in upgrade_request():
            client.send(bytes([byte]))
        assert client.read_head()[0] == 101
        assert client.read_text().startswith('{"type":"sync:full"')


async def test_frames_sent_with_the_handshake_are_not_lost(relay):
    with RawClient(relay.port) as client:
        client.send(upgrade_request() + frame(PING, b"early"))
        assert client.read_head()[0] == 101
        assert client.read_opcode(PONG).payload == b"early"
