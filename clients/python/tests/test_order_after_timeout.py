"""A confirmed command that timed out may take effect yet, but never after what the same Relay was called with later."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterator

import pytest
from cutting_proxy import CuttingProxy
from pull_peer import DEADLINE, PullPeer, wait_until
from real_relay import RealRelay
from router_peer import RouterPeer

from syncrelay import AnswerTimeout, AsyncRelay, ConfirmTimeout, FlushTimeout, Relay, RelayClosed, RelayUnavailable

ROUNDS = 20


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def time_out(call: Callable[..., Any], *arguments: Any, **options: Any) -> ConfirmTimeout:
    with pytest.raises(ConfirmTimeout) as error:
        call(*arguments, confirm=True, timeout=0.1, **options)
    return error.value


def check_no_overwrite(real: RealRelay, relay: Relay, timed_out: list[str]) -> None:
    """Of each round the late command and the later one; a late one that came behind has overwritten."""
    log = [event["data"] for event in real.log(relay.stats()["epoch"]) if event["type"] == "t"]
    places = {data: place for place, data in enumerate(log)}
    assert len(places) == len(log), "a command took effect twice"
    for round in range(ROUNDS):
        assert places.get(f"late {round}", -1) < places[f"later {round}"], (round, log)
    assert relay.state("k") == f"later {ROUNDS - 1}"
    assert set(log) <= {*timed_out, *(f"later {round}" for round in range(ROUNDS))}


@pytest.mark.parametrize("confirm", [False, True], ids=["unconfirmed", "confirmed"])
def test_a_frozen_relay_never_has_a_later_command_overwritten(
    durable: RealRelay, pool: ThreadPoolExecutor, confirm: bool
) -> None:
    durable.start()
    late: list[str] = []
    under_way = 0
    with Relay(durable.endpoint) as relay:
        for round in range(ROUNDS):
            relay.broadcast("start", confirm=True, timeout=DEADLINE)
            relay.flush(DEADLINE)
            durable.freeze()
            late.append(f"late {round}")
            under_way += time_out(relay.broadcast, "t", late[-1], set={"k": late[-1]}).sent
            later = {"type": "t", "data": f"later {round}", "set": {"k": f"later {round}"}}
            call = pool.submit(lambda: relay.broadcast(**later, confirm=confirm, timeout=DEADLINE))
            if not confirm:
                call.result(DEADLINE)
            durable.thaw()
            call.result(DEADLINE)
        assert under_way > 0
        check_no_overwrite(durable, relay, late)


async def test_the_async_relay_keeps_that_order_too(durable: RealRelay) -> None:
    durable.start()
    async with AsyncRelay(durable.endpoint) as relay:
        for round in range(ROUNDS):
            await relay.broadcast("start", confirm=True, timeout=DEADLINE)
            durable.freeze()
            with pytest.raises(ConfirmTimeout):
                await relay.set("k", "late", confirm=True, timeout=0.1)
            await relay.set("k", round)
            durable.thaw()
            assert await relay.state("k", timeout=DEADLINE) == round


async def test_a_cancelled_task_leaves_the_same_order(durable: RealRelay) -> None:
    durable.start()
    async with AsyncRelay(durable.endpoint) as relay:
        for round in range(ROUNDS):
            await relay.broadcast("start", confirm=True, timeout=DEADLINE)
            durable.freeze()
            task = asyncio.ensure_future(relay.set("k", "late", confirm=True, timeout=DEADLINE))
            requests = relay._sender._requests
            while not (len(requests) == 1 and requests.next() is None):
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await relay.set("k", round)
            durable.thaw()
            assert await relay.state("k", timeout=DEADLINE) == round


def test_a_connection_that_breaks_while_the_relay_is_frozen_changes_nothing(
    durable: RealRelay, pool: ThreadPoolExecutor
) -> None:
    """The old connection's command still lies in the relay when the new connection's arrive."""
    durable.start()
    with CuttingProxy(durable.control) as proxy, Relay(durable.endpoint, control=proxy.endpoint) as relay:
        late: list[str] = []
        under_way = 0
        for round in range(ROUNDS):
            relay.broadcast("start", confirm=True, timeout=DEADLINE)
            durable.freeze()
            late.append(f"late {round}")
            under_way += time_out(relay.broadcast, "t", late[-1], set={"k": late[-1]}).sent
            proxy.cut()
            later = {"type": "t", "data": f"later {round}", "set": {"k": f"later {round}"}}
            call = pool.submit(lambda: relay.broadcast(**later, confirm=round % 2 > 0, timeout=DEADLINE))
            if round % 2 == 0:
                call.result(DEADLINE)
            durable.thaw()
            call.result(DEADLINE)
        assert under_way > 0
        check_no_overwrite(durable, relay, late)


def test_what_is_pushed_later_waits_for_the_answer(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        relay.set("k", "early")
        fake.receive()
        doubted = unanswered(relay, control, fake, "late")
        for number in range(3):
            relay.set("k", number)
        with pytest.raises(FlushTimeout, match="3 commands are still queued.*that timed out"):
            relay.flush(0.3)
        assert fake.is_silent()
        control.answer(doubted)
        assert [each["value"] for each in fake.receive(3)] == [0, 1, 2]
        relay.set("k", 3)
        assert fake.receive()[0]["value"] == 3


def unanswered(relay: Relay, control: RouterPeer, fake: PullPeer, value: object) -> list[bytes]:
    """A confirmed command whose caller gives up when it is under way. Returns the envelope to answer it."""
    request = relay._sender.request(relay._encoder.set("k", value, False, "doubted"), "doubted")
    while True:
        envelope, command = control.receive()
        if command["op"] == "set":
            break
        fake.receive()
        control.answer(envelope, duplicate=True)
    request.answer.cancel()
    assert relay._sender.in_doubt
    return envelope



def test_a_refused_command_lets_the_later_ones_go(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        doubted = unanswered(relay, control, fake, "late")
        relay.set("k", "later")
        control.answer(doubted, ok=False, error={"code": "storage_full", "message": "no space", "offset": 0})
        assert fake.receive()[0]["value"] == "later"


def test_over_the_next_connection_it_goes_first(
    endpoint: str, control: RouterPeer, fake: PullPeer, pool: ThreadPoolExecutor
) -> None:
    fake.start()
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        unanswered(relay, control, fake, "late")
        control.stop()
        wait_until(lambda: not relay._sender._io.answers, "the loss is noticed")
        control.start()
        call = pool.submit(lambda: relay.set("k", "later", confirm=True, timeout=DEADLINE))
        for value in ("late", "later"):
            envelope, request = control.receive()
            assert request["value"] == value
            control.answer(envelope)
        call.result(DEADLINE)


def test_nothing_is_sent_again_while_nobody_wants_anything_behind_it(
    endpoint: str, control: RouterPeer, fake: PullPeer
) -> None:
    fake.start()
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        unanswered(relay, control, fake, "late")
        control.stop()
        wait_until(lambda: not relay._sender._io.answers, "the loss is noticed")
        control.start()
        assert control.is_silent(0.5)
        relay.set("k", "later")
        envelope, request = control.receive()
        assert request["value"] == "late"
        control.answer(envelope)
        assert fake.receive()[0]["value"] == "later"


def test_a_relay_that_stays_away_holds_nobody_for_ever(
    endpoint: str, control: RouterPeer, fake: PullPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncrelay.control.DOUBT_LIMIT", 0.5)
    fake.start()
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        unanswered(relay, control, fake, "late")
        control.stop()
        relay.set("k", "later")
        assert fake.receive()[0]["value"] == "later"
        control.start()
        assert control.is_silent(0.3)


def test_a_command_that_timed_out_before_it_was_sent_is_withdrawn(
    endpoint: str, control: RouterPeer, fake: PullPeer
) -> None:
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        relay.set("k", "early")  # nobody takes it, so that the confirmed one is not sent
        assert not time_out(relay.set, "k", "late").sent
        relay.set("k", "later")
        fake.start()
        values = [each.get("value") for each in fake.receive(3) if each["op"] == "set"]
        assert values == ["early", "later"]
        assert control.is_silent(0.3)


def test_a_query_that_timed_out_holds_nobody(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        with pytest.raises(AnswerTimeout):
            relay.state(timeout=0.2)
        control.receive()
        relay.set("k", 1)
        assert fake.receive()[0]["value"] == 1


def test_the_queue_stays_bounded_and_says_what_it_waits_for(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, max_queue_commands=2, close_timeout=0) as relay:
        unanswered(relay, control, fake, "late")
        relay.set("k", 1)
        relay.set("k", 2)
        with pytest.raises(RelayUnavailable, match="2 commands.*a confirmed command that timed out"):
            relay.set("k", 3)
        with pytest.raises(AnswerTimeout, match="a confirmed command that timed out"):
            relay.state(timeout=0.2)


def test_a_close_that_cuts_a_call_off_says_whether_it_may_have_taken_effect(
    fake: PullPeer, control: RouterPeer, pool: ThreadPoolExecutor
) -> None:
    fake.start()
    control.start()
    relay = Relay(fake.endpoint)
    call = pool.submit(lambda: relay.set("k", 1, confirm=True, timeout=DEADLINE, id="i"))
    control.receive()
    relay.close(timeout=0)
    with pytest.raises(RelayClosed, match="may or may not have taken effect.*id='i'"):
        call.result(DEADLINE)


def test_a_close_that_cuts_a_call_off_says_that_it_was_not_sent(endpoint: str, pool: ThreadPoolExecutor) -> None:
    relay = Relay(endpoint)
    call = pool.submit(lambda: relay.set("k", 1, confirm=True, timeout=DEADLINE))
    wait_until(lambda: len(relay._sender._requests) == 1, "the call waits")
    relay.close(timeout=0)
    with pytest.raises(RelayClosed, match="was not sent and has no effect"):
        call.result(DEADLINE)


def test_close_does_not_wait_for_a_command_that_nobody_waits_for(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    relay = Relay(fake.endpoint)
    unanswered(relay, control, fake, "late")
    closer = threading.Thread(target=relay.close, args=(10 * DEADLINE,))
    closer.start()
    closer.join(DEADLINE)
    assert not closer.is_alive()


def test_a_forked_child_does_not_wait_for_its_parents_answers(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        unanswered(relay, control, fake, "late")
        relay.set("k", "parent")

        def child() -> None:
            relay.set("k", "child")
            relay.flush(DEADLINE)

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(DEADLINE)
        assert process.exitcode == 0
        assert fake.receive()[0]["value"] == "child"


def test_a_barrier_that_a_broken_connection_cut_off_is_not_queued_again(endpoint: str, control: RouterPeer) -> None:
    """The relay's pushes are away while its control socket comes and goes: the queue must not grow by that."""
    control.start()
    with Relay(endpoint, close_timeout=0) as relay:
        relay.set("k", 1)
        relay._sender.request(json.dumps({"op": "state"}).encode())
        io = relay._sender._io
        for _ in range(10):
            wait_until(lambda: io.answers and relay.queued >= 2, "the barrier is up")
            control.stop()
            wait_until(lambda: not io.answers, "the loss is noticed")
            control.start()
        assert relay.queued == 2

