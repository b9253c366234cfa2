"""A client that subscribes and unsubscribes as fast as it can, with whatever names and positions."""

import asyncio
import contextlib
import time

import pytest

from deadline import until
from hiccups import waited
from raw_client import TEXT, frame, upgrade_request

OPEN = ("--open-channels", "room:*")
MESSAGES = 100_000
MAX_GROWTH = 16 * 2**20
MAX_MEDIAN_SECONDS = 0.05  # of a delivery to somebody else, but for what the machine makes; undisturbed it takes a fraction of a millisecond
LONG_NAME = b"n" * 900  # longer messages are read past


def subscribe(channel, rest=b""):
    return b'{"type":"sync:subscribe","channel":"%s"%s}' % (channel, rest)


def unsubscribe(channel):
    return b'{"type":"sync:unsubscribe","channel":"%s"}' % channel


def positions(*seqs):
    return [message for seq in seqs
            for message in (subscribe(b"room:1", b',"epoch":"\\u0000","seq":' + seq), unsubscribe(b"room:1"))]


FLOODS = {
    "of channels that come and go": [say(b"room:%d" % number) for number in range(50) for say in (subscribe, unsubscribe)],
    "of names that no channel can have": [subscribe(LONG_NAME), subscribe(b"\\u0000")],
    "of nonsense positions": positions(b"-1", b"1e99", b"18446744073709551616", b'"x"', b"null", b"0.5", b"[]"),
}


async def drink(reader, writer):
    while await reader.read(2**20):
        pass
    writer.close()


async def pour(relay, messages, count):
    """Returns when the relay has heard as many. Whoever reads more slowly than it asks is closed, and comes again."""
    block = b"".join(frame(TEXT, message) for message in messages)
    while (missing := count - int(heard(relay))) > 0:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(upgrade_request())
        await reader.readuntil(b"\r\n\r\n")
        drinking = asyncio.create_task(drink(reader, writer))
        with contextlib.suppress(ConnectionError):
            for _ in range(missing // len(messages) + 1):
                writer.write(block)
                await writer.drain()
        await until(lambda: heard(relay) >= count or drinking.done(), "it is heard or closed")
        drinking.cancel()
        writer.close()


def heard(relay):
    metrics = relay.metrics()
    return sum(metrics.value("client_messages_total", type=kind) for kind in ("subscribe", "unsubscribe"))


@pytest.mark.heavy
@pytest.mark.parametrize("messages", FLOODS.values(), ids=FLOODS.keys())
async def test_a_client_that_floods_costs_little_and_delays_nobody(
        start_relay, push_to, connect, memory_is_measurable, messages):
    relay = start_relay(*OPEN, "--shards", "1")
    pusher, quiet = push_to(relay), await connect(relay)
    before = relay.rss()
    count = MESSAGES // max(1, len(messages[0]) // 100)
    pouring = asyncio.create_task(pour(relay, messages, count))
    delays = []
    while not pouring.done():
        begin = time.monotonic() - waited(relay.pid)
        pusher.broadcast("tick", len(delays))
        await quiet.read_to_type("tick")
        delays.append(time.monotonic() - waited(relay.pid) - begin)
    await pouring
    assert relay.peak_rss() - before < MAX_GROWTH
    assert sorted(delays)[len(delays) // 2] < MAX_MEDIAN_SECONDS
