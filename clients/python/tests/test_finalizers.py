"""The collector may run anywhere, and what it ends may push, wait and close."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable, Iterator

import pytest
from pull_peer import DEADLINE, PullPeer, wait_until
from test_exits import SOURCE

from syncrelay import Relay, RelayUnavailable
from syncrelay.outbox import Outbox, Progress
from syncrelay.testing import FakeRelay


class Dying:
    """Garbage that only the collector finds; its finalizer calls ``act``."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.me = self
        self.act = act

    def __del__(self) -> None:
        self.act()


@pytest.fixture
def hasty_collector() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(1)
    yield
    gc.set_threshold(*before)


def in_time(act: Callable[[], object]) -> None:
    """A deadlock must not take the tests with it."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    assert not thread.is_alive(), "it waits for itself"


def test_finalizers_that_push_in_the_midst_of_a_push_stop_nothing_and_lose_nothing(
    fake: PullPeer, hasty_collector: None
) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:

        def push() -> None:
            for number in range(2000):
                Dying(lambda number=number: relay.broadcast("gone", number))  # type: ignore[misc]
                relay.broadcast("x", number)

        in_time(push)
        gc.collect()
        commands = fake.receive(4000)
    for name in ("x", "gone"):
        numbers = [command["data"] for command in commands if command["type"] == name]
        assert sorted(numbers) == list(range(2000))
        assert name == "gone" or numbers == list(range(2000))


def interrupting(outbox: Outbox, act: Callable[[], object]) -> Callable[[bytes], bool]:
    """A link in whose midst a finalizer runs, once."""
    acts = [act]

    def try_send(command: bytes) -> bool:
        if acts:
            acts.pop()()
        sent.append(command)
        return True

    sent: list[bytes] = []
    outbox.open(try_send)
    outbox.sent = sent  # type: ignore[attr-defined]
    return try_send


def test_what_is_put_in_the_midst_of_a_put_goes_right_after_it() -> None:
    outbox = Outbox(10, 1000, "raise")
    interrupting(outbox, lambda: [outbox.put(b"b"), outbox.put(b"c")])
    in_time(lambda: outbox.put(b"a"))
    assert outbox.sent == [b"a", b"b", b"c"]  # type: ignore[attr-defined]
    assert (len(outbox), outbox.posted, outbox.gone) == (0, 3, 3)


def test_what_is_put_in_the_midst_of_the_io_threads_sending_is_more_to_send() -> None:
    outbox = Outbox(10, 1000, "raise")
    outbox.put(b"a")
    interrupting(outbox, lambda: outbox.put(b"b"))
    progress: list[Progress] = []
    in_time(lambda: progress.append(outbox.send(10)))
    assert progress == [Progress.more]
    assert outbox.sent == [b"a", b"b"]  # type: ignore[attr-defined]


def test_the_bounds_hold_for_finalizers_as_well() -> None:
    refusing, dropping = Outbox(3, 1000, "raise"), Outbox(3, 1000, "drop_oldest")
    refused: list[bytes] = []

    def put_many(outbox: Outbox) -> None:
        for command in (b"b", b"c", b"d", b"e"):
            try:
                outbox.put(command)
            except RelayUnavailable:
                refused.append(command)

    for outbox in (refusing, dropping):
        interrupting(outbox, lambda outbox=outbox: put_many(outbox))  # type: ignore[misc]
        in_time(lambda outbox=outbox: outbox.put(b"a"))  # type: ignore[misc]
    assert refusing.sent == [b"a", b"b", b"c"] and refused == [b"d", b"e"]  # type: ignore[attr-defined]
    assert dropping.sent == [b"a", b"d", b"e"] and dropping.dropped == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("lock", ["_outbox", "_requests", "_start_lock"])
def test_a_finalizer_that_wants_to_wait_in_the_midst_of_a_call_is_refused_at_once(fake: PullPeer, lock: str) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", 1)
        held = getattr(relay._sender, lock)
        with getattr(held, "_lock") if lock != "_start_lock" else held:
            for call in (relay.stats, relay.flush, lambda: relay.set("k", 1, confirm=True)):
                with pytest.raises(RelayUnavailable, match="finalizer"):
                    call()
            relay.close()  # does not wait
        relay.close()


def test_a_finalizer_in_the_midst_of_the_start_does_not_start_another_thread(fake: PullPeer, hasty_collector: None) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        before = threading.active_count()
        with relay._sender._start_lock:
            relay._sender.post(b'{"op":"broadcast","type":"n","data":1}')
            assert threading.active_count() == before
        relay.broadcast("n", 2)
        wait_until(lambda: threading.active_count() == before + 1, "one has begun")
        assert [command["data"] for command in fake.receive(2)] == [1, 2]


def test_a_fake_relay_bears_finalizers_that_push(hasty_collector: None) -> None:
    relay = FakeRelay()

    def push() -> None:
        for number in range(50):
            Dying(lambda: relay.broadcast("gone"))
            relay.broadcast("x", number)

    in_time(push)
    gc.collect()
    assert len(relay.events) == 100
    assert [event["seq"] for event in relay.events] == list(range(1, 101))


def script(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text, *arguments], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True,
        timeout=DEADLINE,
    )  # fmt: skip


def test_a_first_command_from_a_finalizer_at_the_interpreters_end_is_an_error_and_not_a_hang(fake: PullPeer) -> None:
    fake.start()
    text = (
        "import sys, syncrelay\n"
        "class Last:\n"
        "  def __init__(self): self.relay = syncrelay.Relay(sys.argv[1])\n"
        "  def __del__(self):\n"
        "    try: self.relay.broadcast('n')\n"
        "    finally: self.relay.close()\n"
        "last = Last()\n"
    )
    done = script(text, fake.endpoint)
    assert done.returncode == 0 and "the interpreter is shutting down" in done.stderr


def test_a_relay_that_is_dropped_delivers_and_ends(fake: PullPeer, directory: Path) -> None:
    fake.start()
    before = threading.active_count()
    for number in range(10):
        Relay(fake.endpoint).broadcast("n", number)
    assert sorted(command["data"] for command in fake.receive(10)) == list(range(10))
    wait_until(lambda: threading.active_count() <= before, "their threads have ended")


def test_a_program_that_drops_its_relay_and_ends_still_delivers(fake: PullPeer) -> None:
    fake.start()
    done = script("import sys, syncrelay\nfor n in range(5): syncrelay.Relay(sys.argv[1]).broadcast('n', n)", fake.endpoint)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(command["data"] for command in fake.receive(5)) == list(range(5))
