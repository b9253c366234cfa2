"""Connections that came and went leave nothing behind."""

import pytest

from crowd import Crowd, largest
from deadline import until
from relay_process import is_sanitized

TOTAL = 20_000
WAVE = 5_000
MIB = 2**20
WARM_GROWTH = 16 * MIB  # the allocator keeps some of the first wave's memory
LATER_GROWTH = 3 * MIB  # 15,000 connections at 210 bytes: any leak per connection shows


async def wave(relay, crowd, size):
    crowd.join(size)
    await until(lambda: relay.health()["clients"] == size, f"{size} clients are in")
    crowd.leave()
    await until(lambda: relay.health()["clients"] == 0, "all have left", 20)


@pytest.mark.heavy
async def test_rss_fds_and_threads_are_back_to_baseline_after_20000_connections(relay):
    relay.http()
    await until(lambda: relay.connections() == 0, "nobody is there yet")
    fds, threads, cold = relay.fds(), relay.threads(), relay.rss()
    size = largest(WAVE)
    crowd = Crowd(relay.port)
    await wave(relay, crowd, size)
    warm = relay.rss()
    for _ in range(-(-TOTAL // size) - 1):
        await wave(relay, crowd, size)
    await until(lambda: relay.connections() == 0, "every connection's descriptor is closed")
    assert relay.fds() == fds
    assert relay.threads() == threads
    metrics = relay.metrics()
    assert metrics.value("clients_accepted_total") == metrics.value("clients_closed_total") >= TOTAL
    if not is_sanitized():
        assert relay.rss() - cold < WARM_GROWTH, f"{(relay.rss() - cold) / MIB:.1f} MiB"
        assert relay.rss() - warm < LATER_GROWTH, f"{(relay.rss() - warm) / MIB:.1f} MiB"


@pytest.mark.heavy
async def test_15000_clients_idle_and_leave_at_once(start_relay, push_to):
    """Nothing may grow with the square of the connections; an event still reaches all of them."""
    size = largest(15_000)
    relay = start_relay("--max-clients", size, "--ping-interval", "1h")  # the crowd answers no pings
    pusher, crowd = push_to(relay), Crowd(relay.port)
    crowd.join(size)
    assert relay.health()["clients"] == size
    pusher.broadcast("tick")
    crowd.each_reads("tick")
    crowd.leave()
    await until(lambda: relay.health()["clients"] == 0, "all have left", 20)
    assert relay.metrics().value("clients_closed_total") == size
