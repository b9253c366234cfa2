"""``syncrelay.run`` and ``syncrelay.testing.relay``: a relay that ends with the process that has started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from modules import missing
from pull_peer import DEADLINE, wait_until
from real_relay import BINARY

import syncrelay
from syncrelay import Relay, RelayNotStarted, testing
from syncrelay.binary import find_binary
from syncrelay.relay_process import arguments

SOURCES = Path(syncrelay.__file__).resolve().parent.parent
STARTS = "import syncrelay.testing as t, sys; r = t.relay().__enter__(); print(r.pid, flush=True); "


@pytest.fixture(autouse=True)
def binary(monkeypatch: pytest.MonkeyPatch) -> None:
    if not BINARY.exists():
        missing(f"no relay at {BINARY}: build it, or set SYNCRELAY_BINARY")
    monkeypatch.setenv("SYNCRELAY_BINARY", str(BINARY.resolve()))
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))


def is_there(pid: int) -> bool:
    """A zombie is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_real_relay_takes_commands_and_clients_and_ends_with_its_block() -> None:
    with testing.relay(admin="127.0.0.1:0") as running:
        assert running.url == f"ws://127.0.0.1:{running.port}/ws/sync" and running.is_running
        with Relay(running.endpoint) as relay:
            assert relay.set("radio", 1, confirm=True).seq == 1
            assert relay.state() == {"comparison": None, "radio": 1}
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/health", timeout=DEADLINE) as reply:
            assert json.load(reply)["status"] == "ok"
        with urllib.request.urlopen(f"http://127.0.0.1:{running.admin_port}/metrics", timeout=DEADLINE) as reply:
            assert b"syncrelay" in reply.read()
        assert "ready" in running.log
    assert not running.is_running and running.stop() == 0 and not is_there(running.pid)


def test_relays_of_one_process_do_not_meet_and_none_hears_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCRELAY_STATE_KEY", "not_this")
    with testing.relay() as one, testing.relay(state_key=["a", "b"]) as other:
        with Relay(one.endpoint) as first, Relay(other.endpoint, control=other.control) as second:
            first.set("radio", 1, confirm=True)
            assert second.state() == {"a": None, "b": None}


def test_a_relay_without_arguments_finds_it_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with testing.relay() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        with Relay() as relay:
            assert relay.set("radio", 1, confirm=True).seq == 1


def test_run_is_told_its_options_and_hears_the_environment(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCRELAY_RUNTIME_DIR", str(directory))
    with syncrelay.run(port=0, host="127.0.0.1", data=None, state_key=["one"], token_in_url=False) as running:
        assert running.endpoint == f"ipc://{directory}/commands.sock"
        with Relay() as relay:
            assert relay.state() == {"one": None}


def test_options_stand_on_the_command_line_as_serve_takes_them() -> None:
    options = {"log_bytes": "1MiB", "data": None, "open_channels": ["a", "b*"], "compression": "off", "admin_tls": True}
    assert arguments(options) == [
        "--log-bytes=1MiB", "--open-channels=a", "--open-channels=b*", "--compression=off", "--admin-tls=true"]  # fmt: skip
    assert arguments({"data": Path("/x"), "port": 0, "token_in_url": False}) == [
        "--data=/x", "--port=0", "--token-in-url=false"]  # fmt: skip


def test_what_it_refuses_is_raised_with_its_own_words() -> None:
    with pytest.raises(RelayNotStarted, match="log-bytes"):
        with testing.relay(log_byte=1):
            pass
    with testing.relay() as running, pytest.raises(RelayNotStarted, match="ddress already in use"):
        with testing.relay(port=running.port):
            pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_when_the_process_that_started_it_is_killed(number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS + "sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(number)
    wait_until(lambda: not is_there(pid), "the relay has ended")


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise RuntimeError", "import os; os._exit(0)"])
def test_it_ends_when_that_process_exits_without_a_word(end: str) -> None:
    done = subprocess.run([sys.executable, "-c", STARTS + end], capture_output=True, text=True, timeout=DEADLINE)
    pid = int(done.stdout)
    wait_until(lambda: not is_there(pid), "the relay has ended")


def test_it_goes_on_when_the_thread_that_started_it_has_ended() -> None:
    started: list[syncrelay.RelayProcess] = []
    context = testing.relay()
    thread = threading.Thread(target=lambda: started.append(context.__enter__()))
    thread.start()
    thread.join()
    try:
        with Relay(started[0].endpoint) as relay:
            assert relay.set("radio", 1, confirm=True).seq == 1
        assert started[0].is_running
    finally:
        context.__exit__(None, None, None)


def test_a_fork_of_the_process_does_not_end_its_relay() -> None:
    with testing.relay() as running:
        child = os.fork()
        if child == 0:
            os._exit(running.stop())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert running.is_running


def test_python_m_syncrelay_is_the_program() -> None:
    command = [sys.executable, "-m", "syncrelay", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert done.stdout == subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout


def test_without_the_program_it_is_said_how_to_get_it(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNCRELAY_BINARY")
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(directory))
    with pytest.raises(RelayNotStarted, match="docs/install.md"):
        find_binary()
    (directory / "syncrelay").write_text("#!/bin/sh\n")
    (directory / "syncrelay").chmod(0o755)
    assert find_binary() == directory / "syncrelay"
