from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from pull_peer import PullPeer

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
    assert "refused" in why_unreachable(f"tcp://127.0.0.1:{free_port()}")
    assert "refused" in why_unreachable("ipc://@nobody-has-this-name")
    assert "nothing answers" in why_unreachable("tcp://no-name-is-looked-up.invalid:1")


def test_why_unreachable_does_not_say_that_nobody_listens_where_somebody_does(directory: Path) -> None:
    path = directory / "s"
    with socket.socket(socket.AF_UNIX) as silent, socket.create_server(("127.0.0.1", 0)) as tcp:
        silent.bind(str(path))
        silent.listen(0)
        assert "has not spoken" in why_unreachable(f"tcp://127.0.0.1:{tcp.getsockname()[1]}")
        assert "has not spoken" in why_unreachable(f"ipc://{path}")
        with socket.socket(socket.AF_UNIX) as first:
            first.setblocking(False)
            while first.connect_ex(str(path)) == 0:
                first = socket.socket(socket.AF_UNIX)
                first.setblocking(False)
            assert "does not accept" in why_unreachable(f"ipc://{path}")


def test_the_control_socket_in_the_place_of_the_command_socket_is_refused() -> None:
    for arguments in ({"endpoint": "ipc:///run/s/control.sock"}, {"endpoint": "tcp://h:1", "control": "tcp://h:1"}):
        with pytest.raises(InvalidEndpoint, match="is the relay's control socket.*--commands"):
            Relay(**arguments)  # type: ignore[arg-type]


def test_a_path_is_an_endpoint_and_anything_else_is_refused_with_its_type(directory: Path) -> None:
    with Relay(directory / "commands.sock") as relay:
        assert (relay.endpoint, relay.control) == (f"ipc://{directory}/commands.sock", f"ipc://{directory}/control.sock")
    with pytest.raises(InvalidEndpoint, match="is a int"):
        Relay(8642)  # type: ignore[arg-type]


def test_the_control_socket_follows_the_same_rule() -> None:
    assert default_control(None, {"SYNCRELAY_RUNTIME_DIR": "/run/syncrelay/"}) == "ipc:///run/syncrelay/control.sock"
    env = {"SYNCRELAY_CONTROL": "ipc:///run/c", "SYNCRELAY_RUNTIME_DIR": "/run/syncrelay"}
    assert default_control(None, env) == "ipc:///run/c"
    assert default_control("tcp://127.0.0.1:5555", env) == "ipc:///run/c"
    assert default_control(None, {"SYNCRELAY_CONTROL": ""}) == f"ipc:///tmp/syncrelay-{os.geteuid()}/control.sock"


@pytest.mark.parametrize(
    ("endpoint", "env"),
    [
        ("tcp://127.0.0.1:5555", {}),
        ("ipc://@abstract", {"SYNCRELAY_RUNTIME_DIR": "/run/syncrelay"}),
        (None, {"SYNCRELAY_COMMANDS": "tcp://relay:5555"}),
        (None, {"SYNCRELAY_COMMANDS": "ipc:///run/a/c.sock", "SYNCRELAY_RUNTIME_DIR": "/run/syncrelay"}),
        ("tcp://b:5555", {"SYNCRELAY_COMMANDS": "tcp://a:5555", "SYNCRELAY_CONTROL": "tcp://a:5556"}),
    ],
)
def test_the_control_socket_of_another_relay_is_never_guessed(endpoint: str | None, env: dict[str, str]) -> None:
    assert default_control(endpoint, env) is None


def test_the_endpoint_of_the_environment_goes_with_the_control_of_the_environment() -> None:
    env = {"SYNCRELAY_COMMANDS": "tcp://a:5555", "SYNCRELAY_CONTROL": "tcp://a:5556"}
    assert default_control(None, env) == default_control("tcp://a:5555", env) == "tcp://a:5556"
    env = {"SYNCRELAY_COMMANDS": "ipc:///run/s/commands.sock", "SYNCRELAY_RUNTIME_DIR": "/run/s"}
    assert default_control(None, env) == "ipc:///run/s/control.sock"


def test_a_relay_without_control_pushes_and_says_at_the_first_confirmed_call_what_is_missing(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SYNCRELAY_COMMANDS", "SYNCRELAY_CONTROL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SYNCRELAY_RUNTIME_DIR", str(directory))
    port = free_port()
    with PullPeer(f"tcp://127.0.0.1:{port}").start() as peer, Relay(peer.endpoint) as relay:
        assert relay.control is None
        relay.broadcast("n", 1)
        assert peer.receive()[0]["data"] == 1
        with pytest.raises(InvalidEndpoint, match=rf"the relay at tcp://127.0.0.1:{port}.*--control.*Relay\(control="):
            relay.broadcast("n", 2, confirm=True)
        with pytest.raises(InvalidEndpoint, match="control"):
            relay.state()
        relay.flush()
        assert peer.is_silent()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("url", ["http://localhost:8642", "https://h", "ws://localhost:8642/ws/sync", "wss://h/ws/sync"])
def test_the_address_for_browsers_is_refused_with_what_to_give_instead(url: str) -> None:
    for arguments in ({"endpoint": url}, {"endpoint": "ipc:///run/a", "control": url}):
        with pytest.raises(InvalidEndpoint, match="where browsers connect.*--port.*--commands.*ipc://PATH or tcp://"):
            Relay(**arguments)  # type: ignore[arg-type]


def test_beside_a_given_socket_the_environment_does_not_count() -> None:
    env = {"SYNCRELAY_CONTROL": "ipc:///run/another", "SYNCRELAY_RUNTIME_DIR": "/run/another"}
    assert default_control("ipc:///run/mine/commands.sock", env) == "ipc:///run/mine/control.sock"


def test_a_given_control_socket_is_taken_and_checked() -> None:
    with Relay("ipc:///run/a", control="ipc:///run/b") as relay:
        assert (relay.endpoint, relay.control) == ("ipc:///run/a", "ipc:///run/b")
    with pytest.raises(InvalidEndpoint):
        Relay("ipc:///run/a", control="/run/b")
