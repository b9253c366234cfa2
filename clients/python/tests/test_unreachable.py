"""Which reason the log names."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest
import zmq
from pull_peer import PullPeer, wait_until
from real_relay import RealRelay

from syncrelay import Relay

NOBODY = 65534


def wait_for_reason(caplog: pytest.LogCaptureFixture, *parts: str) -> None:
    def logged() -> bool:
        return any(all(part in message for part in ("relay unreachable", *parts)) for message in caplog.messages)

    wait_until(logged, f"a line with {parts}; there is {caplog.messages}")


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may open everything; so become nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def relay(endpoint: str) -> Iterator[Relay]:
    relay = Relay(endpoint, close_timeout=0)
    yield relay
    relay.close()


def test_a_socket_file_with_the_wrong_mode_and_its_repair(
    fake: PullPeer, directory: Path, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    fake.start()
    directory.chmod(0o755)
    path = directory / "commands.sock"
    path.chmod(0)
    with unprivileged():
        relay.broadcast("n", 1)
        wait_for_reason(caplog, "permission denied: s---------", f"but this is uid {os.geteuid()}")
    path.chmod(0o666)
    fake.receive()
    wait_until(lambda: any("reachable again" in message for message in caplog.messages), "back")


def test_a_directory_that_may_not_be_searched(
    fake: PullPeer, directory: Path, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    fake.start()
    directory.chmod(0)
    try:
        with unprivileged():
            relay.broadcast("n", 1)
            wait_for_reason(caplog, "permission denied", "may not search the directories above it")
    finally:
        directory.chmod(0o700)


def test_a_stale_socket_file(directory: Path, relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(directory / "commands.sock"))
    relay.broadcast("n", 1)
    wait_for_reason(caplog, "connection refused")


def test_a_new_reason_is_a_new_line(directory: Path, relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    relay.broadcast("n", 1)
    wait_for_reason(caplog, "no socket file")
    (directory / "commands.sock").touch()
    wait_for_reason(caplog, "not a socket")


def test_somebody_who_accepts_and_never_speaks(
    directory: Path, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(directory / "commands.sock"))
        mute.listen()
        relay.broadcast("n", 1)
        wait_for_reason(caplog, "no answer for 2 s")


def test_somebody_who_speaks_something_else(directory: Path, relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / "commands.sock"))
        server.listen()
        threading.Thread(target=refuse_all, args=(server,), daemon=True).start()
        relay.broadcast("n", 1)
        wait_for_reason(caplog, "does not speak ZeroMQ")
        server.shutdown(socket.SHUT_RDWR)


def refuse_all(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_relay_that_has_all_the_connections_it_takes(real: RealRelay, relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    real.start()
    context = zmq.Context()
    try:
        others = [context.socket(zmq.PUSH) for _ in range(192)]
        monitors = [other.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED) for other in others]
        for other, monitor in zip(others, monitors):
            other.connect(real.endpoint)
            assert monitor.poll(20_000), "it has room for them"
        relay.broadcast("n", 1)
        wait_for_reason(caplog, "ends them at once, as a relay does that has as many as it takes")
    finally:
        context.destroy(linger=0)
