"""The first message: a snapshot, its clock and its position."""

import asyncio
import time

import websockets

from relay_process import RelayProcess
from ws_client import SyncClient, settle, settled_snapshot


async def test_the_snapshot_comes_first_and_configured_keys_are_null(relay, connect):
    client = await connect(relay)
    assert client.first.type == "sync:full"
    assert client.first.data == {"comparison": None, "radio": None}
    assert client.first.text.startswith('{"type":"sync:full","data":{"comparison":null,"radio":null},"ts":')


async def test_a_bare_websocket_is_enough(relay):
    async with websockets.connect(f"ws://127.0.0.1:{relay.port}/ws/sync") as bare:
        assert (await bare.recv()).startswith('{"type":"sync:full"')
        assert bare.subprotocol is None


async def test_an_unknown_query_parameter_does_no_harm(relay, connect):
    client = await connect(relay, token="abc", v="1")
    assert client.first.type == "sync:full"


async def test_a_key_that_was_set_appears(relay, pusher):
    pusher.set("playback", {"paused": True})
    assert (await settled_snapshot(relay, pusher)).data["playback"] == {"paused": True}


async def test_the_clock_is_fresh_in_every_snapshot(relay, connect):
    previous = 0.0
    for _ in range(5):
        before = time.time()
        client = await connect(relay)
        after = time.time()
        assert before - 0.001 <= client.first.body["ts"] <= after + 0.001
        assert client.first.body["ts"] > previous
        previous = client.first.body["ts"]


async def test_an_events_clock_is_the_time_of_acceptance(relay, pusher, connect):
    client = await connect(relay)
    before = time.time()
    pusher.broadcast("tick")
    event = await client.next_event()
    assert before - 0.001 <= event.body["ts"] <= event.arrived + 0.001


async def test_the_first_event_after_a_snapshot_has_the_next_seq(relay, pusher, connect):
    await settle(relay, pusher)
    client = await connect(relay)
    assert client.first.seq == 1
    pusher.broadcast("tick")
    assert (await client.next_event()).seq == 2


async def test_all_clients_share_the_epoch_and_health_tells_it(relay, connect):
    epochs = {(await connect(relay)).epoch for _ in range(4)}
    assert epochs == {relay.health()["epoch"]}


async def test_a_new_process_is_a_new_epoch(start_relay):
    epochs = set()
    for _ in range(3):
        relay = start_relay()
        epochs.add(relay.health()["epoch"])
        relay.stop()
    assert len(epochs) == 3


async def test_a_snapshot_of_megabytes_arrives_whole(relay, pusher):
    values = {f"big:{i}": "é" * 1_000_000 for i in range(4)}
    for key, value in values.items():
        pusher.set(key, value)
    snapshot = await settled_snapshot(relay, pusher)
    assert {k: snapshot.data[k] for k in values} == values


async def test_the_configured_keys_can_be_chosen(start_relay, connect):
    relay = start_relay("--state-key", "playback", "--state-key", "devices")
    client = await connect(relay)
    assert client.first.data == {"playback": None, "devices": None}


async def test_many_join_at_once(relay: RelayProcess):
    clients = await asyncio.gather(*(SyncClient.open(relay) for _ in range(200)))
    assert relay.health()["clients"] == 200
    assert all(c.first.data == {"comparison": None, "radio": None} for c in clients)
    await asyncio.gather(*(c.leave() for c in clients))
