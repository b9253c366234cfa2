"""What is let go of goes back to the system, not only to the allocator."""

import pytest

from channel_client import ChannelClient
from deadline import until
from worker import Worker

CHANNELS = 50_000
BATCH = 500  # commands
MIB = 2**20
EXPECTED_GROWTH = 30 * MIB
MESSAGES = 1_000
MESSAGE_BYTES = 60_000
MAX_SHARE_LEFT = 0.5  # where the numbers of the channels ended is remembered, and the window stays as large


def push_batches(pusher, commands):
    for begin in range(0, len(commands), BATCH):
        pusher.push({"op": "batch", "commands": commands[begin:begin + BATCH]})


@pytest.mark.heavy
async def test_the_memory_of_channels_that_were_dropped_goes_back_to_the_system(
        start_relay, push_to, peer_of, memory_is_measurable):
    relay = start_relay("--shards", "2")
    pusher, peer = push_to(relay), peer_of(relay)
    names = [f"room:{number}" for number in range(CHANNELS)]
    peer.confirm({"op": "broadcast", "type": "first"})
    before = relay.rss()
    for _ in range(2):
        push_batches(pusher, [{"op": "set", "channel": name, "key": "k", "value": "v", "notify": False}
                              for name in names])
        await until(lambda: relay.metrics().value("channels") == CHANNELS + 1, "all are there", seconds=60)
        grown = relay.rss() - before
        assert grown > EXPECTED_GROWTH
        push_batches(pusher, [{"op": "drop", "channel": name} for name in names])
        await until(lambda: relay.metrics().value("channels") == 1, "all are gone", seconds=60)
        await until(lambda: relay.rss() - before < MAX_SHARE_LEFT * grown, "the memory is back", seconds=20)


@pytest.mark.heavy
async def test_the_memory_of_messages_that_are_done_goes_back_to_the_system(start_relay, memory_is_measurable):
    relay = start_relay("--client-rate", "0", "--shards", "2", "--inbox-bytes", "1GiB")  # a tenth is one sender's
    worker, client = Worker(relay), await ChannelClient.open(relay)
    worker.look()
    before = relay.rss()
    for _ in range(MESSAGES):
        assert (await client.ask({"type": "chat:say", "text": "x" * MESSAGE_BYTES}))["type"] == "sync:ack"
    grown = relay.rss() - before
    assert grown > MESSAGES * MESSAGE_BYTES * 0.9
    events = worker.look()
    assert worker.receive(wait=1.5) == [], "the rest of the sender's waits; the relay looks at what it holds once a second"
    while events:
        worker.done(events)
        events = worker.look()
    await until(lambda: relay.rss() - before < MAX_SHARE_LEFT * grown, "the memory is back", seconds=20)
    await client.abort()
    worker.close()
