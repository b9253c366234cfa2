"""Who has started the relay: a service manager that is told how it is, a process that it ends with."""

import os
import signal
import socket

import pytest

SECONDS = 10


@pytest.fixture
def manager(runtime_dir):
    """A socket as systemd has it; read() is what the relay has said next."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(runtime_dir / "notify"))
        listening.settimeout(SECONDS)
        yield listening


def words(manager):
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())


def test_a_service_manager_hears_of_the_start_of_a_reload_and_of_the_stop(start_relay, manager):
    relay = start_relay(env={"NOTIFY_SOCKET": manager.getsockname()})
    assert words(manager) == {"READY": "1"}
    relay.signal(signal.SIGHUP)
    reloading = words(manager)
    assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
    assert words(manager) == {"READY": "1"}
    assert relay.stop() == 0
    assert words(manager) == {"STOPPING": "1"}


def test_a_service_manager_with_an_abstract_socket_hears_it_too(start_relay):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(SECONDS)
        listening.bind("")  # the kernel picks a name
        start_relay(env={"NOTIFY_SOCKET": "@" + listening.getsockname()[1:].decode()})
        assert words(listening) == {"READY": "1"}


@pytest.mark.parametrize("name", ["/nowhere/at/all", "@nobody", "relative", "/" + 300 * "x", ""])
def test_a_service_manager_that_is_not_there_disturbs_nothing(start_relay, name):
    relay = start_relay(env={"NOTIFY_SOCKET": name})
    assert relay.health()["status"] == "ok" and relay.stop() == 0


def test_a_manager_that_does_not_read_holds_up_nothing(start_relay, manager):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                sender.sendto(b"X=1", manager.getsockname())
    relay = start_relay(env={"NOTIFY_SOCKET": manager.getsockname()})
    assert relay.health()["status"] == "ok" and relay.stop() == 0


def test_a_start_that_fails_is_not_told_as_ready(start_relay, manager):
    taken = start_relay()
    with pytest.raises(Exception, match="exit code 1"):
        start_relay("--port", str(taken.port), env={"NOTIFY_SOCKET": manager.getsockname()})
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(4096)


def test_the_relay_stops_when_its_parent_has_ended(start_relay, runtime_dir):
    relay = start_relay("--parent", str(os.getpid()))
    assert relay.health()["status"] == "ok"
    other = start_relay("--parent", str(os.getppid()), "--runtime-dir", runtime_dir / "other")  # not what started it
    assert other.wait(SECONDS) == 0
    other.logged("has ended")
    assert relay.exit_code() is None
