"""Who is blamed for what: newcomers that wait, connections that end, memory and descriptors that stay."""

import asyncio
import socket
import threading

import pytest
import websockets

import probes
from disturbances import Disturbances
from verdict import DESCRIPTORS, MEMORY, Footprint, unjust_ends
from witness import not_dropped

CLOSED = websockets.ConnectionClosedError(None, None)
NOW = 1000.0


class Span(Disturbances):
    """One disturbance, from NOW to a second later."""

    def __init__(self, kind):
        super().__init__()
        self._spans.append([kind, NOW, NOW + 1])


def test_a_connection_that_ends_for_no_reason():
    assert unjust_ends("w", [(NOW, CLOSED)], Disturbances(), 0.01)
    assert unjust_ends("w", [(NOW + 5, CLOSED)], Span("down"), 0.01)


def test_a_connection_that_the_client_dropped_itself():
    assert not_dropped([(NOW + 1, CLOSED)], [NOW]) == []
    assert not_dropped([(NOW - 1, CLOSED)], [NOW]) and not_dropped([(NOW + 9, CLOSED)], [NOW])


def test_a_connection_that_ends_with_the_relay():
    assert unjust_ends("w", [(NOW + 0.5, CLOSED)], Span("down"), 0.01) == []


def test_a_frozen_relay_may_be_silent_but_may_not_close():
    assert unjust_ends("w", [(NOW + 0.5, asyncio.TimeoutError())], Span("freeze"), 0.01) == []
    assert unjust_ends("w", [(NOW + 0.5, CLOSED)], Span("freeze"), 0.01)


def test_silence_without_a_reason():
    assert unjust_ends("w", [(NOW, asyncio.TimeoutError())], Span("disk"), 0.01)


def test_a_machine_that_is_too_busy_blames_nobody():
    assert unjust_ends("w", [(NOW, CLOSED)], Disturbances(), 5.0) == []


def test_a_disturbance_lasts_while_it_lasts_and_a_moment_longer():
    disturbances = Disturbances()
    with disturbances.during("down"):
        assert disturbances.overlap(1e12, 1e12, ("down",))
    assert not disturbances.overlap(1e12, 1e12, ("down",))
    assert not disturbances.overlap(0, 1e12, ("freeze",))


def test_descriptors_and_memory_that_stay():
    footprint = Footprint()
    assert footprint.findings(5000, 2**40) == []
    footprint.note(20, 2**24)
    footprint.note(5000, 2**40)
    assert footprint.findings(20 + DESCRIPTORS, 2**24 + MEMORY) == []
    assert len(footprint.findings(21 + DESCRIPTORS, 2**24 + MEMORY + 1)) == 2


def test_memory_that_is_excused():
    footprint = Footprint()
    footprint.note(20, 0)
    footprint.excuse(2**30)
    assert footprint.findings(20, MEMORY + 2**30) == []
    assert len(footprint.findings(20, MEMORY + 2**30 + 1)) == 1


@pytest.fixture
def answering():
    """answering(bytes): the port of a server that says this to its first visitor, and nothing when there is none."""
    servers = []

    def start(said):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=serve, args=(server, said), daemon=True).start()
        return server.getsockname()[1]

    def serve(server, said):
        try:
            peer, _ = server.accept()
            peer.recv(1000)
            peer.sendall(said)
            peer.recv(1000)
            peer.close()
        except OSError:
            pass

    yield start
    for server in servers:
        server.close()


UPGRADED = (b"HTTP/1.1 101 x\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def test_a_newcomer_that_gets_its_snapshot(answering):
    seconds = probes.newcomer(answering(UPGRADED + b"\x81\x14" + b'{"type":"sync:full"}'))
    assert probes.verdict(seconds, 5.0) is None
    assert "waited" in probes.verdict(seconds, -1.0)


@pytest.mark.parametrize("said, words", [
    (b"HTTP/1.1 503 full\r\n\r\n", "503"), (b"", "TimeoutError"),
    (UPGRADED, "TimeoutError"), (UPGRADED + b"\x81\x02{}", "first message")])
def test_a_newcomer_that_does_not(answering, said, words):
    assert words in probes.verdict(probes.newcomer(answering(said), patience=0.2), 5.0)


def test_a_late_machine_widens_what_is_allowed():
    assert probes.allowed(1.0, 0.0) < probes.allowed(1.0, 0.5)


def test_a_door_that_is_not_there(answering):
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    assert "ConnectionRefused" in probes.newcomer(port, patience=0.2)
