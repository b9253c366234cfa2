"""Confirmed commands and queries, against the real relay."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import threading
import time
from typing import Any, Callable

import pytest
from pull_peer import DEADLINE, wait_until
from real_relay import RealRelay

from syncrelay import (
    AnswerTimeout,
    AsyncRelay,
    CommandRejected,
    ConfirmTimeout,
    InvalidValue,
    Position,
    Relay,
    RelayClosed,
)


def test_a_confirmed_command_returns_its_position(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        first = relay.broadcast("t", 1, confirm=True)
        assert (first.seq, first.duplicate, len(first.epoch)) == (1, False, 16)
        assert relay.set("radio", 7, notify=False, confirm=True) == first  # sends no event, so the position stays
        assert relay.merge("radio", {"a": 1}, confirm=True).seq == 2
        assert relay.delete("radio", notify=False, confirm=True).seq == 2
        assert relay.broadcast("t", set={"radio": 8}, confirm=True) == Position(first.epoch, 3)
        assert relay.state() == {"comparison": None, "radio": 8}
    assert [event["type"] for event in real.log(first.epoch)] == ["t", "sync:merge", "t"]


def test_a_repeated_id_takes_effect_once(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        first = relay.broadcast("t", 1, confirm=True, id="verdict-17")
        relay.broadcast("t", 2, confirm=True)
        again = relay.broadcast("t", 1, confirm=True, id="verdict-17")
        assert (again, again.duplicate) == (first, True)
        relay.broadcast("t", 1, id="verdict-17")  # unconfirmed, too
        assert relay.stats()["seq"] == 2


def test_queries_tell_what_the_relay_has(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        relay.set("radio", {"track": 7}, notify=False)
        assert relay.state("radio") == {"track": 7}
        assert relay.state("comparison") is None
        assert relay.state("never set") is None
        assert relay.clients() == []
        stats = relay.stats()
        assert (stats["seq"], stats["clients"], stats["state_keys"]) == (0, 0, 2)
        with listening(real):
            wait_until(lambda: relay.clients(), "the client is listed")
            (client,) = relay.clients()
            assert (client.address.split(":")[0], client.lag) == ("127.0.0.1", 0)
            assert abs(client.since - time.time()) < 60 and 0 <= client.last_pong < 60
            assert relay.broadcast("t", confirm=True).clients == 1


class listening:
    """A WebSocket client that stays until the block ends."""

    def __init__(self, real: RealRelay) -> None:
        self._url = f"ws://127.0.0.1:{real.port}/ws/sync"
        self._leave = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._stay()))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        self._thread.join(DEADLINE)

    async def _stay(self) -> None:
        import websockets

        async with websockets.connect(self._url):
            await asyncio.get_running_loop().run_in_executor(None, self._leave.wait)


def test_a_rejection_has_the_relays_code_and_offset(real: RealRelay) -> None:
    real.options = ("--max-state", "1000", "--max-command", "5000")
    real.start()
    with Relay(real.endpoint) as relay:
        with pytest.raises(CommandRejected) as big:
            relay.set("k", "x" * 2000, confirm=True)
        assert (big.value.code, big.value.offset) == ("state_full", 0)
        with pytest.raises(CommandRejected) as larger:
            relay.set("k", "x" * 6000, confirm=True, id="i")
        assert (larger.value.code, larger.value.offset) == ("too_large", 5000)
        assert str(larger.value).startswith("too_large: ")
        assert relay.set("k", 1, confirm=True, id="i").duplicate is False  # a refused id is free


def test_a_bad_value_or_id_never_leaves_the_process(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        with pytest.raises(InvalidValue, match="data is NaN"):
            relay.broadcast("t", float("nan"), confirm=True)
        for id in ("", "x" * 129, "ä" * 65):
            with pytest.raises(InvalidValue, match="^id .* 1 to 128 are possible"):
                relay.broadcast("t", id=id)
        assert relay.broadcast("t", confirm=True, id="x" * 128).seq == 1


def test_confirmed_commands_and_queries_come_after_the_unconfirmed_ones(durable: RealRelay) -> None:
    """A relay that gathers batches takes the control socket's commands first: it does overtake without a barrier."""
    durable.start()
    with Relay(durable.endpoint) as relay:
        for round in range(10):
            for number in range(2000):
                relay.set("radio", [round, number], notify=False)
            assert relay.state("radio") == [round, 1999]
            for number in range(2000):
                relay.broadcast("n", number)
            assert relay.broadcast("confirmed", confirm=True).seq == (round + 1) * 2001
        log = durable.log(relay.stats()["epoch"])
    assert [event["data"] for event in log] == [*range(2000), None] * 10


def test_with_the_relay_down_a_confirmed_call_ends_in_time_and_had_no_effect(endpoint: str) -> None:
    with Relay(endpoint, close_timeout=0) as relay:
        begin = time.monotonic()
        with pytest.raises(ConfirmTimeout, match="within 0.3 s: no socket file.*not sent and has no effect") as error:
            relay.set("k", 1, confirm=True, timeout=0.3)
        assert 0.3 <= time.monotonic() - begin < 5
        assert error.value.sent is False
        copy = pickle.loads(pickle.dumps(error.value))
        assert (str(copy), copy.id, copy.sent) == (str(error.value), error.value.id, False)
        with pytest.raises(AnswerTimeout, match="no socket file"):
            relay.state(timeout=0.1)


def test_what_timed_out_unsent_is_not_sent_later(real: RealRelay) -> None:
    with Relay(real.endpoint) as relay:
        with pytest.raises(ConfirmTimeout):
            relay.broadcast("late", confirm=True, timeout=0.2)
        real.start()
        assert relay.broadcast("next", confirm=True, timeout=DEADLINE).seq == 1


def test_a_confirmed_call_waits_for_the_relay_to_come(real: RealRelay) -> None:
    with Relay(real.endpoint) as relay:
        starter = threading.Thread(target=real.start)
        starter.start()
        assert relay.broadcast("t", confirm=True, timeout=DEADLINE).seq == 1
        starter.join()


def test_a_timeout_with_the_command_under_way_can_be_repeated_with_its_id(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        relay.stats()
        real.freeze()
        with pytest.raises(ConfirmTimeout, match="it is there, but busy, .*; the command may or may not") as error:
            relay.broadcast("t", confirm=True, timeout=0.2)
        assert error.value.sent is True and error.value.id in str(error.value)
        real.thaw()
        again = relay.broadcast("t", confirm=True, id=error.value.id)
        assert (again.seq, again.duplicate) == (1, True)
        assert relay.stats()["seq"] == 1


def confirm_all(relay: Relay, name: str, count: int, confirmed: dict[tuple[str, int], Position]) -> None:
    for number in range(count):
        confirmed[name, number] = relay.broadcast(name, number, confirm=True, timeout=2 * DEADLINE)


def check_each_once(log: list[dict[str, Any]], confirmed: dict[tuple[str, int], Position]) -> None:
    seen = {(event["type"], event["data"]): event["seq"] for event in log}
    assert len(seen) == len(log), "an event is there twice"
    assert seen == {what: position.seq for what, position in confirmed.items()}
    for name in {event["type"] for event in log}:
        numbers = [event["data"] for event in log if event["type"] == name]
        assert numbers == sorted(numbers)


def crash_while(durable: RealRelay, confirmed: dict[Any, Position], total: int, crashes: int) -> None:
    """Kills and restarts the relay ``crashes`` times, spread over the confirmations."""
    for crash in range(1, crashes + 1):
        goal = total * crash // (crashes + 1)
        wait_until(lambda: len(confirmed) >= goal, f"{goal} confirmations")
        durable.kill()
        durable.start()


def test_each_of_several_threads_commands_takes_effect_once_across_crashes(durable: RealRelay) -> None:
    durable.start()
    confirmed: dict[tuple[str, int], Position] = {}
    with Relay(durable.endpoint) as relay:
        threads = [threading.Thread(target=confirm_all, args=(relay, name, 150, confirmed)) for name in "abcd"]
        for thread in threads:
            thread.start()
        crash_while(durable, confirmed, 600, crashes=5)
        for thread in threads:
            thread.join(2 * DEADLINE)
        assert len(confirmed) == 600
        assert len({position.epoch for position in confirmed.values()}) == 1
        check_each_once(durable.log(relay.stats()["epoch"]), confirmed)


async def test_each_of_many_tasks_commands_takes_effect_once_across_crashes(durable: RealRelay) -> None:
    durable.start()
    confirmed: dict[tuple[str, int], Position] = {}
    async with AsyncRelay(durable.endpoint) as relay:

        async def confirm(task: int) -> None:
            for number in range(20):
                position = await relay.broadcast(str(task), number, confirm=True, timeout=2 * DEADLINE)
                confirmed[str(task), number] = position

        crasher = threading.Thread(target=crash_while, args=(durable, confirmed, 1000, 3))
        crasher.start()
        await asyncio.gather(*map(confirm, range(50)))
        crasher.join(DEADLINE)
        check_each_once(await durable.read_log((await relay.stats())["epoch"]), confirmed)


def test_unconfirmed_and_confirmed_keep_their_order_across_a_crash(durable: RealRelay) -> None:
    """What was pushed to a relay that is killed may be lost; what arrives is in order all the same."""
    durable.start()
    confirmed: dict[int, Position] = {}
    with Relay(durable.endpoint) as relay:
        epoch = relay.stats()["epoch"]

        def mix() -> None:
            for number in range(0, 400, 2):
                relay.broadcast("n", number)
                confirmed[number + 1] = relay.broadcast("n", number + 1, confirm=True, timeout=2 * DEADLINE)

        thread = threading.Thread(target=mix)
        thread.start()
        crash_while(durable, confirmed, 200, crashes=3)
        thread.join(2 * DEADLINE)
        numbers = [event["data"] for event in durable.log(epoch)]
    assert numbers == sorted(set(numbers))
    assert set(range(1, 400, 2)) <= set(numbers)


async def test_the_async_variant_does_the_same(real: RealRelay) -> None:
    real.start()
    async with AsyncRelay(real.endpoint) as relay:
        assert relay.control == real.control
        assert (await relay.set("radio", 1, confirm=True)).seq == 1
        assert (await relay.merge("radio", {"a": 1}, confirm=True)).seq == 2
        assert (await relay.delete("k", notify=False, confirm=True)).seq == 2
        assert (await relay.broadcast("t", confirm=True, id="i")).seq == 3
        assert (await relay.broadcast("t", confirm=True, id="i")).duplicate
        assert await relay.state() == {"comparison": None, "radio": {"a": 1}}
        assert await relay.state("radio") == {"a": 1}
        assert await relay.clients() == []
        assert (await relay.stats())["seq"] == 3


async def test_waiting_for_an_answer_does_not_block_the_loop(endpoint: str) -> None:
    async with AsyncRelay(endpoint, close_timeout=0) as relay:
        waiting = asyncio.ensure_future(relay.set("k", 1, confirm=True, timeout=1.0))
        longest, last = 0.0, time.monotonic()
        while not waiting.done():
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
        assert longest < 0.5
        with pytest.raises(ConfirmTimeout, match="has no effect"):
            await waiting


async def test_a_cancelled_task_stops_the_sending(real: RealRelay) -> None:
    async with AsyncRelay(real.endpoint) as relay:
        task = asyncio.ensure_future(relay.broadcast("cancelled", confirm=True, timeout=DEADLINE))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        real.start()
        assert (await relay.broadcast("next", confirm=True, timeout=DEADLINE)).seq == 1


def test_close_ends_those_who_wait(endpoint: str) -> None:
    relay = Relay(endpoint)
    ends: list[BaseException] = []

    def confirm() -> None:
        try:
            relay.set("k", 1, confirm=True, timeout=DEADLINE)
        except RelayClosed as error:
            ends.append(error)

    thread = threading.Thread(target=confirm)
    thread.start()
    wait_until(lambda: len(relay._sender._requests) == 1, "the call waits")
    relay.close(timeout=0)
    thread.join(DEADLINE)
    assert ends
    with pytest.raises(RelayClosed):
        relay.state()


def test_close_first_gets_the_answers_that_are_due(real: RealRelay) -> None:
    real.start()
    relay = Relay(real.endpoint)
    relay.stats()
    real.freeze()
    positions: list[Position] = []
    thread = threading.Thread(target=lambda: positions.append(relay.broadcast("t", confirm=True, timeout=DEADLINE)))
    thread.start()
    wait_until(lambda: len(relay._sender._requests) == 1, "the call waits")
    closer = threading.Thread(target=relay.close, args=(DEADLINE,))
    closer.start()
    wait_until(lambda: relay._sender._outbox.closed, "close has begun")
    real.thaw()
    closer.join(DEADLINE)
    thread.join(DEADLINE)
    assert [position.seq for position in positions] == [1]


def in_forked_child(act: Callable[[], None]) -> None:
    begin_forked_child(act)()


def begin_forked_child(act: Callable[[], None]) -> Callable[[], None]:
    """Returns what waits for the child's good end."""
    process = multiprocessing.get_context("fork").Process(target=act)
    process.start()

    def end() -> None:
        process.join(DEADLINE)
        assert process.exitcode == 0

    return end


def test_a_forked_child_asks_over_a_connection_of_its_own(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        relay.broadcast("parent", confirm=True)

        def child() -> None:
            relay.set("k", "child", notify=False)
            assert relay.broadcast("child", confirm=True).seq == 2
            assert relay.state("k") == "child"

        in_forked_child(child)
        assert relay.broadcast("parent", confirm=True).seq == 3


def test_a_fork_while_others_wait_leaves_both_sides_usable(real: RealRelay) -> None:
    with Relay(real.endpoint) as relay:
        positions: list[Position] = []
        thread = threading.Thread(target=lambda: positions.append(relay.broadcast("t", confirm=True, timeout=DEADLINE)))
        thread.start()
        requests = relay._sender._requests
        wait_until(lambda: len(requests) == 1, "the call waits")

        def child() -> None:
            relay.broadcast("t", confirm=True, timeout=DEADLINE)
            assert len(relay._sender._requests) == 0

        with requests._lock:
            end = begin_forked_child(child)
        real.start()  # by the parent, who ends it
        end()
        thread.join(DEADLINE)
        assert len(positions) == 1
        assert relay.stats()["seq"] == 2
