"""What may happen to a connection before it is a client, and what it may not do to the others."""

import asyncio
import contextlib
import time

import pytest
import zmq

from control_peer import ControlPeer
from deadline import until, wait_until
from raw_client import CLOSE, RawClient, upgrade_request

H2C = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2_Settings": "AAMAAABkAARAAAAAAAIAAAAA"}
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")


def answer(relay, request, **how):
    with RawClient(relay.port, **how) as client:
        client.send(request)
        return client.read_head()


def refused(relay):
    return relay.metrics().labels("clients_refused_total", "reason")


@contextlib.contextmanager
def silent(relay, count, **how):
    connections = [RawClient(relay.port, **how) for _ in range(count)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("path", ["/ws/sync", "/health", "/"])
def test_an_offer_of_h2c_is_ignored_and_counts_nobody(start_relay, path):
    """RFC 9110, section 7.8. A count taken down that never went up would shut the door for everybody."""
    relay = start_relay("--max-clients", "2")
    for _ in range(5):
        status, headers = answer(relay, upgrade_request(path, **H2C) + H2_PREFACE)
        assert status == {"/ws/sync": 426, "/health": 200, "/": 200}[path]
        assert headers["connection"].endswith("close")
    with RawClient(relay.port).upgrade(), RawClient(relay.port).upgrade():
        assert relay.health()["clients"] == 2
        assert answer(relay, upgrade_request())[0] == 503
    wait_until(lambda: relay.health()["clients"] == 0, "all have left")


def test_http2_without_asking_is_refused(relay):
    assert answer(relay, H2_PREFACE)[0] == 505
    assert relay.health()["status"] == "ok"


@pytest.mark.parametrize("upgrade", ["foo", "h2c", "TLS/1.0, HTTP/2.0"])
def test_an_unknown_upgrade_is_answered_like_none(relay, upgrade):
    status, headers = answer(relay, upgrade_request(Upgrade=upgrade))
    assert (status, headers["upgrade"]) == (426, "websocket")
    assert answer(relay, upgrade_request("/health", Upgrade=upgrade))[0] == 200


def test_websocket_among_other_offers_is_taken(relay):
    assert answer(relay, upgrade_request(Upgrade="h2c, WebSocket"))[0] == 101


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "Host: a b\r\n"])
def test_a_request_has_one_host(relay, hosts):
    request = upgrade_request().replace(b"Host: 127.0.0.1\r\n", hosts.encode())
    assert answer(relay, request)[0] == 400
    assert answer(relay, f"GET /health HTTP/1.1\r\n{hosts}\r\n".encode())[0] == 400


def test_a_status_line_has_its_reason(relay):
    with RawClient(relay.port) as client:
        client.send(b"GET /ws/sync HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.socket.recv(100).startswith(b"HTTP/1.1 426 Upgrade Required\r\n")


def test_head_is_answered_like_get_without_the_body(relay):
    with RawClient(relay.port) as client:
        client.send(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n")
        status, headers = client.read_head()
        assert status == 200 and int(headers["content-length"]) > 0
        with pytest.raises(EOFError):
            client.read_frame()


def test_an_answer_reaches_who_is_still_sending(relay):
    with RawClient(relay.port) as client:
        client.send(b"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000)
        assert client.read_head()[0] == 405


@pytest.mark.parametrize("seconds", [0.5, 2])
def test_the_handshake_timeout_is_the_one_that_was_asked_for(start_relay, seconds):
    relay = start_relay("--handshake-timeout", f"{int(seconds * 1000)}ms")
    starts = [b"", b"GET /ws/sync HT", upgrade_request()[:-2], b"\r\n\r\n"]
    begin = time.monotonic()
    with silent(relay, len(starts)) as connections:
        for connection, start in zip(connections, starts):
            connection.send(start)
        for connection in connections:
            connection.read_to_end()
            assert time.monotonic() - begin >= seconds
    assert time.monotonic() - begin < seconds + 5
    assert refused(relay)["handshake"] == len(starts)


def test_a_trickle_does_not_prolong_the_handshake(start_relay):
    relay = start_relay("--handshake-timeout", "1s")
    with RawClient(relay.port) as client:
        client.socket.settimeout(0.05)
        with pytest.raises((BrokenPipeError, ConnectionResetError, EOFError)):
            for byte in upgrade_request(X_Padding="x" * 10_000):
                client.send(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    client.read_head()


def test_silent_connections_of_one_address_keep_nobody_out(start_relay):
    relay = start_relay("--max-clients", "10")
    with silent(relay, 1500, source="127.0.0.2") as crowd:
        wait_until(lambda: relay.connections() + sum(refused(relay).values()) >= 1500, "all have come in")
        for source in ("127.0.0.1", "127.0.0.3", "127.0.0.2"):
            assert answer(relay, upgrade_request("/health"), source=source)[0] == 200
            with RawClient(relay.port, source=source).upgrade() as client:
                assert client.read_text().startswith('{"type":"sync:full"')
        assert len(crowd) == 1500
        wait_until(lambda: refused(relay).get("crowded", 0) > 0, "those that made room are counted")


@pytest.mark.parametrize("own_address", [True, False], ids=["each-from-its-own", "behind-one-address"])
def test_silent_connections_of_many_addresses_keep_nobody_out(relay, own_address):
    """Those behind a proxy or NAT have one address, the silent ones have one each."""
    crowd = [RawClient(relay.port, source=f"127.1.{number // 200}.{1 + number % 200}") for number in range(700)]
    honest = [RawClient(relay.port, source=f"127.2.0.{1 + number}" if own_address else "127.0.0.1")
              for number in range(20)]
    for client in honest:
        client.send(upgrade_request())
    for client in honest:
        assert client.read_head()[0] == 101
    for client in crowd + honest:
        client.close()


def test_the_limit_per_address_holds_before_the_upgrade_too(start_relay):
    relay = start_relay("--max-clients-per-address", "20", "--shards", "1")
    with silent(relay, 200, source="127.0.0.2"):
        wait_until(lambda: relay.connections() == 20, "20 of them are kept")
        assert answer(relay, upgrade_request(), source="127.0.0.3")[0] == 101
        assert answer(relay, upgrade_request(), source="127.0.0.2")[0] == 101


def test_an_address_that_opens_connections_too_fast_is_told_to_wait(start_relay):
    """Ten seconds' worth at once, over all shards; health is for everybody."""
    relay = start_relay("--connect-rate", "2", "--shards", "4")
    begin = time.monotonic()
    answers = [answer(relay, upgrade_request())[0] for _ in range(60)]
    assert 20 <= answers.count(101) <= 20 + 2 * (time.monotonic() - begin) + 1
    assert answers.count(101) + answers.count(429) == 60
    status, headers = answer(relay, upgrade_request())
    assert (status, headers.get("retry-after")) == (429, "1") or status == 101
    assert answer(relay, upgrade_request("/health"))[0] == 200
    assert answer(relay, upgrade_request(), source="127.0.0.2")[0] == 101
    assert refused(relay)["connect_rate"] >= answers.count(429)
    wait_until(lambda: answer(relay, upgrade_request())[0] == 101, "it may come again")


@pytest.mark.parametrize("host,origin,status", [
    ("evil.example", "http://evil.example", 421), ("evil.example:8642", None, 421),
    ("relay.example", "http://relay.example", 101), ("RELAY.example:1", "http://relay.example:3000", 101),
    ("localhost", "http://localhost:5173", 101), ("127.0.0.1:8642", "http://127.0.0.1", 101),
    ("[::1]", None, 101), ("app.example", "https://app.example", 101)])
def test_with_allow_host_a_made_up_name_is_refused(start_relay, host, origin, status):
    """DNS rebinding: a stranger's name leads here, so that Origin and Host are the same."""
    relay = start_relay("--allow-host", "relay.example", "--allow-origin", "https://app.example")
    assert answer(relay, upgrade_request(host=host, Origin=origin))[0] == status
    assert answer(relay, upgrade_request("/health", host=host))[0] == (421 if status == 421 else 200)


async def test_a_name_that_is_not_listed_is_told_once(relay):
    for host in ("one.example", "one.example", "two.example", "127.0.0.1"):
        assert answer(relay, upgrade_request(host=host, Origin=f"http://{host}"))[0] == 101
    await until(lambda: "--allow-host one.example" in relay.log(), "the log names the option")
    assert relay.log().count("--allow-host") == 1


@pytest.mark.parametrize("query", ["token=&epoch={0}&seq={1}&x=", "epoch=&epoch={0}&seq={1}", "&&epoch={0}&seq=&seq={1}&"])
async def test_empty_arguments_do_not_lose_the_resume(start_relay, push_to, connect, query):
    relay = start_relay("--shards", 1)  # another shard would hear of the event a moment later
    pusher = push_to(relay)
    client = await connect(relay)
    pusher.broadcast("one")
    await client.read_to_seq(1)
    with RawClient(relay.port) as back:
        back.send(upgrade_request("/ws/sync?" + query.format(client.epoch, 1)))
        assert back.read_head()[0] == 101
        assert back.read_text().startswith('{"type":"sync:resume"')


async def test_clients_have_small_numbers(start_relay, connect):
    relay = start_relay("--shards", "64")
    for _ in range(5):
        await connect(relay)
    peer = ControlPeer(relay.ready["control"][0], zmq.REQ)
    try:
        assert sorted(client["id"] for client in peer.ask({"op": "clients"})["clients"]) == [1, 2, 3, 4, 5]
    finally:
        peer.close()


async def test_a_client_that_does_not_answer_the_close_frame_is_gone_soon(start_relay):
    relay = start_relay("--max-client-message", "10")
    with RawClient(relay.port).upgrade() as client:
        client.send_frame(2, b"x" * 11)
        assert client.read_opcode(CLOSE).close_code == 1009
        assert relay.health()["clients"] == 0
        await until(lambda: relay.connections() == 0, "its descriptor is closed", 10)


async def test_a_stop_waits_for_a_client_to_answer_no_longer_than_a_second(start_relay):
    relay = start_relay()
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        begin = asyncio.get_running_loop().time()
        relay.stop()
        assert asyncio.get_running_loop().time() - begin < 5
        assert client.read_close_code() == 1001
