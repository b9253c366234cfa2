"""Events of clients for clients, what they are told of them, and how much they may say."""

import asyncio
import json

import pytest
import websockets

from channel_client import ChannelClient
from deadline import until
from raw_client import TEXT, RawClient

ALLOWING = ("--anonymous-identity", "--open-channels", "*", "--client-publish", "doc:*")
PUBLISH = {"type": "sync:publish", "channel": "doc:7", "event": "cursor:moved"}


@pytest.fixture
def relay(start_relay):
    return start_relay(*ALLOWING)


@pytest.fixture
def peer(relay, peer_of):
    return peer_of(relay)


async def test_what_a_client_publishes_is_an_event_from_it(relay, follow):
    one, two = await follow(relay, "doc:7"), await follow(relay, "doc:7")
    await one.hello("dev-1")
    assert (await one.ask({**PUBLISH, "data": {"x": 1.50}}))["type"] == "sync:ack"
    event = await two.event("cursor:moved", "doc:7")
    assert list(event) == ["type", "channel", "data", "from", "ts", "seq"]
    assert event["data"] == {"x": 1.50} and event["from"] == "dev-1" and event["seq"] == 1


async def test_a_client_without_an_identity_publishes_from_nobody(relay, follow):
    one, two = await follow(relay), await follow(relay, "doc:7")
    await one.say(PUBLISH)
    event = await two.event("cursor:moved", "doc:7")
    assert event["data"] is None and "from" not in event


async def test_the_event_comes_before_the_answer(relay, follow):
    client = await follow(relay, "doc:7")
    await client.ask(PUBLISH)
    assert client.told[-1].type == "cursor:moved"


@pytest.mark.parametrize("names", [["doc:7"], ["room:1", "doc:7"]], ids=["one channel", "several channels"])
async def test_the_event_comes_before_the_answer_to_a_slow_reader_too(start_relay, peer_of, follow, names):
    relay = start_relay(*ALLOWING, "--send-buffer", "4KiB")
    peer, other = peer_of(relay), await follow(relay, "doc:7")
    path = "/ws/sync?" + "&".join(f"channel={name}" for name in names)
    with RawClient(relay.port, receive_buffer=4096).upgrade(path=path) as slow:
        for number in range(50):
            peer.confirm({"op": "broadcast", "channel": "doc:7", "type": "bulk", "data": "x" * 10_000})
        slow.send_frame(TEXT, json.dumps({**PUBLISH, "ref": "own"}).encode())
        await other.event("cursor:moved")
        peer.confirm({"op": "broadcast", "channel": "doc:7", "type": "last"})
        kinds = []
        while not {"last", "sync:ack"} <= set(kinds):
            kinds.append(json.loads(await asyncio.to_thread(slow.read_text))["type"])
    assert kinds.count("bulk") == 50
    assert kinds.index("cursor:moved") < kinds.index("sync:ack")


@pytest.mark.parametrize("wrong, code", [
    ({"channel": "room:1"}, "forbidden"),
    ({"channel": ""}, "forbidden"),
    ({"channel": "@dev-1"}, "forbidden"),
    ({"channel": "a b"}, "invalid_channel"),
    ({"channel": None}, "invalid_channel"),
    ({"event": None}, "message_invalid"),
    ({"event": "sync:set"}, "reserved_type"),
    ({"event": "ping"}, "reserved_type"),
    ({"event": "e" * 257}, "invalid_type"),
    ({"event": ""}, "invalid_type"),
])
async def test_what_may_not_be_published_is_told_to_who_gave_a_ref(relay, follow, wrong, code):
    client = await follow(relay)
    error = await client.ask({**PUBLISH, **wrong})
    assert error["type"] == "sync:error" and error["code"] == code and error["message"]
    await client.say({**PUBLISH, **wrong})
    assert (await client.ask(PUBLISH))["type"] == "sync:ack"
    assert [a["type"] for a in client.answers] == ["sync:error", "sync:ack"]


async def test_nothing_may_be_published_by_default(start_relay, follow):
    client = await follow(start_relay("--open-channels", "*"))
    assert (await client.ask(PUBLISH))["code"] == "forbidden"


@pytest.mark.parametrize("pattern", ["", "*"])
async def test_the_default_channel_can_be_named(start_relay, follow, pattern):
    client = await follow(start_relay("--client-publish", pattern))
    assert (await client.ask({"type": "sync:publish", "event": "said"}))["type"] == "sync:ack"
    assert (await client.ask({**PUBLISH, "channel": "@x"}))["code"] == "forbidden"


async def test_backends_may_say_from_whom_an_event_is(peer, relay, follow):
    client = await follow(relay)
    peer.confirm({"op": "broadcast", "type": "e", "data": 1, "set": {"k": 1}, "from": "dev-1"})
    event = await client.event("e")
    assert list(event) == ["type", "data", "set", "from", "ts", "seq"]
    for wrong, code in (("", "invalid_id"), ("@a", "invalid_id"), (7, "wrong_type")):
        assert peer.ask({"op": "broadcast", "type": "e", "from": wrong})["error"]["code"] == code
    assert peer.ask({"op": "set", "key": "k", "value": 1, "from": "a"})["error"]["code"] == "unknown_member"


async def test_what_was_published_and_answered_is_stored(start_relay, data_dir, follow):
    relay = start_relay(*ALLOWING, "--data", data_dir)
    client = await follow(relay, "doc:7")
    for _ in range(20):
        assert (await client.ask(PUBLISH))["type"] == "sync:ack"
    history = client.channels["doc:7"]
    relay.kill()
    again = start_relay(*ALLOWING, "--data", data_dir)
    back = await ChannelClient.open(again, ("doc:7", history.epoch, 0))
    assert (await back.next())["data"] == {"from": 1, "to": 20}
    await back.abort()


async def test_a_message_for_a_backend_that_never_asked_is_answered(relay, follow):
    client = await follow(relay)
    assert (await client.ask({"type": "chat:say", "text": "hi"}))["code"] == "no_backend"
    assert (await client.ask({"kind": "no type"}))["code"] == "message_invalid"
    await client.say({"type": "chat:say"})
    assert (await client.ask(PUBLISH))["type"] == "sync:ack"


async def test_a_type_that_the_relay_does_not_know_is_told_to_who_gave_a_ref(relay, follow):
    client = await follow(relay)
    answer = await client.ask({"type": "sync:wrong"})
    assert (answer["type"], answer["code"]) == ("sync:error", "unknown_type") and "sync:" in answer["message"]
    assert relay.metrics().value("client_messages_refused_total", reason="unknown_type") == 1
    await client.say({"type": "sync:wrong"})
    assert (await client.ask(PUBLISH))["type"] == "sync:ack"


async def test_a_message_may_be_large_and_come_in_pieces(relay, follow):
    one, two = await follow(relay), await follow(relay, "doc:7")
    text = json.dumps({**PUBLISH, "data": "x" * 60_000, "ref": "large"})
    await one.connection.send([text[:7], text[7:30_000], text[30_000:]])
    assert (await one.answer("large"))["type"] == "sync:ack"
    assert len((await two.event("cursor:moved"))["data"]) == 60_000


# How much

async def test_who_says_too_much_is_told_so(start_relay, follow):
    relay = start_relay(*ALLOWING, "--client-rate", "1", "--client-burst", "3")
    client = await follow(relay)
    kinds = []
    for number in range(5):
        await client.say({**PUBLISH, "ref": str(number)})
    for number in range(5):
        answer = await client.until(lambda m: m["type"] in ("sync:ack", "sync:error"))
        kinds.append(answer.get("code", "taken"))
    assert sorted(kinds) == ["rate_limited"] * 2 + ["taken"] * 3
    await client.say({"type": "sync:ping"})
    await client.until(lambda m: m["type"] == "ping")


async def test_who_goes_on_saying_too_much_is_closed(start_relay, follow):
    relay = start_relay(*ALLOWING, "--client-rate", "10", "--client-burst", "1")
    client, other = await follow(relay), await follow(relay)

    async def flood():
        while True:
            await client.say(PUBLISH)
            await (await client.connection.ping())

    flooding = asyncio.create_task(flood())
    with pytest.raises(websockets.ConnectionClosed):
        while True:
            await client.next(30)
    assert client.connection.close_code == 4429
    assert client.connection.close_reason == "rate_limited"
    flooding.cancel()
    assert (await other.ask(PUBLISH))["type"] == "sync:ack"
    await until(lambda: relay.metrics().value("clients_closed_total", code="4429", reason="rate_limited") == 1, "counted")


async def test_without_a_rate_all_may_be_said(start_relay, follow):
    relay = start_relay(*ALLOWING, "--client-rate", "0")
    client = await follow(relay, "doc:7")
    for number in range(500):
        await client.say({**PUBLISH, "data": number, "ref": str(number)})
    await client.answer("499")
    assert [told.body["data"] for told in client.told[1:]] == list(range(500))
    assert all(answer["type"] == "sync:ack" for answer in client.answers)


async def test_clients_that_go_on_talking_do_not_keep_the_relay_from_stopping(start_relay, follow):
    relay = start_relay(*ALLOWING, "--client-rate", "0", "--drain-timeout", "30s")
    client = await follow(relay)

    async def talk():
        while True:
            await client.ask(PUBLISH)

    talking = asyncio.create_task(talk())
    await until(lambda: len(client.answers) > 100, "they talk")
    assert await asyncio.to_thread(relay.stop, 10) == 0
    with pytest.raises(websockets.ConnectionClosed):
        await talking
    assert client.connection.close_code == 1001
