"""The operations, told (the default) and silent."""

import json

import pytest

from fold import apply_command, makes_event
from ws_client import settled_snapshot
from vectors import load, name_of

NULLS = {"comparison": None, "radio": None}


async def state_after(relay, pusher, *commands):
    pusher.push(*commands)
    return (await settled_snapshot(relay, pusher)).data


async def test_set_replaces_the_value(relay, pusher):
    pusher.set("radio", {"a": 1, "b": 2})
    pusher.set("radio", {"c": 3})
    assert await state_after(relay, pusher) == {**NULLS, "radio": {"c": 3}}


async def test_a_silent_change_sends_nothing(relay, pusher, connect):
    client = await connect(relay)
    pusher.set("radio", 1, notify=False)
    pusher.merge("radio", {"a": 1}, notify=False)
    pusher.delete("radio", notify=False)
    pusher.broadcast("end")
    assert (await client.next_event()).type == "end"


async def test_delete_puts_a_configured_key_back_to_null(relay, pusher):
    pusher.set("radio", 1)
    pusher.delete("radio")
    assert await state_after(relay, pusher) == NULLS


async def test_delete_removes_any_other_key(relay, pusher):
    pusher.set("playback", 1)
    pusher.delete("playback")
    assert await state_after(relay, pusher) == NULLS


async def test_null_is_a_value_for_any_other_key(relay, pusher):
    pusher.set("playback", None)
    assert await state_after(relay, pusher) == {**NULLS, "playback": None}


@pytest.mark.parametrize("vector", load("merge_patches"), ids=name_of)
async def test_merge_follows_rfc_7396(relay, pusher, vector):
    if vector["target"] is not None:
        pusher.push(f'{{"op":"set","key":"other","value":{vector["target"]}}}')
    pusher.push(f'{{"op":"merge","key":"other","value":{vector["patch"]}}}')
    snapshot = await settled_snapshot(relay, pusher)
    assert snapshot.data["other"] == json.loads(vector["result"])
    assert f'"other":{vector["result"]}' in snapshot.text


async def test_merge_onto_null_makes_an_object(relay, pusher):
    pusher.merge("radio", {"track": {"id": 7, "gone": None}})
    assert await state_after(relay, pusher) == {**NULLS, "radio": {"track": {"id": 7}}}


async def test_broadcast_without_data_sends_null(relay, pusher, connect):
    client = await connect(relay)
    pusher.push('{"op":"broadcast","type":"tick"}')
    event = await client.next_event()
    assert '"data":null' in event.text


async def test_broadcast_leaves_the_state_alone(relay, pusher):
    pusher.broadcast("radio:started", {"track": 7})
    assert await state_after(relay, pusher) == NULLS


async def test_a_silent_broadcast_with_set_stores_and_sends_one_event(relay, pusher, connect):
    client = await connect(relay)
    pusher.broadcast("radio:started", {"track": 7}, set={"radio": {"track": 7}, "extra": [1]}, notify=False)
    event = await client.next_event()
    assert (event.type, event.data, "set" in event.body) == ("radio:started", {"track": 7}, False)
    assert await state_after(relay, pusher) == {**NULLS, "radio": {"track": 7}, "extra": [1]}


async def test_set_merge_and_delete_are_told(relay, pusher, connect):
    client = await connect(relay)
    pusher.set("radio", {"a": 1})
    pusher.merge("radio", {"a": None, "b": 2})
    pusher.set("k", 1)
    pusher.delete("k")
    pusher.delete("radio")
    seen = [await client.next_event() for _ in range(5)]
    assert [(m.type, m.data) for m in seen] == [
        ("sync:set", {"radio": {"a": 1}}), ("sync:merge", {"radio": {"a": None, "b": 2}}),
        ("sync:set", {"k": 1}), ("sync:delete", ["k"]), ("sync:set", {"radio": None})]


async def test_a_broadcast_carries_the_change_beside_its_data(relay, pusher, connect):
    client = await connect(relay)
    pusher.broadcast("radio:started", 1, set={"radio": {"track": 7}})
    event = await client.next_event()
    assert (event.type, event.data, event.body["set"]) == ("radio:started", 1, {"radio": {"track": 7}})
    assert client.state == {**NULLS, "radio": {"track": 7}}


async def test_a_snapshot_and_told_changes_are_the_relays_state(relay, pusher, connect):
    pusher.set("before", {"x": 1})
    snapshot = await settled_snapshot(relay, pusher)
    replica = await connect(relay)
    commands = [{"op": "merge", "key": "before", "value": {"x": None, "y": [1]}},
                {"op": "set", "key": "a", "value": {"deep": {"er": 1}}},
                {"op": "merge", "key": "a", "value": {"deep": {"er": None, "st": 2}}},
                {"op": "delete", "key": "before"},
                {"op": "broadcast", "type": "t", "set": {"radio": 5, "b": None}},
                {"op": "delete", "key": "radio"},
                {"op": "delete", "key": "never"},
                {"op": "merge", "key": "c", "value": [1]}]
    expected = snapshot.data
    for command in commands:
        assert makes_event(command)
        expected = apply_command(expected, command)
    final = await state_after(relay, pusher, *commands)
    await replica.read_to_type("test:fence")
    assert final == replica.state == expected


async def test_no_client_sees_the_state_without_the_event_or_the_event_without_the_state(relay, pusher, connect):
    """Joins while counts go up: the state in a snapshot at N is exactly what event N stored."""
    for number in range(300):
        pusher.broadcast("count", number, set={"radio": number})
        if number % 10 == 0:
            client = await connect(relay)
            if client.first.seq:
                assert client.first.data["radio"] == client.first.seq - 1
            if client.first.seq <= number:
                event = await client.next_event()
                assert event.data == client.first.seq
