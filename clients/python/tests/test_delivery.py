from __future__ import annotations

import logging
import os
import threading
import time

import pytest
from pull_peer import DEADLINE, PullPeer, wait_until

from syncrelay import CommandTooLarge, FlushTimeout, InvalidValue, Relay, RelayClosed, RelayUnavailable


def numbers(commands: list[dict[str, int]]) -> list[int]:
    return [command["data"] for command in commands]


def wait_for_log(caplog: pytest.LogCaptureFixture, text: str) -> None:
    wait_until(lambda: any(text in message for message in caplog.messages), f"log line with {text!r}")


def test_commands_arrive_in_the_order_of_the_calls(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.set("radio", {"track": 1})
        relay.merge("radio", {"track": 2})
        relay.delete("radio")
        relay.broadcast("radio:started", {"track": 7}, set={"radio": None})
        assert fake.receive(4) == [
            {"op": "set", "key": "radio", "value": {"track": 1}},
            {"op": "merge", "key": "radio", "value": {"track": 2}},
            {"op": "delete", "key": "radio"},
            {"op": "broadcast", "type": "radio:started", "data": {"track": 7}, "set": {"radio": None}},
        ]


def test_a_long_burst_arrives_whole_and_in_order(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        for number in range(20_000):
            relay.broadcast("n", number)
        assert numbers(fake.receive(20_000)) == list(range(20_000))


def test_each_threads_commands_keep_their_order(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:

        def push(name: str) -> None:
            for number in range(2000):
                relay.broadcast(name, number)

        threads = [threading.Thread(target=push, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        commands = fake.receive(8000)
        for thread in threads:
            thread.join()
    for name in "abcd":
        assert numbers([command for command in commands if command["type"] == name]) == list(range(2000))


def test_commands_from_before_the_relays_start_arrive(fake: PullPeer) -> None:
    with Relay(fake.endpoint) as relay:
        for number in range(1000):
            relay.broadcast("n", number)
        assert relay.queued == 1000
        fake.start()
        assert numbers(fake.receive(1000)) == list(range(1000))
        relay.flush()
        assert relay.queued == 0


def test_commands_from_while_the_relay_is_away_arrive_when_it_is_back(
    fake: PullPeer, caplog: pytest.LogCaptureFixture
) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", -1)
        assert numbers(fake.receive()) == [-1]
        fake.stop()
        wait_for_log(caplog, "relay unreachable")
        for number in range(500):
            relay.broadcast("n", number)
        fake.start()
        assert numbers(fake.receive(500)) == list(range(500))
        wait_for_log(caplog, "relay reachable again")


def test_going_and_coming_back_are_one_log_line_each(
    fake: PullPeer, caplog: pytest.LogCaptureFixture
) -> None:
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", 0)
        wait_for_log(caplog, "no socket file there")
        with pytest.raises(FlushTimeout):
            relay.flush(timeout=1.5)  # some attempts to connect long
        fake.start()
        fake.receive()
        wait_for_log(caplog, "sending 1 commands that waited, 0 were dropped so far")
    lines = [record for record in caplog.records if record.name == "syncrelay" and record.levelno >= logging.WARNING]
    assert len(lines) == 2, caplog.messages
    assert fake.endpoint in lines[0].getMessage()


def test_a_relay_that_stops_reading_stops_nothing_but_the_queue(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint, max_queue_commands=10) as relay:
        accepted = push_until_stuck(relay)
        assert relay.queued == 10
        assert [command["data"][0] for command in fake.receive(accepted)] == list(range(accepted))
        wait_until(lambda: relay.queued == 0, "the queue drains")


def push_until_stuck(relay: Relay) -> int:
    """Until nothing moves any more; a queue that is full for a moment only is no sign of that."""
    accepted = 0
    while True:
        try:
            relay.broadcast("n", [accepted, "x" * 100_000])
            accepted += 1
        except RelayUnavailable:
            try:
                relay.flush(timeout=1.0)
            except FlushTimeout:
                return accepted


def test_a_full_queue_raises_at_once(endpoint: str) -> None:
    with Relay(endpoint, max_queue_commands=3, close_timeout=0) as relay:
        for number in range(3):
            relay.broadcast("n", number)
        with pytest.raises(RelayUnavailable, match="queue is full"):
            relay.broadcast("n", 3)
        assert (relay.queued, relay.dropped) == (3, 0)


def test_a_full_queue_can_drop_the_oldest_with_one_line_a_second(
    fake: PullPeer, caplog: pytest.LogCaptureFixture
) -> None:
    with Relay(fake.endpoint, when_full="drop_oldest", max_queue_commands=10) as relay:
        for number in range(1000):
            relay.broadcast("n", number)
        assert (relay.queued, relay.dropped) == (10, 990)
        fake.start()
        assert numbers(fake.receive(10)) == list(range(990, 1000))
    drops = [message for message in caplog.messages if "dropped the" in message]
    assert drops[0] == "queue full: dropped the 1 oldest commands (1 in all)"
    assert drops[-1].endswith("(990 in all)")  # close reports the rest
    assert len(drops) < 10


def test_the_queue_is_bounded_by_bytes_as_well(endpoint: str) -> None:
    with Relay(endpoint, max_queue_bytes=10_000, close_timeout=0) as relay:
        relay.broadcast("n", "x" * 9000)
        with pytest.raises(RelayUnavailable):
            relay.broadcast("n", "x" * 9000)
        with pytest.raises(CommandTooLarge):
            relay.broadcast("n", "x" * 10_000)


def test_a_refused_value_leaves_no_trace(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        with pytest.raises(InvalidValue, match=r"data\.ratings\[3\]\.score is NaN"):
            relay.broadcast("n", {"ratings": [0, 0, 0, {"score": float("nan")}]})
        relay.broadcast("n", 1)
        assert numbers(fake.receive()) == [1]


def test_flush_without_commands_returns_at_once(endpoint: str) -> None:
    with Relay(endpoint) as relay:
        relay.flush(timeout=0)


def test_flush_returns_when_all_is_with_the_relay(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        for number in range(500):
            relay.broadcast("n", number)
        relay.flush()
        assert relay.queued == 0
        assert numbers(fake.receive(500)) == list(range(500))


def test_flush_gives_up_in_time_and_loses_nothing(fake: PullPeer) -> None:
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", 1)
        begin = time.monotonic()
        with pytest.raises(FlushTimeout, match="at ipc://.*: 1 commands are still queued"):
            relay.flush(timeout=0.2)
        assert 0.2 <= time.monotonic() - begin < 5
        fake.start()
        assert numbers(fake.receive()) == [1]


def test_close_sends_what_is_queued(fake: PullPeer) -> None:
    fake.start()
    relay = Relay(fake.endpoint)
    for number in range(300):
        relay.broadcast("n", number)
    relay.close()
    assert numbers(fake.receive(300)) == list(range(300))


def test_close_does_not_hang_when_the_relay_is_down(endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    relay = Relay(endpoint)
    relay.broadcast("n", 1)
    begin = time.monotonic()
    relay.close(timeout=0.2)
    assert time.monotonic() - begin < 5
    assert any("closed with 1 commands unsent" in message and "no socket file" in message for message in caplog.messages)


def test_close_does_not_hang_after_the_relay_went_away(fake: PullPeer, caplog: pytest.LogCaptureFixture) -> None:
    fake.start()
    relay = Relay(fake.endpoint)
    relay.broadcast("n", 1)
    fake.receive()
    fake.stop()
    wait_for_log(caplog, "relay unreachable")
    relay.broadcast("n", 2)
    begin = time.monotonic()
    relay.close(timeout=0.2)
    assert time.monotonic() - begin < 5


def fill_the_pipe(relay: Relay, count: int = 20) -> None:
    """For a relay that reads nothing ahead: more than the kernel takes, less than ZeroMQ takes."""
    for number in range(count):
        relay.broadcast("n", [number, "x" * 300_000])
    relay.flush()
    assert relay.queued == 0


def test_close_sends_what_is_inside_zeromq_as_well(fake: PullPeer) -> None:
    fake.start(read_ahead=1)
    relay = Relay(fake.endpoint)
    fill_the_pipe(relay)
    thread = threading.Thread(target=relay.close, args=(DEADLINE,))
    thread.start()
    assert [command["data"][0] for command in fake.receive(20)] == list(range(20))
    thread.join(DEADLINE)
    assert not thread.is_alive()


def test_close_does_not_hang_on_a_relay_that_stopped_reading(
    fake: PullPeer, caplog: pytest.LogCaptureFixture
) -> None:
    fake.start(read_ahead=1)
    relay = Relay(fake.endpoint)
    fill_the_pipe(relay)
    begin = time.monotonic()
    relay.close(timeout=0.2)
    assert time.monotonic() - begin < 5
    assert not any("did not end in time" in message for message in caplog.messages)


def test_flush_does_not_vouch_for_what_an_absent_relay_had_under_way(
    fake: PullPeer, caplog: pytest.LogCaptureFixture
) -> None:
    fake.start(read_ahead=1)
    with Relay(fake.endpoint, close_timeout=0) as relay:
        fill_the_pipe(relay)
        fake.stop()
        wait_for_log(caplog, "relay unreachable")
        with pytest.raises(FlushTimeout, match="went away with the last ones under way"):
            relay.flush(timeout=0.2)


def test_a_closed_relay_says_so_and_can_be_closed_again(endpoint: str) -> None:
    relay = Relay(endpoint)
    relay.close()
    relay.close()
    with pytest.raises(RelayClosed):
        relay.broadcast("n")
    with pytest.raises(RelayClosed):
        relay.set("k", 1)
    with pytest.raises(RelayClosed):
        relay.flush()


def test_close_ends_a_flush_that_still_waits(endpoint: str) -> None:
    relay = Relay(endpoint)
    relay.broadcast("n", 1)
    ends: list[BaseException] = []

    def flush() -> None:
        try:
            relay.flush(timeout=30)
        except RelayClosed as error:
            ends.append(error)

    thread = threading.Thread(target=flush)
    thread.start()
    wait_until(lambda: relay._sender._io is not None and relay._sender._io._flushes, "the flush waits")
    relay.close(timeout=0)
    thread.join(10)
    assert ends


def test_close_leaves_no_thread_and_no_descriptor(fake: PullPeer) -> None:
    fake.start()

    def use() -> None:
        with Relay(fake.endpoint) as relay:
            relay.broadcast("n", 1)
            fake.receive()

    use()
    before = (threading.active_count(), len(os.listdir("/proc/self/fd")))
    for _ in range(20):
        use()
    wait_until(lambda: (threading.active_count(), len(os.listdir("/proc/self/fd"))) <= before, "all is given back")


def test_wrong_arguments_are_refused_when_it_is_made(endpoint: str) -> None:
    with pytest.raises(ValueError, match="drop_oldest"):
        Relay(endpoint, when_full="block")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="positive"):
        Relay(endpoint, max_queue_commands=0)
    with pytest.raises(TypeError, match=r"curve is a Curve\(.*\), not str"):
        Relay(endpoint, curve="backend.key")  # type: ignore[arg-type]


def test_close_says_how_much_a_hanging_relay_may_have_left_inside_zeromq(
    fake: PullPeer, caplog: pytest.LogCaptureFixture
) -> None:
    fake.start(read_ahead=1)
    relay = Relay(fake.endpoint)
    fill_the_pipe(relay)
    relay.close(timeout=0.1)
    assert f"closed with 0 commands unsent and up to 20 more inside ZeroMQ to {fake.endpoint}: the relay takes" in caplog.text
    assert len(fake.receive(1)) == 1


def test_close_says_nothing_when_zeromq_had_given_all_of_it_away(fake: PullPeer, caplog: pytest.LogCaptureFixture) -> None:
    fake.start()
    relay = Relay(fake.endpoint)
    for number in range(100):
        relay.broadcast("n", number)
    relay.flush()
    relay.close(timeout=0)
    assert "unsent" not in caplog.text
    assert numbers(fake.receive(100)) == list(range(100))


def test_any_number_of_seconds_is_a_timeout(fake: PullPeer) -> None:
    fake.start()
    relay = Relay(fake.endpoint, close_timeout=float("inf"))
    relay.broadcast("n", 1)
    relay.flush(timeout=float("inf"))
    with pytest.raises(ValueError, match="NaN"):
        relay.flush(timeout=float("nan"))
    relay.close(timeout=float("inf"))
    assert numbers(fake.receive()) == [1]
