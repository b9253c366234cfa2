from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from syncrelay import InvalidEndpoint, Relay
from syncrelay import endpoint as endpoint_module
from syncrelay.endpoint import check_endpoint, default_control, default_endpoint, why_unreachable


def test_the_runtime_directory_comes_from_the_environment() -> None:
    assert default_endpoint({"SYNCRELAY_RUNTIME_DIR": "/run/syncrelay"}) == "ipc:///run/syncrelay/commands.sock"
    assert default_endpoint({"SYNCRELAY_RUNTIME_DIR": "/run/syncrelay/"}) == "ipc:///run/syncrelay/commands.sock"


def test_the_relays_own_variable_for_endpoints_comes_first() -> None:
    env = {"SYNCRELAY_COMMANDS": "tcp://127.0.0.1:5555, ipc:///x", "SYNCRELAY_RUNTIME_DIR": "/run/syncrelay"}
    assert default_endpoint(env) == "tcp://127.0.0.1:5555"


def test_empty_variables_are_unset(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "_own_directory", lambda: str(directory))
    env = {"SYNCRELAY_COMMANDS": "", "SYNCRELAY_RUNTIME_DIR": ""}
    assert default_endpoint(env) == f"ipc://{directory}/commands.sock"


def test_without_any_variable_it_is_a_private_directory_of_this_user() -> None:
    directory = f"/tmp/syncrelay-{os.geteuid()}"
    assert default_endpoint({}) == f"ipc://{directory}/commands.sock"
    assert os.stat(directory).st_uid == os.geteuid()


def test_a_default_directory_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.geteuid() + 1
    owner = os.lstat("/tmp").st_uid
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    monkeypatch.setattr(os, "mkdir", raise_file_exists)
    monkeypatch.setattr(os, "lstat", lambda path: os.stat("/tmp"))
    with pytest.raises(InvalidEndpoint, match=f"belongs to uid {owner}.*SYNCRELAY_RUNTIME_DIR"):
        default_endpoint({})


def raise_file_exists(path: str, mode: int) -> None:
    raise FileExistsError(path)


@pytest.mark.parametrize("good", ["ipc:///run/s", "ipc://@abstract", "tcp://127.0.0.1:1", "tcp://[::1]:65535", "tcp://relay:5555"])
def test_endpoints_that_can_be_connected_to(good: str) -> None:
    assert check_endpoint(good) == good


@pytest.mark.parametrize(
    "bad",
    ["", "ipc://", "/run/s", "ipc://" + "x" * 108, "tcp://127.0.0.1", "tcp://*:5555", "tcp://h:0", "tcp://h:65536",
     "tcp://h:*", "inproc://x", "udp://h:1"],
)  # fmt: skip
def test_endpoints_that_cannot_be_connected_to_are_refused_at_once(bad: str) -> None:
    with pytest.raises(InvalidEndpoint):
        check_endpoint(bad)


def test_a_relay_checks_its_endpoint_when_it_is_made() -> None:
    with pytest.raises(InvalidEndpoint, match="107"):
        Relay("ipc:///" + "x" * 200)


def test_why_unreachable_tells_the_cases_apart(directory: Path) -> None:
    path = directory / "s"
    assert "no socket file" in why_unreachable(f"ipc://{path}")
    path.touch()
    assert "not a socket" in why_unreachable(f"ipc://{path}")
    path.unlink()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    assert "refused" in why_unreachable(f"ipc://{path}")
    assert "nothing answers" in why_unreachable("tcp://127.0.0.1:1")


def test_the_control_socket_follows_the_same_rule() -> None:
    assert default_control(None, {"SYNCRELAY_RUNTIME_DIR": "/run/syncrelay/"}) == "ipc:///run/syncrelay/control.sock"
    env = {"SYNCRELAY_CONTROL": "ipc:///run/c", "SYNCRELAY_RUNTIME_DIR": "/run/syncrelay"}
    assert default_control(None, env) == "ipc:///run/c"
    assert default_control("tcp://127.0.0.1:5555", env) == "ipc:///run/c"
    assert default_control(None, {"SYNCRELAY_CONTROL": ""}) == f"ipc:///tmp/syncrelay-{os.geteuid()}/control.sock"


def test_beside_a_given_socket_the_environment_does_not_count() -> None:
    env = {"SYNCRELAY_CONTROL": "ipc:///run/another", "SYNCRELAY_RUNTIME_DIR": "/run/another"}
    assert default_control("ipc:///run/mine/commands.sock", env) == "ipc:///run/mine/control.sock"


def test_a_given_control_socket_is_taken_and_checked() -> None:
    with Relay("ipc:///run/a", control="ipc:///run/b") as relay:
        assert (relay.endpoint, relay.control) == ("ipc:///run/a", "ipc:///run/b")
    with pytest.raises(InvalidEndpoint):
        Relay("ipc:///run/a", control="/run/b")
