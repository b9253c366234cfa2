"""What the in-process class did, in this world: its four tests, and two clients at once."""

from deadline import until
from ws_client import settled_snapshot


async def test_a_connection_is_accepted_and_kept(relay, connect):
    await connect(relay)
    assert relay.health()["clients"] == 1


async def test_a_disconnect_removes_the_client(relay, connect):
    client = await connect(relay)
    await client.leave()
    await until(lambda: relay.health()["clients"] == 0, "the client is gone")


async def test_a_broadcast_reaches_all_with_type_data_and_ts(relay, pusher, connect):
    clients = [await connect(relay) for _ in range(5)]
    pusher.broadcast("comparison:advanced", {"winner": 3})
    for client in clients:
        event = await client.next_event()
        assert (event.type, event.data) == ("comparison:advanced", {"winner": 3})
        assert abs(event.arrived - event.body["ts"]) < 5


async def test_a_dead_connection_is_removed_while_the_live_one_stays(relay, pusher, connect):
    dead, live = await connect(relay), await connect(relay)
    await dead.abort()
    pusher.broadcast("radio:started", {"track": 7})
    assert (await live.next_event()).data == {"track": 7}
    await until(lambda: relay.health()["clients"] == 1, "only the live one is left")


async def test_two_clients_get_the_same_events_in_the_same_order(relay, pusher, connect):
    first, second = await connect(relay), await connect(relay)
    for number in range(200):
        pusher.broadcast("radio:started", {"track": number})
    for client in (first, second):
        await client.read_to_seq(client.first.seq + 200)
    assert [m.text for m in first.events()] == [m.text for m in second.events()]
    assert [m.data["track"] for m in first.events()] == list(range(200))


async def test_a_client_that_comes_late_finds_what_was_stored(relay, pusher):
    pusher.set("comparison", {"pair": [1, 2], "prefetched": None})
    pusher.set("radio", {"track": 7})
    snapshot = await settled_snapshot(relay, pusher)
    assert snapshot.data == {"comparison": {"pair": [1, 2], "prefetched": None}, "radio": {"track": 7}}
