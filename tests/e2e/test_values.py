"""Values reach clients byte for byte, and every example of tests/vectors holds on the wire."""

import json

import pytest

from ws_client import SyncClient, settle, settled_snapshot
from vectors import command_bytes, load, name_of

ACCEPTED = load("commands_accepted")
SETS = [v for v in ACCEPTED if v["op"] == "set"]
EVENTS = [v for v in ACCEPTED if "event" in v]
SILENT = [v for v in ACCEPTED if "event" not in v]


def stored(key, raw):
    """How a snapshot shows a value; a key with an escape has more than one spelling."""
    return f"{json.dumps(key, ensure_ascii=False)}:{raw}"


@pytest.mark.parametrize("vector", SETS, ids=name_of)
async def test_a_stored_value_is_shown_byte_for_byte(relay, pusher, vector):
    pusher.push(command_bytes(vector))
    snapshot = await settled_snapshot(relay, pusher)
    assert snapshot.data[vector["key"]] == json.loads(vector["value"])
    assert stored(vector["key"], vector["value"]) in snapshot.text


async def test_every_event_is_sent_byte_for_byte(relay, pusher, connect):
    client = await connect(relay)
    for vector in EVENTS:
        pusher.push(command_bytes(vector))
        event = await client.next_event()
        expected = vector["event"]
        assert event.type == expected["type"], vector["name"]
        assert f'"data":{expected["data"]}' in event.text, vector["name"]
        assert ("set" in event.body) == ("set" in expected), vector["name"]


async def test_a_told_change_beside_an_event_is_byte_for_byte(relay, pusher, connect):
    client = await connect(relay)
    for vector in (v for v in EVENTS if "set" in v and v["notify"]):
        pusher.push(command_bytes(vector))
        event = await client.next_event()
        for key, raw in vector["set"].items():
            assert stored(key, raw) in event.text[event.text.index('"set":'):], vector["name"]


async def test_silent_commands_send_nothing(relay, pusher, connect):
    client = await connect(relay)
    for vector in SILENT:
        pusher.push(command_bytes(vector))
    pusher.broadcast("end")
    event = await client.next_event()
    assert (event.type, event.seq) == ("end", client.first.seq + 1)


async def test_the_wire_texts_are_as_the_examples(relay, pusher, connect):
    """The order of members and the lack of white space, as the examples in tests/vectors have them."""
    client = await connect(relay)
    for example in load("events"):
        if example["type"].startswith("sync:") or "channel" in example:
            continue
        change = f',"set":{example["set"]}' if "set" in example else ""
        change += f',"from":"{example["from"]}"' if "from" in example else ""
        pusher.push(f'{{"op":"broadcast","type":"{example["type"]}","data":{example["data"]}{change}}}')
        event = await client.next_event()
        head = example["text"].partition(',"ts":')[0]
        assert event.text.startswith(head + ',"ts":'), example["name"]
        assert event.text.endswith(f',"seq":{event.seq}}}'), example["name"]


async def test_a_large_event_arrives_byte_for_byte(relay, pusher, connect):
    client = await connect(relay)
    for size in (125, 126, 65535, 65536, 70_000, 3_000_000):
        raw = '"' + "é" * (size // 2) + '"'
        pusher.push(f'{{"op":"broadcast","type":"bulk","data":{raw}}}')
        assert f'"data":{raw},"ts":' in (await client.next_event()).text


async def test_a_resume_shows_the_same_bytes_again(relay, pusher, connect):
    live = await connect(relay)
    for vector in EVENTS:
        pusher.push(command_bytes(vector))
    await live.read_to_seq(await settle(relay, pusher))
    again = await SyncClient.open(relay, epoch=live.epoch, seq=live.first.seq)
    await again.read_to_seq(live.seq)
    assert [m.text for m in again.events()] == [m.text for m in live.events()]
    await again.leave()
