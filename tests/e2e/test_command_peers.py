"""Peers of the command sockets that take more than their share: of connections, of memory, of time to stop."""

import asyncio
import json
import pathlib
import signal
import socket
import threading
import time

import pytest
import zmq

from deadline import until, wait_until
from raw_client import RawClient, upgrade_request
from relay_process import LISTENING
from ws_client import settle

MIB = 2**20
SMALL_LIMIT = 700
FLOOD = 2000
BACKLOG = 50  # half of what libzmq's listening sockets have
ZMTP_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16 + 32)
READY = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH"


def plain_socket(endpoint):
    """A unix socket waits for its place in the queue only without a timeout."""
    if endpoint.startswith("ipc://"):
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(endpoint.removeprefix("ipc://"))
        plain.settimeout(5)
        return plain
    host, port = endpoint.removeprefix("tcp://").split(":")
    return socket.create_connection((host, int(port)), timeout=5)


def waiting(endpoint):
    """How many connections wait to be accepted. Over TCP one too many would be tried again after seconds, by the kernel;
    a unix socket waits by itself."""
    if endpoint.startswith("ipc://"):
        return 0
    port = f":{int(endpoint.rpartition(':')[2]):04X}"
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].partition(":")[2], 16) for row in rows if row[1].endswith(port) and row[3] == LISTENING)


@pytest.fixture
def flood():
    """Connects that say nothing: flood(endpoint, count)."""
    held = []

    def connect(endpoint, count):
        for number in range(count):
            if number % BACKLOG == 0:
                wait_until(lambda: not waiting(endpoint), "those that came have been accepted", 20)
            held.append(plain_socket(endpoint))

    def end():
        while held:
            held.pop().close()

    connect.end = end
    yield connect
    end()


@pytest.fixture
def control(peer_of):
    return peer_of


@pytest.fixture(params=["ipc", "tcp"])
def crowded(request, start_relay):
    """A relay with few descriptors, whose command sockets are of this kind."""
    tcp = ["--commands", "tcp://127.0.0.1:*", "--control", "tcp://127.0.0.1:*"] if request.param == "tcp" else []
    return start_relay("--max-clients", "100", *tcp, open_files=(SMALL_LIMIT, SMALL_LIMIT))


def lines(relay, text):
    return [line for line in relay.log().splitlines() if text in line]


@pytest.mark.heavy
@pytest.mark.parametrize("socket_name", ["commands", "control"])
async def test_a_flood_of_connections_is_bounded_counted_and_disturbs_nobody(
        crowded, flood, push_to, connect, control, socket_name):
    relay, pusher, peer = crowded, push_to(crowded), control(crowded)
    clients = [await connect(relay) for _ in range(60)]
    pusher.broadcast("before")
    peer.confirm({"op": "broadcast", "type": "before"})
    await clients[0].read_to_seq(2)
    held = []

    def counted():
        page = relay.metrics()
        held.append(page.value("command_connections"))
        return page.value("command_connections_refused_total") > FLOOD / 2

    # Looked at while it comes: who says nothing is let go after some seconds.
    coming = asyncio.create_task(asyncio.to_thread(flood, relay.ready[socket_name][0], FLOOD))
    await until(counted, "the flood is counted", 60)
    await coming
    assert 2 < max(held) < SMALL_LIMIT / 2
    assert relay.fds() < SMALL_LIMIT
    pusher.broadcast("during")
    peer.confirm({"op": "broadcast", "type": "during"})
    clients.append(await connect(relay))
    for client in clients:
        await client.read_to_seq(4)
    assert len(lines(relay, "connections to the command sockets refused")) == 1
    flood.end()
    await until(lambda: relay.metrics().value("command_connections") <= 4, "the flood is gone", 20)
    push_to(relay).broadcast("after")
    await clients[0].read_to_seq(5)
    assert control(relay).confirm({"op": "broadcast", "type": "after"})["seq"] == 6


async def test_a_flood_at_one_command_socket_leaves_room_at_the_other(start_relay, flood, control):
    relay = start_relay("--max-clients", "100", open_files=(SMALL_LIMIT, SMALL_LIMIT))
    flood(relay.endpoint, FLOOD)
    assert control(relay).confirm({"op": "set", "key": "radio", "value": 1})["ok"]


async def test_clients_that_take_every_place_leave_room_for_backends(start_relay, connect, push_to, control):
    relay = start_relay("--max-clients", "5000", open_files=(256, 256))
    refused = False
    clients = []
    while not refused:
        client = RawClient(relay.port)
        client.send(upgrade_request())
        refused = client.read_head()[0] == 503
        clients.append(client)
        assert len(clients) < 256
    for _ in range(5):
        push_to(relay).set("radio", 1)
        assert control(relay).confirm({"op": "set", "key": "radio", "value": 2})["ok"]
    for client in clients:
        client.close()


# Memory.


def pushing(endpoint, body, stop):
    with zmq.Context() as context, context.socket(zmq.PUSH) as backend:
        backend.linger = 0
        backend.sndhwm = 2
        backend.sndtimeo = 100
        backend.connect(endpoint)
        while not stop.is_set():
            try:
                backend.send(body, copy=False)
            except zmq.Again:
                pass


@pytest.mark.heavy
def test_pushers_of_large_commands_cost_bounded_memory(start_relay, memory_is_measurable):
    """Four of 8 MiB, faster than the relay can take them: it is stopped from time to time by its own shards."""
    relay = start_relay("--shards", "1")
    body = json.dumps({"op": "broadcast", "type": "x", "data": "x" * (8 * MIB)}).encode()
    before = relay.rss()
    stop = threading.Event()
    backends = [threading.Thread(target=pushing, args=(relay.endpoint, body, stop)) for _ in range(4)]
    for backend in backends:
        backend.start()
    try:
        wait_until(lambda: relay.metrics().value("seq") > 200, "many were taken", 60)
    finally:
        stop.set()
        for backend in backends:
            backend.join()
    growth = relay.peak_rss() - before
    assert growth < 512 * MIB, f"{growth / MIB:.0f} MiB"


def test_a_message_without_end_is_cut_off(relay, push_to, memory_is_measurable):
    before = relay.rss()
    part = b"\x03" + MIB.to_bytes(8, "big") + b"x" * MIB
    endless = plain_socket(relay.endpoint)
    endless.sendall(ZMTP_GREETING + READY)
    with pytest.raises(OSError):
        for _ in range(1000):
            endless.sendall(part)
    endless.close()
    wait_until(lambda: relay.metrics().value("command_connections_cut_off_total") == 1, "it is counted")
    assert relay.peak_rss() - before < 192 * MIB
    push_to(relay).set("radio", 1)
    wait_until(lambda: relay.metrics().value("commands_total") == 1, "others go on")


def test_a_backend_that_leaves_at_once_has_all_of_its_commands_taken(relay, push_to):
    """It closes while the relay is still busy with what it sent."""
    pushers = [push_to(relay) for _ in range(5)]
    command = b'{"op":"set","key":"radio","value":1}'
    for pusher in pushers:
        pusher.push(*[command] * 20_000)
        pusher.hand_over()
    wait_until(lambda: relay.metrics().value("commands_total") == 5 * 20_000, "all are taken", 30)


# Refused.


@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("character", ["é", "€", "😀"])
def test_an_answer_that_quotes_a_long_name_is_json(relay, control, character, offset):
    answer = control(relay).ask({"op": "x" * offset + character * 100})
    assert answer["error"]["code"] == "unknown_op"
    assert character in answer["error"]["message"]


# Stopping.


def test_commands_that_keep_coming_do_not_hold_a_stop_up(relay, push_to):
    """Every one of them comes before the sockets have been silent for long."""
    pusher = push_to(relay)
    pusher.set("radio", 0)
    wait_until(lambda: relay.metrics().value("commands_total") == 1, "it is connected")
    ended = threading.Event()

    def push():
        while not ended.wait(0.02):
            pusher.set("radio", 1)

    trickle = threading.Thread(target=push)
    trickle.start()
    try:
        wait_until(lambda: relay.metrics().value("commands_total") > 5, "they keep coming")
        begin = time.monotonic()
        relay.signal(signal.SIGTERM)
        assert relay.wait() == 0
        assert time.monotonic() - begin < 2
    finally:
        ended.set()
        trickle.join()
