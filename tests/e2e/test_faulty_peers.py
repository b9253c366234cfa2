"""Peers that fall silent, are reset, are cut off, or only believe that they are connected."""

import asyncio

import pytest

import network_namespace
from deadline import until, wait_until
from network_namespace import NetworkNamespace
from proxy import FaultProxy
from raw_client import RawClient
from ws_client import SyncClient

FAST = ("--ping-interval", "300ms", "--ping-timeout", "500ms")


@pytest.fixture
async def strict(start_relay):
    """A relay that notices silence quickly."""
    return start_relay(*FAST)


@pytest.fixture
async def link(strict):
    started = await FaultProxy(strict.port).start()
    yield started
    await started.stop()


async def gone(relay, count=0):
    await until(lambda: relay.health()["clients"] == count, f"{count} clients are left")


async def test_a_link_that_stalls_is_noticed_by_the_missing_pongs(strict, link, connect):
    behind = await connect(strict, port=link.port)
    beside = await connect(strict)
    link.stall()
    await gone(strict, 1)
    assert beside.connection.open and behind.connection.open


async def test_a_client_behind_a_stalled_link_resumes_over_another_one(strict, link, push_to, connect):
    pusher = push_to(strict)
    client = await connect(strict, port=link.port)
    pusher.broadcast("before")
    await client.read_to_type("before")
    link.stall()
    for number in range(20):
        pusher.broadcast("missed", number)
    await gone(strict)
    back = await connect(strict, **client.position)
    await back.read_to_seq(21)
    assert back.first.type == "sync:resume"
    assert [m.data for m in back.events()] == list(range(20))


async def test_a_reset_removes_the_client_at_once(relay, proxy, pusher, connect):
    await connect(relay, port=proxy.port)
    stays = await connect(relay)
    proxy.reset()
    await gone(relay, 1)
    pusher.broadcast("tick")
    assert (await stays.next_event()).type == "tick"


async def test_a_cut_without_a_close_frame_removes_the_client(relay, proxy, connect):
    client = await connect(relay, port=proxy.port)
    proxy.cut()
    await gone(relay)
    assert await client.read_to_end() == 1006
    await until(lambda: relay.metrics().value("clients_closed_total") == 1, "the end is counted")


async def test_resets_in_the_middle_of_a_broadcast_reach_nobody_else(relay, proxy, pusher, connect):
    """The original skipped a healthy client here, or failed in the API handler."""
    stay = [await connect(relay) for _ in range(5)]
    for number in range(10):
        leave = [await SyncClient.open(relay, port=proxy.port) for _ in range(5)]
        pusher.broadcast("count", number)
        proxy.reset()
        for client in leave:
            await client.abort()
    for client in stay:
        await client.read_to_seq(10)
        assert [m.data for m in client.events()] == list(range(10))
    await gone(relay, 5)


async def test_a_slow_link_delays_only_itself(relay, proxy, pusher, connect):
    far, near = await connect(relay, port=proxy.port), await connect(relay)
    proxy.delay(0.3)
    pusher.broadcast("tick")
    arrived_near, arrived_far = await asyncio.gather(near.next_event(), far.next_event())
    assert arrived_far.arrived - arrived_near.arrived > 0.2
    assert arrived_near.arrived - arrived_near.body["ts"] < 0.2


async def test_a_client_that_shuts_down_its_sending_side_is_let_go(relay):
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        client.socket.shutdown(1)
        await gone(relay)


async def test_half_a_frame_and_then_silence_is_noticed(strict):
    with RawClient(strict.port).upgrade() as client:
        client.send(b"\x81\xfe\x10")
        await gone(strict)


@pytest.fixture
def namespace():
    reason = network_namespace.unavailable()
    if reason:
        pytest.skip(reason)
    created = NetworkNamespace()
    yield created
    created.close()


def test_a_half_open_peer_is_noticed_and_cleaned_up(namespace, start_relay, push_to):
    """Packets vanish: the client's end stays established while the relay has to find out by itself."""
    with namespace.entered():
        relay = start_relay(*FAST)
        lost, kept = RawClient(relay.port).upgrade(), RawClient(relay.port).upgrade()
        namespace.drop_port(lost.local_port)
        push_to(relay).broadcast("into the void", "x" * 100_000)
        wait_until(lambda: answering(kept) and relay.health()["clients"] == 1, "the lost client is closed")
        wait_until(lambda: answering(kept) and relay.connections() == 1, "its descriptor is closed")
        assert is_established(lost)
        lost.close()
        kept.close()


def answering(client):
    """Reads what has come and answers a ping; always true."""
    received = client.read_frame()
    if received.opcode == 9:
        client.send_frame(10, received.payload)
    return True


def is_established(client):
    """The kernel's opinion: TCP_INFO begins with the state, and 1 is ESTABLISHED."""
    return client.socket.getsockopt(6, 11, 1)[0] == 1
