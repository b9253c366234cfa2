"""What is let go of goes back to the system, not only to the allocator."""

import pytest

from deadline import until

CHANNELS = 50_000
BATCH = 500  # commands
MIB = 2**20
EXPECTED_GROWTH = 30 * MIB
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
