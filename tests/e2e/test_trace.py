"""The W3C Trace Context of a command, `traceparent`, which a relay with `--trace` tells clients as the event's `trace`."""

import shutil

import pytest

from deadline import wait_until
from door_client import NDJSON, DoorClient
from ws_client import SyncClient

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
EVENT = {"op": "broadcast", "type": "t"}
HEARD = ("--anonymous-identity", "--open-channels", "*", "--presence", "*", "--presence-grace-closed", "0ms")


def events(peer, channel=""):
    return peer.confirm({"op": "events", "channel": channel})["events"]


def traces(peer, channel=""):
    return [event.get("trace") for event in events(peer, channel)]


def will_of(identity, **command):
    return {"op": "will", "channel": "a", "id": identity, "commands": [{**EVENT, "channel": "b", **command}]}


async def leave(client, peer):
    """Until its will has been done."""
    await client.leave()
    wait_until(lambda: events(peer, "b"), "the will is done")


@pytest.fixture
def traced(start_relay):
    return start_relay("--trace", "--admin", "127.0.0.1:0", *HEARD)


def test_every_command_that_makes_an_event_hands_it_its_trace(traced, peer_of):
    peer = peer_of(traced)
    for command in ({"op": "set", "key": "k", "value": {}}, {"op": "merge", "key": "k", "value": {}}, {"op": "delete", "key": "k"},
                    EVENT, {**EVENT, "channels": ["", "b"], "set": {"k": 1}}):
        peer.confirm({**command, "traceparent": TRACE})
    peer.confirm(EVENT)
    assert traces(peer) == [TRACE] * 5 + [None] and traces(peer, "b") == [TRACE]
    assert list(events(peer, "b")[0]) == ["type", "channel", "data", "set", "trace", "ts", "seq"]


def test_that_of_a_batch_counts_for_those_that_have_none(traced, peer_of):
    peer = peer_of(traced)
    peer.confirm({"op": "batch", "traceparent": TRACE, "commands": [
        EVENT, {**EVENT, "traceparent": OTHER}, {"op": "drop", "channel": "b"}]})
    peer.confirm({"op": "batch", "commands": [EVENT, {**EVENT, "traceparent": OTHER}]})
    assert traces(peer) == [TRACE, OTHER, None, OTHER]


async def test_a_will_hands_it_on_when_it_is_done(traced, peer_of, follow):
    peer, client = peer_of(traced), await follow(traced, "a", id="ada")
    wait_until(lambda: peer.confirm({"op": "members", "channel": "a"})["members"], "she is a member")
    peer.confirm(will_of("ada", traceparent=TRACE))
    await leave(client, peer)
    assert traces(peer, "b") == [TRACE]


async def test_without_the_option_it_is_checked_and_nobody_hears_of_it(start_relay, peer_of, follow):
    relay = start_relay("--admin", "127.0.0.1:0", *HEARD)
    peer, client = peer_of(relay), await follow(relay, "a", id="ada")
    wait_until(lambda: peer.confirm({"op": "members", "channel": "a"})["members"], "she is a member")
    peer.confirm({"traceparent": TRACE, **EVENT})
    peer.confirm({"op": "set", "traceparent": TRACE, "key": "k", "value": "traceparent"})
    peer.confirm({"op": "batch", "commands": [{**EVENT, "traceparent": OTHER}], "traceparent": TRACE})
    assert DoorClient(relay).post(EVENT, traceparent=TRACE).status == 200
    peer.confirm(will_of("ada", traceparent=TRACE))
    await leave(client, peer)
    assert traces(peer) == [None] * 4 and traces(peer, "b") == [None]
    assert events(peer)[1]["data"] == {"k": "traceparent"}
    refused = peer.ask({**EVENT, "traceparent": TRACE.upper()})["error"]
    assert refused["code"] == "invalid_traceparent"
    conflict = peer.ask({"op": "batch", "traceparent": TRACE, "commands": [EVENT, {**EVENT, "if": {"k": 0}}]})["error"]
    plain = peer.ask({"op": "batch", "commands": [EVENT, {**EVENT, "if": {"k": 0}}]})["error"]
    assert conflict["index"] == 1 and conflict["offset"] == plain["offset"] + len(f'"traceparent": "{TRACE}", ')


@pytest.mark.parametrize("text", ["", "00-1-2-3", TRACE[:-1], TRACE + "0", TRACE.upper(), "01" + TRACE[2:],
                                  f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01"])
def test_what_is_none_is_refused_with_its_place(traced, peer_of, text):
    error = peer_of(traced).ask({**EVENT, "traceparent": text})["error"]
    assert (error["code"], error["offset"]) == ("invalid_traceparent", len('{"op": "broadcast", "type": "t", "traceparent": '))
    assert "00-TRACEID-PARENTID-FLAGS" in error["message"]


def test_over_http_the_header_counts_for_commands_that_have_none(traced, peer_of):
    door, peer = DoorClient(traced), peer_of(traced)
    door.post(EVENT, traceparent=TRACE)
    door.post({**EVENT, "traceparent": OTHER}, traceparent=TRACE)
    door.post('{"op":"broadcast","type":"}"} \n', traceparent=TRACE)
    door.post(EVENT, {**EVENT, "traceparent": OTHER}, traceparent=TRACE, **NDJSON)
    door.post(EVENT, traceparent="no trace")
    refused = door.post({**EVENT, "traceparent": "no trace"}, traceparent=TRACE)
    assert (refused.status, refused.code) == (400, "invalid_traceparent")
    assert traces(peer) == [TRACE, OTHER, TRACE, TRACE, OTHER, None]
    for command in ({"op": "barrier"}, {"op": "drop", "channel": "b"}, {"op": "state"}):
        assert door.post(command, traceparent=TRACE).status == 200


async def test_a_restart_without_the_option_tells_stored_events_as_they_were(start_relay, data_dir, peer_of):
    first = start_relay("--data", data_dir, "--trace")
    client = await SyncClient.open(first)
    begin = client.position
    for number in range(3):
        peer_of(first).confirm({**EVENT, "data": number, "traceparent": TRACE})
    await client.read_to_seq(begin["seq"] + 3)
    heard = [event.text for event in client.events()]
    await client.leave()
    first.stop()
    second = start_relay("--data", data_dir)
    again = await SyncClient.open(second, **begin)
    await again.read_to_seq(begin["seq"] + 3)
    assert again.first.type == "sync:resume"
    assert [event.text for event in again.events()] == heard and all(TRACE in text for text in heard)
    await again.leave()


@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
async def test_in_a_cluster_the_relay_that_takes_a_command_decides_for_all(join, follow, peer_of):
    tracing, silent = join("a", "--trace"), join("b")
    clients = [await follow(tracing), await follow(silent)]
    for relay in (tracing, silent):
        peer_of(relay).confirm({**EVENT, "data": relay is tracing, "traceparent": TRACE})
    texts = []
    for client in clients:
        await client.until(lambda m: m["type"] == "t" and m["seq"] == 2)
        texts.append([told.message.text for told in client.told if told.type == "t"])
    assert texts[0] == texts[1] and [TRACE in text for text in texts[0]] == [True, False]
