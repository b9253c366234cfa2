"""A relay that is far from Redis, so that much takes its time."""

import pytest

from deadline import wait_until
from slow_link import SlowLink

# Entries of 5 kB, as relays write them.
MANY_ENTRIES = """
for batch = 1, ARGV[1] do
  redis.call('XADD', KEYS[2], '*', 'v', '1', 'k', 'l', 'g', redis.call('HGET', KEYS[1], 'generation'),
             'n', redis.call('HINCRBY', KEYS[1], 'n', 1), 'r', '0123456789abcdef', 'b', batch,
             'd', string.rep(string.format('%05d', batch), 1000) .. ';')
end
"""


@pytest.fixture
def link(redis):
    way = SlowLink(redis.port)
    yield way
    way.dispose()


@pytest.mark.parametrize("loss", ["emptied", "restarted"])
def test_a_relay_that_was_catching_up_when_redis_lost_the_log_serves_what_it_had_read(redis, link, join, loss):
    first = join(redis)
    first.wait_for("caught_up")
    first.stop()
    redis.cli("EVAL", MANY_ENTRIES, "2", "{syncrelay}:info", "{syncrelay}:log", "400")
    link.down = 400_000
    late = join(link)
    wait_until(lambda: link.received > 500_000, "it has begun to read")
    redis.restart() if loss == "restarted" else redis.cli("FLUSHALL")
    link.down = None
    late.wait_for("caught_up")
    late.append("then")
    late.until_has("then")
    assert 1 < len(late.row()) < 401


def big(megabytes: int) -> str:
    return "x" * (megabytes << 20)


def test_a_large_append_over_a_slow_link_is_sent_once(redis, link, join):
    relay = join(link)
    relay.append("small")
    relay.until_has("small")
    link.up = 1_000_000
    sent = link.sent
    relay.append(big(8), "behind")
    wait_until(lambda: redis.cli("HGET", "{syncrelay}:batches", relay.id) != "1", "it is there", 60)
    relay.until_has("behind")
    assert not [line for line in relay.log if "took no append" in line]
    assert link.sent - sent < 9 << 20


def test_a_checkpoint_over_a_slow_link_takes_its_time_and_its_writer_is_not_gone(redis, link, join):
    writer, other = join(link, entries=10, silent=8000), join(redis, entries=1_000_000, silent=8000)
    writer.say(f"fill {12 << 20}")
    other.wait_for("caught_up")
    writer.wait_for("caught_up")
    founded = other.all("founded ")  # whichever of them founded the cluster
    link.up = 1_000_000
    other.append(*[f"a{number}" for number in range(20)])
    for number in range(20):
        other.append(f"b{number}")
        writer.until_has(f"b{number}")
    wait_until(lambda: any("result=OK" in line for line in writer.log), "it is written", 60)
    assert not other.all("gone ") and other.all("founded ") == founded
