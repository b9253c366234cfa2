"""Forks and exits."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

import pytest
from pull_peer import DEADLINE, PullPeer, wait_until

from syncrelay import Relay

SOURCE = Path(__file__).parent.parent / "src"


def in_fork(act: Callable[[], None]) -> None:
    """Runs ``act`` in a forked child, which must leave within the deadline and without an exception."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(int(DEADLINE))
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, timeout=DEADLINE,
    )  # fmt: skip


def values(commands: list[dict[str, object]]) -> list[object]:
    return [command["data"] for command in commands]


def test_a_forked_child_has_its_own_connection_and_the_parents_goes_on(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", "parent before")
        assert values(fake.receive()) == ["parent before"]

        def child() -> None:
            relay.broadcast("n", "child")
            relay.flush(DEADLINE)
            relay.close(DEADLINE)

        in_fork(child)
        assert values(fake.receive()) == ["child"]
        relay.broadcast("n", "parent after")
        assert values(fake.receive()) == ["parent after"]


def test_what_the_parent_had_queued_is_sent_once_by_the_parent(fake: PullPeer) -> None:
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", "parent")

        def child() -> None:
            assert relay.queued == 0
            relay.broadcast("n", "child")
            relay.close(DEADLINE)

        pid = os.fork()
        if pid == 0:
            try:
                child()
            finally:
                os._exit(0)
        fake.start()
        assert sorted(map(str, values(fake.receive(2)))) == ["child", "parent"]
        os.waitpid(pid, 0)
        relay.broadcast("n", "last")
        assert values(fake.receive()) == ["last"]


def test_a_fork_in_the_middle_of_sending_leaves_the_child_usable(fake: PullPeer) -> None:
    """Other threads hold the client's locks at some of these forks."""
    fake.start()
    stop = threading.Event()
    with Relay(fake.endpoint, when_full="drop_oldest", max_queue_commands=100) as relay:

        def hammer() -> None:
            while not stop.is_set():
                relay.broadcast("noise")

        def child() -> None:
            relay.broadcast("child")
            relay.close(DEADLINE)

        threads = [threading.Thread(target=hammer) for _ in range(2)]
        for thread in threads:
            thread.start()
        drain = threading.Thread(target=lambda: receive_until_children(fake, 20))
        drain.start()
        try:
            for _ in range(20):
                in_fork(child)
        finally:
            drain.join(DEADLINE)
            stop.set()
            for thread in threads:
                thread.join(DEADLINE)
        assert not drain.is_alive()


def test_a_fork_while_every_lock_is_held_leaves_the_child_usable(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", "parent")
        fake.receive()

        def child() -> None:
            relay.broadcast("n", "child")
            relay.close(DEADLINE)

        sender = relay._sender
        assert sender._io is not None
        with sender._start_lock, sender._outbox._lock, sender._requests._lock, sender._io._wakeup._lock:
            in_fork(child)
        assert values(fake.receive()) == ["child"]


def receive_until_children(fake: PullPeer, count: int) -> None:
    while count:
        count -= fake.receive()[0]["type"] == "child"


def test_a_multiprocessing_child_that_returns_at_once_delivers(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", "parent")
        fake.receive()
        process = multiprocessing.get_context("fork").Process(target=lambda: relay.broadcast("n", "child"))
        process.start()
        assert values(fake.receive()) == ["child"]
        process.join(DEADLINE)
        assert process.exitcode == 0


def test_a_process_that_exits_right_after_broadcast_delivers(fake: PullPeer) -> None:
    fake.start()
    script = "import sys, syncrelay\nr = syncrelay.Relay(sys.argv[1])\nfor n in range(200): r.broadcast('n', n)"
    done = python(script, fake.endpoint)
    assert (done.returncode, done.stderr) == (0, "")
    assert values(fake.receive(200)) == list(range(200))


def test_a_thread_that_outlives_main_still_delivers(fake: PullPeer) -> None:
    fake.start()
    script = (
        "import sys, threading, syncrelay\nr = syncrelay.Relay(sys.argv[1])\nr.broadcast('n', 'main')\n"
        "def late():\n  threading.main_thread().join()\n  r.broadcast('n', 'late')\nthreading.Thread(target=late).start()"
    )
    assert python(script, fake.endpoint).returncode == 0
    assert values(fake.receive(2)) == ["main", "late"]


def test_an_exit_with_the_relay_down_is_bounded_and_says_what_is_lost(endpoint: str) -> None:
    script = "import sys, syncrelay\nr = syncrelay.Relay(sys.argv[1], close_timeout=0.3)\nr.broadcast('n')"
    begin = time.monotonic()
    done = python(script, endpoint)
    assert done.returncode == 0
    assert time.monotonic() - begin < 10
    assert "closed with 1 commands unsent" in done.stderr


LAST_WORDS = {
    "registered before the first command": (
        "import atexit, sys, syncrelay\nr = syncrelay.Relay(sys.argv[1])\n"
        "atexit.register(lambda: r.broadcast('n', 'last'))\nr.broadcast('n', 'first')"
    ),
    "registered before the import": (
        "import atexit, sys\natexit.register(lambda: r.broadcast('n', 'last'))\nimport syncrelay\n"
        "r = syncrelay.Relay(sys.argv[1])\nr.broadcast('n', 'first')"
    ),
    "which sends the first command": (
        "import atexit, sys, syncrelay\nr = syncrelay.Relay(sys.argv[1])\n"
        "def late():\n  r.broadcast('n', 'first')\n  r.broadcast('n', 'last')\natexit.register(late)"
    ),
    "which imports the package": (
        "import atexit, sys, threading\ndef late():\n  import syncrelay\n  r = syncrelay.Relay(sys.argv[1])\n"
        "  r.broadcast('n', 'first')\n  r.broadcast('n', 'last')\natexit.register(late)"
    ),
}


@pytest.mark.parametrize("handler", LAST_WORDS)
def test_the_last_words_of_an_exit_handler_arrive(fake: PullPeer, handler: str) -> None:
    fake.start()
    done = python(LAST_WORDS[handler], fake.endpoint)
    assert (done.returncode, done.stderr) == (0, "")
    assert values(fake.receive(2)) == ["first", "last"]


def test_an_exit_waits_for_all_relays_at_once_and_late_words_get_what_is_left(endpoint: str) -> None:
    script = (
        "import atexit, sys\n"
        "def late():\n  for each in relays: each.broadcast('n')\n"
        "atexit.register(late)\nimport syncrelay\n"
        "relays = [syncrelay.Relay(sys.argv[1], close_timeout=1.0) for _ in range(8)]\n"
        "for each in relays: each.broadcast('n')"
    )
    begin = time.monotonic()
    done = python(script, endpoint)
    assert time.monotonic() - begin < 7, "one after the other they take 8 s"
    assert done.stderr.count("closed with 1 commands unsent") == 16


def test_importing_and_making_one_starts_nothing_and_closing_leaves_nothing(fake: PullPeer) -> None:
    script = (
        "import sys, threading, time\nimport syncrelay, syncrelay.compat\nr = syncrelay.Relay(sys.argv[1])\n"
        "def become(count):\n  end = time.monotonic() + 10\n"
        "  while threading.active_count() != count: assert time.monotonic() < end, threading.enumerate()\n"
        "assert threading.active_count() == 1\nr.broadcast('n')\nbecome(2)\nr.close(0)\nbecome(1)"
    )
    done = python(script, fake.endpoint)
    assert done.returncode == 0, done.stderr


def test_a_killed_relay_loses_nothing_that_came_while_it_was_down(fake: PullPeer) -> None:
    """A relay in a process of its own, so that kill -9 is real."""
    relay_process = subprocess.Popen(
        [sys.executable, "-c", "import sys, zmq\ns = zmq.Context().socket(zmq.PULL)\ns.bind(sys.argv[1])\n"
         "while True:\n  s.recv()\n  print('got', flush=True)", fake.endpoint],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", -1)
        assert relay_process.stdout is not None
        assert relay_process.stdout.readline() == "got\n"
        relay_process.kill()
        relay_process.wait()
        relay_process.stdout.close()
        io = relay._sender._io
        assert io is not None
        wait_until(lambda: relay._sender._outbox._try_send is None, "the client noticed")
        for number in range(100):
            relay.broadcast("n", number)
        fake.start()
        assert values(fake.receive(100)) == list(range(100))
