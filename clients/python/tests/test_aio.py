from __future__ import annotations

import asyncio
import time

import pytest
from pull_peer import PullPeer

from syncrelay import AsyncRelay, FlushTimeout, InvalidValue, Relay, RelayClosed, RelayUnavailable


async def longest_pause(task: asyncio.Task[object]) -> float:
    """How long the loop did not come round while ``task`` ran, in seconds."""
    longest, last = 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


async def test_it_has_the_methods_of_relay(fake: PullPeer) -> None:
    fake.start()
    async with AsyncRelay(fake.endpoint) as relay:
        await relay.set("radio", 1)
        await relay.merge("radio", {"a": 1})
        await relay.delete("radio")
        await relay.broadcast("t", [1], set={"radio": 2})
        await relay.flush()
        assert (relay.queued, relay.dropped, relay.endpoint) == (0, 0, fake.endpoint)
    assert fake.receive(4) == [
        {"op": "set", "key": "radio", "value": 1},
        {"op": "merge", "key": "radio", "value": {"a": 1}},
        {"op": "delete", "key": "radio"},
        {"op": "broadcast", "type": "t", "data": [1], "set": {"radio": 2}},
    ]


async def test_many_tasks_at_once(fake: PullPeer) -> None:
    fake.start()
    async with AsyncRelay(fake.endpoint) as relay:
        await asyncio.gather(*(relay.broadcast("n", number) for number in range(1000)))
        await relay.flush()
    assert [command["data"] for command in fake.receive(1000)] == list(range(1000))


async def test_flush_and_close_without_a_relay_do_not_block_the_loop(endpoint: str) -> None:
    relay = AsyncRelay(endpoint)
    await relay.broadcast("n", 1)

    async def flush_and_close() -> None:
        with pytest.raises(FlushTimeout, match="1 commands"):
            await relay.flush(timeout=0.4)
        await relay.close(timeout=0.4)

    begin = time.monotonic()
    task: asyncio.Task[object] = asyncio.ensure_future(flush_and_close())
    assert await longest_pause(task) < 0.3
    await task
    assert 0.8 <= time.monotonic() - begin < 10


async def test_commands_without_a_relay_do_not_block_the_loop(endpoint: str) -> None:
    relay = AsyncRelay(endpoint, when_full="drop_oldest", max_queue_commands=100)

    async def push() -> None:
        for number in range(3000):  # more than ZeroMQ would take before it blocks for ever
            await relay.broadcast("n", number)
            await asyncio.sleep(0)

    task: asyncio.Task[object] = asyncio.ensure_future(push())
    assert await longest_pause(task) < 0.3
    await task
    assert relay.dropped == 2900
    await relay.close(timeout=0)


async def test_a_full_queue_raises(endpoint: str) -> None:
    async with AsyncRelay(endpoint, max_queue_commands=1, close_timeout=0) as relay:
        await relay.broadcast("n", 1)
        with pytest.raises(RelayUnavailable):
            await relay.broadcast("n", 2)


async def test_a_bad_value_raises_with_its_path(endpoint: str) -> None:
    async with AsyncRelay(endpoint) as relay:
        with pytest.raises(InvalidValue, match="data.score is NaN"):
            await relay.broadcast("n", {"score": float("nan")})


async def test_a_cancelled_flush_leaves_the_client_usable(fake: PullPeer) -> None:
    async with AsyncRelay(fake.endpoint) as relay:
        await relay.broadcast("n", 1)
        flush = asyncio.ensure_future(relay.flush(timeout=30))
        await asyncio.sleep(0)
        flush.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flush
        fake.start()
        await relay.flush()
        assert fake.receive()[0]["data"] == 1


async def test_a_closed_one_says_so(endpoint: str) -> None:
    relay = AsyncRelay(endpoint)
    await relay.close()
    await relay.close()
    with pytest.raises(RelayClosed):
        await relay.broadcast("n")
    with pytest.raises(RelayClosed):
        await relay.flush()


async def test_it_can_share_the_order_of_a_relay(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        both = AsyncRelay(relay=relay)
        for number in range(0, 100, 2):
            relay.broadcast("n", number)
            await both.broadcast("n", number + 1)
        assert [command["data"] for command in fake.receive(100)] == list(range(100))


def test_one_client_serves_one_loop_after_another(fake: PullPeer) -> None:
    fake.start()
    relay = AsyncRelay(fake.endpoint)

    async def push(number: int) -> None:
        await relay.broadcast("n", number)
        await relay.flush()

    asyncio.run(push(1))
    asyncio.run(push(2))
    asyncio.run(relay.close())
    assert [command["data"] for command in fake.receive(2)] == [1, 2]
