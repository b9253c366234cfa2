"""A client that reads too slowly: bounded memory, nobody delayed, a snapshot that says what was skipped."""

import time

import pytest

from deadline import until
from fan_out import EVENT_BYTES, SMALL_BUFFER, fan_out
from hiccups import Hiccups
from history import History
from raw_client import RawClient
from ws_client import settle

MIB = 2**20
TOTAL_BYTES = 300 * MIB
MAX_GROWTH = 64 * MIB
MAX_DELAY_SECONDS = 0.1


def read_history_to(raw, seq):
    history = History(keep=False)
    history.record(raw.read_text())
    while history.seq < seq:
        history.record(raw.read_text())
    return history


@pytest.mark.heavy
async def test_a_client_that_never_reads_costs_little_and_delays_nobody(relay, pusher, connect, memory_is_measurable):
    clients = [await connect(relay, keep=False) for _ in range(2)]
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER, seconds=10).upgrade() as silent:
        await fan_out(pusher, clients, 20, EVENT_BYTES)
        before = relay.rss()
        async with Hiccups(relay.pid) as hiccups:
            delays = await fan_out(pusher, clients, TOTAL_BYTES // EVENT_BYTES, EVENT_BYTES)
        growth = relay.peak_rss() - before
        assert growth < MAX_GROWTH, f"{growth / MIB:.1f} MiB"
        assert max(delays) < MAX_DELAY_SECONDS + hiccups.seconds, f"{max(delays)} s with {hiccups.seconds} s late"
        assert relay.health()["clients"] == 3
        history = read_history_to(silent, clients[0].seq)
        assert history.skipped > 0


async def test_a_client_that_fell_behind_gets_a_snapshot_that_says_how_many_it_missed(start_relay, push_to, connect):
    relay = start_relay("--log-bytes", "256KiB")
    pusher = push_to(relay)
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade() as slow:
        live = await connect(relay, keep=False)
        await fan_out(pusher, [live], 400, EVENT_BYTES)
        pusher.set("radio", "latest")
        position = await settle(relay, pusher)
        history = read_history_to(slow, position)
        assert 0 < history.skipped < position
        pusher.broadcast("afterwards")
        assert history.record(slow.read_text()).type == "afterwards"
        assert history.state["radio"] == "latest"
    metrics = relay.metrics()
    assert metrics.value("skipped_events_total") == history.skipped
    assert metrics.value("snapshots_sent_total", reason="lag") >= 1


async def test_a_client_within_the_window_misses_nothing(relay, pusher, connect):
    """8 MiB behind is more than the kernel's buffers hold and less than the log does."""
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade() as slow:
        live = await connect(relay, keep=False)
        await fan_out(pusher, [live], 8 * MIB // EVENT_BYTES, EVENT_BYTES)
        assert read_history_to(slow, live.seq).skipped == 0


async def test_the_window_ends_at_log_events_too(start_relay, push_to, connect):
    relay = start_relay("--log-events", "100")
    pusher = push_to(relay)
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade() as slow:
        live = await connect(relay, keep=False)
        await fan_out(pusher, [live], 1000, 16 * 1024)
        history = read_history_to(slow, live.seq)
        assert history.skipped > 0


async def test_a_client_that_takes_no_byte_is_closed_after_the_stall_timeout(start_relay, push_to, connect):
    relay = start_relay("--stall-timeout", "1s")
    pusher = push_to(relay)
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade():
        live = await connect(relay, keep=False)
        await fan_out(pusher, [live], 200, EVENT_BYTES)
        await until(lambda: relay.health()["clients"] == 1, "the stalled client is closed")
    reasons = relay.metrics().labels("clients_closed_total", "reason")
    assert [count for reason, count in reasons.items() if "stall" in reason and count] == [1]


@pytest.mark.heavy
async def test_a_client_that_reads_a_little_now_and_then_is_slow_but_not_stalled(start_relay, push_to, connect):
    """A neighbour that reads nothing is closed meanwhile. The small send buffer leaves most of a frame to the relay;
    the peer's kernel tells of what was read in steps of about 6 KiB."""
    relay = start_relay("--stall-timeout", "8s", "--ping-interval", "1h", "--send-buffer", "4KiB")
    pusher = push_to(relay)
    with (RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade() as slow,
          RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade()):
        live = await connect(relay, keep=False)
        await fan_out(pusher, [live], 200, EVENT_BYTES)
        end = time.monotonic() + 20
        next_read = time.monotonic()
        while next_read < end:
            assert slow.socket.recv(2048), "the slow client was closed"
            next_read += 1
            await until(lambda: time.monotonic() >= next_read, "it reads 2 KiB/s", 10)
        assert relay.health()["clients"] == 2
    assert relay.metrics().value("clients_closed_total", reason="stalled") == 1


async def test_an_idle_client_is_not_a_stalled_one(start_relay, push_to, connect):
    """It has nothing to read for longer than the stall timeout; a stalled neighbour proves that time went by."""
    relay = start_relay("--stall-timeout", "500ms")
    pusher = push_to(relay)
    idle = await connect(relay)
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade():
        await fan_out(pusher, [idle], 200, EVENT_BYTES)
        await until(lambda: relay.health()["clients"] == 1, "the stalled client is closed")
    pusher.broadcast("still there")
    assert (await idle.next_event()).type == "still there"


@pytest.mark.heavy
async def test_a_client_that_trickles_over_an_old_snapshot_makes_nobody_wait(start_relay, push_to, connect):
    relay = start_relay("--shards", "1")
    pusher = push_to(relay)
    for key in ("a", "b", "c"):
        pusher.set(key, "x" * (14 * MIB))
    await settle(relay, pusher)
    with RawClient(relay.port).upgrade() as trickling:
        trickling.read_frame()
        for key in ("a", "b", "c"):
            pusher.set(key, "small")
        await settle(relay, pusher)
        newcomer = await connect(relay)
        assert newcomer.first.data["c"] == "small"
        assert trickling.read_close_code() == 1013
    await until(lambda: relay.metrics().value("clients_closed_total", reason="over_capacity") == 1, "it is counted")


@pytest.mark.heavy
async def test_events_are_not_delayed_while_others_join_a_large_state(start_relay, push_to, connect):
    """200 MiB; every joiner makes a snapshot of its own necessary and reads none of it."""
    relay = start_relay("--shards", "1")
    pusher = push_to(relay)
    live = await connect(relay)
    for number in range(20):
        pusher.set(f"big:{number}", "x" * (10 * MIB), notify=False)
        await fan_out(pusher, [live], 1, 10)
    joiners = []
    async with Hiccups(relay.pid) as hiccups:
        delays = []
        for number in range(5):
            pusher.set("version", number, notify=False)
            delays += await fan_out(pusher, [live], 10, 10)
            joiners.append(RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade())
            delays += await fan_out(pusher, [live], 10, 10)
    for joiner in joiners:
        joiner.reset()
    assert max(delays) < MAX_DELAY_SECONDS + hiccups.seconds, f"{max(delays)} s with {hiccups.seconds} s late"


async def test_a_snapshot_that_a_client_does_not_read_is_no_burden_either(relay, pusher, memory_is_measurable):
    """Joining and not reading must not pin one copy of a large state (16 MiB) per client."""
    for number in range(4):
        pusher.set(f"big:{number}", "x" * (4 * MIB))
    await settle(relay, pusher)
    before = relay.rss()
    silent = [RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade() for _ in range(20)]
    await settle(relay, pusher)
    growth = relay.peak_rss() - before
    for client in silent:
        client.reset()
    assert growth < 20 * 16 * MIB / 2, f"{growth / MIB:.1f} MiB"
