from __future__ import annotations

import pytest

from syncrelay import RelayClosed, RelayUnavailable
from syncrelay.outbox import Outbox, Progress


class Pipe:
    """A link that takes ``room`` commands."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: list[bytes] = []

    def try_send(self, command: bytes) -> bool:
        if len(self.taken) == self.room:
            return False
        self.taken.append(command)
        return True


def test_without_a_link_commands_wait_and_nobody_is_woken() -> None:
    outbox = Outbox(10, 1000, "raise")
    assert not outbox.put(b"a")
    assert len(outbox) == 1


def test_an_open_link_gets_a_command_within_put() -> None:
    outbox, pipe = Outbox(10, 1000, "raise"), Pipe(10)
    outbox.open(pipe.try_send)
    assert not outbox.put(b"a")
    assert (pipe.taken, len(outbox), outbox.gone) == ([b"a"], 0, 1)


def test_a_full_pipe_wakes_the_thread_once_and_is_left_alone_until_opened_again() -> None:
    outbox, pipe = Outbox(10, 1000, "raise"), Pipe(1)
    outbox.open(pipe.try_send)
    assert [outbox.put(b"a"), outbox.put(b"b"), outbox.put(b"c")] == [False, True, False]
    pipe.room = 10
    assert outbox.send(10) is Progress.stuck
    outbox.open(pipe.try_send)
    assert outbox.send(10) is Progress.drained
    assert pipe.taken == [b"a", b"b", b"c"]


def test_a_backlog_goes_first_and_put_helps_with_a_few() -> None:
    outbox, pipe = Outbox(100, 1000, "raise"), Pipe(100)
    for number in range(50):
        outbox.put(b"%d" % number)
    outbox.open(pipe.try_send)
    outbox.put(b"50")
    assert 0 < len(pipe.taken) < 10
    assert outbox.send(10) is Progress.more
    assert outbox.send(100) is Progress.drained
    assert pipe.taken == [b"%d" % number for number in range(51)]


def test_a_full_queue_raises_and_keeps_what_it_has() -> None:
    by_count, by_bytes = Outbox(2, 1000, "raise"), Outbox(100, 4, "raise")
    for outbox in (by_count, by_bytes):
        outbox.put(b"aa")
        outbox.put(b"bb")
        with pytest.raises(RelayUnavailable, match="2 commands, 4 bytes"):
            outbox.put(b"cc")
        assert (len(outbox), outbox.posted, outbox.dropped) == (2, 2, 0)


def test_drop_oldest_makes_room_and_counts() -> None:
    by_count, by_bytes = Outbox(2, 1000, "drop_oldest"), Outbox(100, 4, "drop_oldest")
    for outbox in (by_count, by_bytes):
        pipe = Pipe(10)
        for command in (b"aa", b"bb", b"cc"):
            outbox.put(command)
        outbox.open(pipe.try_send)
        outbox.send(10)
        assert (pipe.taken, outbox.dropped, outbox.gone, outbox.posted) == ([b"bb", b"cc"], 1, 3, 3)


def test_drop_oldest_drops_as_many_as_one_large_command_needs() -> None:
    outbox = Outbox(100, 4, "drop_oldest")
    for command in (b"a", b"b", b"c", b"dddd"):
        outbox.put(command)
    assert (len(outbox), outbox.dropped) == (1, 3)


def test_a_closed_outbox_refuses_and_its_rest_can_be_cleared() -> None:
    outbox = Outbox(10, 1000, "raise")
    outbox.put(b"a")
    outbox.close()
    with pytest.raises(RelayClosed):
        outbox.put(b"b")
    assert (outbox.clear(), len(outbox)) == (1, 0)


def test_a_fresh_one_is_empty_with_the_same_limits() -> None:
    outbox = Outbox(1, 1000, "raise")
    outbox.put(b"a")
    fresh = outbox.fresh()
    fresh.put(b"b")
    with pytest.raises(RelayUnavailable):
        fresh.put(b"c")


def test_a_held_outbox_sends_nothing_and_wakes_the_thread_for_the_first() -> None:
    outbox, pipe, held = Outbox(10, 1000, "raise"), Pipe(10), [True]
    outbox.hold_while(lambda: bool(held))
    outbox.open(pipe.try_send)
    assert [outbox.put(b"a"), outbox.put(b"b")] == [True, False]
    assert (outbox.send(64), pipe.taken) == (Progress.held, [])
    held.clear()
    assert (outbox.send(64), pipe.taken) == (Progress.drained, [b"a", b"b"])


def test_a_held_outbox_wakes_the_thread_also_while_the_relay_is_away() -> None:
    outbox = Outbox(10, 1000, "raise")
    outbox.hold_while(lambda: True)
    assert [outbox.put(b"a"), outbox.put(b"b")] == [True, False]


def test_a_full_outbox_that_is_held_says_so() -> None:
    outbox = Outbox(1, 1000, "raise")
    outbox.hold_while(lambda: True)
    outbox.put(b"a")
    with pytest.raises(RelayUnavailable, match="wait for the relay's answer to a confirmed command that timed out"):
        outbox.put(b"b")
