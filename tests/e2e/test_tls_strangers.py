"""What strangers do at a port with TLS: no TLS, half a handshake, garbage, crowds. And TLS at a port without."""

import os
import pathlib
import random
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from deadline import until, wait_until
from hiccups import Hiccups
from raw_client import RawClient, upgrade_request
from test_tls import exchange, failures
from tls_pair import TlsPair
from ws_client import SyncClient

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts/check-tls"


def client_hello(context):
    """The first bytes of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


# No TLS where there should be

def test_plain_http_is_told_to_use_tls(tls_relay):
    reply = tls_relay.http()
    assert (reply.status, reply.body) == (400, "this port speaks TLS: use https:// or wss://\n")
    with RawClient(tls_relay.port) as client:
        client.send(upgrade_request())
        assert client.read_head()[0] == 400
        client.read_to_end()
    assert failures(tls_relay, listener="clients", reason="plain") == 2
    assert tls_relay.metrics().value("clients_refused_total", reason="bad_request") == 2


def test_what_is_no_tls_is_told_in_the_log_once_a_second(tls_relay):
    begin = time.monotonic()
    for _ in range(20):
        assert tls_relay.http(path="/ws/sync").status == 400
    line = tls_relay.logged("speaks no TLS to a listener that does")
    assert "WARN" in line.upper() and "address=127.0.0.1" in line and "wss://" in line
    lines = tls_relay.log().count("speaks no TLS to a listener that does")
    assert 1 <= lines <= 2 + (time.monotonic() - begin) * 2, "one a second of each shard"


def test_who_asks_for_health_without_tls_is_no_warning(tls_relay):
    assert tls_relay.http().status == 400
    tls_relay.http(path="/ws/sync")
    tls_relay.logged("speaks no TLS to a listener that does")
    assert tls_relay.log().count("speaks no TLS") == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_does_not_believe_the_certificate_is_told_in_the_log_once_a_second(tls_relay, version):
    begin = time.monotonic()
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    for _ in range(20):
        with pytest.raises(ssl.SSLError):
            RawClient(tls_relay.port, tls=context)
    line = tls_relay.logged("does not believe the certificate")
    assert "WARN" in line.upper() and "unknown ca" in line
    lines = tls_relay.log().count("does not believe the certificate")
    assert 1 <= lines <= 2 + (time.monotonic() - begin) * 2, "one a second of each shard"


def record(content):
    return b"".join(b"\x16\x03\x01" + struct.pack(">H", len(part)) + part
                    for part in (content[at:at + 16384] for at in range(0, len(content), 16384)))


@pytest.mark.parametrize("hello", [
    record(b"\x01" + struct.pack(">I", 40 * 1024)[1:] + bytes(40 * 1024)),
    record(b"\x01" + struct.pack(">I", 128 * 1024)[1:]),
    b"\x16\x03\x01\x00\x01\x01",
], ids=["of 40 KiB", "that says it has 128 KiB", "in splinters"])
def test_a_hello_that_is_too_long_ends_at_once(tls_relay, hello):
    with socket.create_connection(("127.0.0.1", tls_relay.port), timeout=5) as client:
        client.sendall(hello)
        while client.recv(4096):
            pass
    assert "longer than 32 KiB" in tls_relay.logged("a TLS handshake failed")
    wait_until(lambda: failures(tls_relay, listener="clients", reason="malformed") == 1, "it is counted")


def test_tls_at_a_port_without_is_told_in_the_log_once_a_second(start_relay, pair):
    relay = start_relay()
    begin = time.monotonic()
    for _ in range(20):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            RawClient(relay.port, tls=pair.client())
    assert "--tls-cert" in relay.logged("speaks TLS to a listener that has none")
    lines = relay.log().count("speaks TLS to a listener that has none")
    assert 1 <= lines <= 2 + (time.monotonic() - begin) * 2, "one a second of each shard"


def test_random_bytes_harm_nobody(tls_relay, pair):
    randomness = random.Random(7)
    hello = client_hello(pair.client())
    for number in range(300):
        bytes_ = bytearray(hello[:randomness.randrange(1, len(hello) + 1)])
        for _ in range(randomness.randrange(8)):
            bytes_[randomness.randrange(len(bytes_))] = randomness.randrange(256)
        bytes_ += randomness.randbytes(randomness.randrange(2000))
        if number % 3 == 0:
            bytes_ = b"\x16\x03\x01" + struct.pack("!H", randomness.randrange(65536)) + bytes_
        with RawClient(tls_relay.port) as client:
            client.send(bytes_)
            client.socket.shutdown(socket.SHUT_WR)
            client.read_to_end()
    assert exchange(tls_relay, pair.client())[0] == 200
    counted = tls_relay.metrics()
    assert counted.value("tls_handshakes_failed_total", listener="clients") == 300
    assert counted.value("clients_refused_total", reason="handshake") + \
        counted.value("clients_refused_total", reason="bad_request") == 300
    assert len(tls_relay.log().splitlines()) < 10, "strangers fill no log"


def test_random_bytes_within_tls_harm_nobody(tls_relay, pair):
    randomness = random.Random(8)
    for _ in range(30):
        with RawClient(tls_relay.port, seconds=5, tls=pair.client()) as client:
            if randomness.random() < 0.5:
                client.upgrade()
            client.send(randomness.randbytes(randomness.randrange(1, 40_000)))
            try:
                client.read_to_end()
            except (TimeoutError, ssl.SSLError):
                pass
    assert exchange(tls_relay, pair.client())[0] == 200


# Half of it

def test_a_handshake_that_never_ends_has_its_time(start_relay, pair):
    relay = start_relay(*pair.options, "--handshake-timeout", "300ms")
    hello = client_hello(pair.client())
    with RawClient(relay.port) as silent, RawClient(relay.port) as stuck, RawClient(relay.port) as trickling:
        stuck.send(hello)
        begin = time.monotonic()
        try:
            for byte in hello:
                trickling.send(bytes([byte]))
                wait_until(lambda: time.monotonic() > begin + 0.02, "a byte's time")
                begin = time.monotonic()
        except (BrokenPipeError, ConnectionResetError):
            pass
        for client in (silent, stuck, trickling):
            client.read_to_end()
    wait_until(lambda: failures(relay, reason="gone") == 3, "all are counted")
    assert relay.metrics().value("clients_refused_total", reason="handshake") == 3
    assert exchange(relay, pair.client())[0] == 200


@pytest.mark.parametrize("how", ["close", "reset"])
def test_who_vanishes_in_the_middle_leaves_nothing(tls_relay, pair, how):
    hello = client_hello(pair.client())
    before = tls_relay.connections()
    for length in range(1, len(hello) + 1, 25):
        client = RawClient(tls_relay.port)
        client.send(hello[:length])
        client.close() if how == "close" else client.reset()
    wait_until(lambda: tls_relay.connections() <= before, "their sockets are closed")


def test_the_record_of_a_client_that_is_cut_off_ends_the_client(tls_relay, pair):
    with RawClient(tls_relay.port, tls=pair.client()).upgrade() as client:
        client.read_text()
        raw = socket.socket(fileno=os.dup(client.socket.fileno()))
        raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 7)
        raw.shutdown(socket.SHUT_WR)
        raw.close()
        wait_until(lambda: tls_relay.metrics().value("clients") == 0, "it is gone")
    assert tls_relay.metrics().value("clients_closed_total", reason="connection_lost") == 1


def test_a_changed_record_ends_the_client(tls_relay, pair):
    with RawClient(tls_relay.port, tls=pair.client()).upgrade() as client:
        client.read_text()
        with socket.socket(fileno=os.dup(client.socket.fileno())) as raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        with pytest.raises(ssl.SSLError, match="(?i)bad.record.mac"):
            client.read_to_end()
    wait_until(lambda: tls_relay.metrics().value("clients") == 0, "it is gone")


# Crowds

class Storm:
    """Threads that do full handshakes as fast as they can."""

    def __init__(self, port, context, threads=3):
        self.handshakes, self._ending = 0, False
        self._threads = [threading.Thread(target=self._run, args=(port, context)) for _ in range(threads)]

    def _run(self, port, context):
        while not self._ending:
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
            hello = client_hello(context)
            for client in clients:
                client.sendall(hello)
            for client in clients:
                client.settimeout(5)
                self.handshakes += bool(client.recv(1))
                client.close()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending = True
        for thread in self._threads:
            thread.join()


@pytest.mark.heavy
async def test_a_storm_of_handshakes_does_not_hold_up_events(start_relay, push_to, tmp_path):
    pair = TlsPair(tmp_path, kind="RSA-2048")
    relay = start_relay(*pair.options, "--shards", "1")
    pusher = push_to(relay)
    client = await SyncClient.open(relay, tls=pair.client(), keep=False)
    delays = []
    with Storm(relay.port, pair.client()) as storm:
        async with Hiccups(relay.pid) as hiccups:
            await until(lambda: storm.handshakes > 200, "it blows")
            for number in range(200):
                pusher.broadcast("tick", number)
                event = await client.next_event()
                delays.append(event.arrived - event.body["ts"])
    await client.leave()
    delays.sort()
    assert delays[len(delays) // 2] < 0.05 + hiccups.seconds / 10, delays[len(delays) // 2]
    assert delays[-1] < 0.3 + hiccups.seconds, delays[-1]


def test_a_crowd_of_half_handshakes_shuts_nobody_out(tls_relay, pair):
    hello = client_hello(pair.client())
    crowd = [RawClient(tls_relay.port) for _ in range(700)]
    try:
        for client in crowd:
            client.send(hello)
        assert exchange(tls_relay, pair.client())[0] == 200
    finally:
        for client in crowd:
            client.close()
    wait_until(lambda: failures(tls_relay, reason="gone") == 700, "all are counted")


# What others look for, see scripts/check-tls.

def test_the_port_passes_the_check(tls_relay):
    ended = subprocess.run([SCRIPT, f"127.0.0.1:{tls_relay.port}"], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "FAILED" not in ended.stdout and ended.stdout.count("ok ") >= 10, ended.stdout


def test_the_check_sees_a_port_without_tls(relay):
    ended = subprocess.run([SCRIPT, f"127.0.0.1:{relay.port}"], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, f"FAILED no TLS is spoken at 127.0.0.1:{relay.port}\n")


def test_the_check_sees_a_port_that_speaks_too_much(pair):
    weak = ["-cipher", "ALL:@SECLEVEL=0", "-legacy_renegotiation", "-client_renegotiation", "-max_early_data", "1000"]
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pair.cert, "-key", pair.key, "-www",
                               *weak],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        place = next(line for line in server.stdout if line.startswith("ACCEPT ")).split()[1]
        ended = subprocess.run([SCRIPT, place], capture_output=True, text=True, timeout=60, check=False)
    finally:
        server.kill()
        server.communicate()
    failed = [line.split(None, 1)[1] for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    for what in ("does not speak TLS 1.0", "does not negotiate anew", "takes no early data", "does not speak HTTP/2"):
        assert what in failed, ended.stdout
