"""TLS on the client port: what is spoken, and that all that holds without it holds with it."""

import asyncio
import json
import ssl
import time

import pytest
import websockets

from deadline import wait_until
from fan_out import SMALL_BUFFER
from history import History
from raw_client import CLOSE, PING, PONG, TEXT, RawClient, upgrade_request
from relay_process import run_relay
from tls_pair import KINDS, TlsPair
from tokens import Issuer
from ws_client import SyncClient

MIB = 2**20
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def exchange(relay, context, request=None, port=None):
    """Status, headers and body of an HTTP answer over TLS, which has to end by a proper end of TLS."""
    with RawClient(port or relay.port, tls=context) as client:
        client.socket.suppress_ragged_eofs = False
        client.send(request or b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, headers = client.read_head()
        body = client._take(int(headers["content-length"]))
        with pytest.raises(EOFError):
            client.read_frame()
        return status, headers, body


def failures(relay, **labels):
    return relay.metrics().value("tls_handshakes_failed_total", **labels)


# What is spoken

@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", [V12, V13])
async def test_a_client_has_snapshot_and_events_over_tls(start_relay, push_to, tmp_path, kind, version):
    pair = TlsPair(tmp_path, kind=kind)
    relay = start_relay(*pair.options)
    assert relay.ready["tls"] is True
    tls = pair.client(minimum_version=version, maximum_version=version)
    client = await SyncClient.open(relay, tls=tls)
    assert client.connection.transport.get_extra_info("ssl_object").version() == version.name.replace("_", ".")
    pusher = push_to(relay)
    pusher.set("radio", {"on": True})
    pusher.broadcast("said", "so")
    assert (await client.next_event()).type == "sync:set"
    assert (await client.next_event()).data == "so"
    assert client.state["radio"] == {"on": True}
    await client.leave()
    assert relay.metrics().value("tls_handshakes_total", listener="clients", resumed="no") == 1
    assert failures(relay) == 0


def test_ready_says_whether_there_is_tls(relay):
    assert relay.ready["tls"] is False


def test_health_is_told_over_tls_and_the_end_of_it_is_proper(tls_relay, pair):
    status, _, body = exchange(tls_relay, pair.client())
    assert (status, json.loads(body)["status"]) == (200, "ok")


@pytest.mark.parametrize("offered, chosen", [(["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), ([], None)])
def test_http_1_1_is_what_is_agreed_on(tls_relay, pair, offered, chosen):
    context = pair.client()
    if offered:
        context.set_alpn_protocols(offered)
    with RawClient(tls_relay.port, tls=context) as client:
        assert client.socket.selected_alpn_protocol() == chosen
        assert client.upgrade().read_text().startswith('{"type":"sync:full"')


def test_who_speaks_only_http_2_is_told_by_an_alert(tls_relay, pair):
    context = pair.client()
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        RawClient(tls_relay.port, tls=context)
    assert failures(tls_relay, listener="clients", reason="unmatched") == 1


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_weak_ciphers_are_not_spoken(tls_relay, pair, ciphers):
    context = pair.client(maximum_version=V12)
    context.set_ciphers(ciphers)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        RawClient(tls_relay.port, tls=context)
    assert failures(tls_relay, reason="unmatched") == 1


@pytest.mark.parametrize("version", [V12, V13])
def test_a_tls_session_is_resumed(tls_relay, pair, version):
    context = pair.client(minimum_version=version, maximum_version=version)
    with RawClient(tls_relay.port, tls=context) as first:
        first.upgrade().read_text()
        session = first.socket.session
    for _ in range(2):
        with RawClient(tls_relay.port, tls=context, session=session) as again:
            again.upgrade().read_text()
            assert again.socket.session_reused
            session = again.socket.session
    assert tls_relay.metrics().value("tls_handshakes_total", listener="clients", resumed="yes") == 2


# What holds without it

async def test_events_arrive_byte_for_byte_at_a_slow_client_and_a_fast_one(start_relay, push_to, pair):
    relay = start_relay(*pair.options, "--log-bytes", "64MiB", "--send-buffer", "4KiB")
    pusher = push_to(relay)
    fast = await SyncClient.open(relay, tls=pair.client())
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER, tls=pair.client(), seconds=20).upgrade() as slow:
        history = History()
        history.record(slow.read_text())
        for number in range(1000):
            pusher.broadcast("bulk", f"{number}:" + chr(33 + number % 90) * (number % 50 * 37))
        pusher.broadcast("long", "l" * (3 * MIB))
        last = await settle_over_tls(relay, pusher, pair)
        await fast.read_to_seq(last)
        await asyncio.to_thread(read_to, slow, history, last)
    assert [m.text for m in fast.events()] == [m.text for m in history.events()]
    assert fast.skipped == history.skipped == 0
    await fast.leave()


async def settle_over_tls(relay, pusher, pair):
    watcher = await SyncClient.open(relay, keep=False, tls=pair.client())
    pusher.broadcast("test:last")
    await watcher.read_to_type("test:last")
    await watcher.leave()
    return watcher.seq


def read_to(raw, history, seq):
    while history.seq < seq:
        history.record(raw.read_text())


async def test_a_large_state_arrives_whole(start_relay, push_to, pair):
    relay = start_relay(*pair.options, "--max-command", "32MiB")
    push_to(relay).set("radio", "r" * (16 * MIB))
    wait_until(lambda: relay.metrics().value("state_bytes") > 16 * MIB, "it is set")
    client = await SyncClient.open(relay, tls=pair.client())
    assert len(client.state["radio"]) == 16 * MIB
    await client.leave()


async def test_a_client_that_fell_behind_gets_a_snapshot(start_relay, push_to, pair):
    relay = start_relay(*pair.options, "--log-bytes", "256KiB")
    pusher = push_to(relay)
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER, tls=pair.client(), seconds=20).upgrade() as slow:
        history = History(keep=False)
        history.record(slow.read_text())
        for _ in range(200):
            pusher.broadcast("bulk", "x" * 65536)
        last = await settle_over_tls(relay, pusher, pair)
        await asyncio.to_thread(read_to, slow, history, last)
    assert history.skipped > 0


def test_pings_are_answered_and_close_codes_arrive_with_the_end_of_tls(tls_relay, pair):
    with RawClient(tls_relay.port, tls=pair.client()).upgrade() as client:
        client.socket.suppress_ragged_eofs = False
        client.read_text()
        client.send_frame(PING, b"there?")
        assert client.read_opcode(PONG).payload == b"there?"
        client.send_frame(TEXT, b"\xff")
        assert client.read_opcode(CLOSE).close_code == 1007
        with pytest.raises(EOFError):
            client.read_frame()


def test_a_stopping_relay_takes_leave_over_tls(tls_relay, pair):
    with RawClient(tls_relay.port, tls=pair.client()).upgrade() as client:
        client.socket.suppress_ragged_eofs = False
        client.read_text()
        assert tls_relay.stop() == 0
        assert client.read_close_code() == 1001
        with pytest.raises(EOFError):
            client.read_frame()


def test_what_follows_the_request_at_once_is_heard(tls_relay, pair):
    with RawClient(tls_relay.port, tls=pair.client()) as client:
        ping = bytes([0x89, 0x80, 0, 0, 0, 0])
        client.send(upgrade_request() + ping)
        assert client.read_head()[0] == 101
        assert {client.read_frame().opcode for _ in range(2)} == {TEXT, PONG}


def test_the_end_of_tls_is_the_end_of_a_client(tls_relay, pair):
    with RawClient(tls_relay.port, tls=pair.client()).upgrade() as client:
        client.read_text()
        client.socket.settimeout(0.0)
        try:
            client.socket.unwrap()
        except (ssl.SSLWantReadError, OSError):
            pass
        wait_until(lambda: tls_relay.metrics().value("clients") == 0, "it counts as gone")
    assert tls_relay.metrics().value("clients_closed_total", reason="connection_lost") == 1


async def test_tokens_come_in_the_subprotocol_over_tls(start_relay, pair, tmp_path):
    issuer = Issuer()
    relay = start_relay(*pair.options, "--token-key", issuer.key_file(tmp_path / "token"))
    for token, code in ((issuer.token(sub="dev-1"), None), ("no.such.token", 4401)):
        client = await websockets.connect(f"wss://localhost:{relay.port}/ws/sync", host="127.0.0.1", ssl=pair.client(),
                                          subprotocols=["syncrelay", f"token.{token}"], compression=None)
        if code is None:
            assert json.loads(await client.recv())["type"] == "sync:full"
        else:
            await client.wait_closed()
            assert client.close_code == code
        await client.close()


async def test_keepalive_knows_a_client_that_reads_slowly_from_one_that_is_gone(start_relay, push_to, pair):
    relay = start_relay(*pair.options, "--ping-interval", "200ms", "--ping-timeout", "300ms", "--stall-timeout", "400ms")
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER, tls=pair.client(), seconds=10).upgrade() as stuck:
        stuck.read_text()
        pusher = push_to(relay)
        for _ in range(100):
            pusher.broadcast("bulk", "x" * 65536)
        wait_until(lambda: relay.metrics().value("clients") == 0, "it is cut off")
    metrics = relay.metrics()
    assert metrics.value("clients_closed_total", reason="stalled") + \
        metrics.value("clients_closed_total", reason="ping_timeout") == 1


# The other listener, and the shell

def test_the_admin_listener_speaks_tls_where_that_is_asked_for(start_relay, pair):
    relay = start_relay(*pair.options, "--admin-tls")
    question = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    status, headers, body = exchange(relay, pair.client(), question, relay.ready["admin"])
    assert status == 200 and headers["content-type"].startswith("text/plain")
    assert b'syncrelay_tls_handshakes_total{listener="admin",resumed="no"} 1' in body


def test_commands_over_http_are_taken_over_tls_too(start_relay, pair):
    relay = start_relay(*pair.options, "--admin-tls")
    command = b'{"op":"set","key":"radio","value":"%s"}' % (b"x" * 100_000)
    head = b"POST /commands HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    assert exchange(relay, pair.client(), head % len(command) + command, relay.ready["admin"])[0] == 200
    question = b"GET /state?key=radio HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert len(exchange(relay, pair.client(), question, relay.ready["admin"])[2]) > 100_000


def test_healthcheck_asks_over_tls_also_when_nobody_told_it(tls_relay, pair, runtime_dir):
    for known in ([], ["--tls-cert", pair.cert]):
        ended = run_relay("healthcheck", "--port", tls_relay.port, *known, runtime_dir=runtime_dir)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_watch_believes_whom_it_is_told_to_believe(tls_relay, pair, runtime_dir, tmp_path):
    def watch(*options):
        begin = time.monotonic()
        ended = run_relay("watch", "--port", tls_relay.port, "--count", 1, *options, runtime_dir=runtime_dir)
        assert time.monotonic() - begin < 4, "what is refused is not tried again"
        return ended.returncode, ended.stdout, ended.stderr

    code, printed, _ = watch("--host", "localhost", "--ca", pair.cert)
    assert code == 0 and json.loads(printed)["type"] == "sync:full"
    other = tmp_path / "other"
    other.mkdir()
    for options in (["--tls"], ["--host", "localhost", "--ca", TlsPair(other).cert]):
        code, printed, error = watch(*options)
        assert (code, printed) == (1, "")
        assert "its certificate is not believed" in error
    code, _, error = watch()
    assert code == 1 and "--tls or --ca" in error
    code, _, error = watch("--ca", tmp_path / "nothing.pem")
    assert code == 2 and "No such file" in error


def test_a_health_check_that_is_told_of_a_certificate_says_that_no_tls_is_spoken(start_relay, pair):
    relay = start_relay()
    asked = run_relay("healthcheck", "--port", relay.port, "--tls-cert", pair.cert, "--tls-key", pair.key,
                      runtime_dir=relay.runtime_dir)
    assert asked.returncode == 1 and "no TLS is spoken there, and --tls-cert says" in asked.stderr
