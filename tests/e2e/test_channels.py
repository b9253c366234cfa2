"""Channels: a state and events of their own, in one log."""

import asyncio

import pytest

from channel_client import ChannelClient
from deadline import until, wait_until

OPEN = ("--open-channels", "room:*")


@pytest.fixture
def relay(start_relay):
    return start_relay(*OPEN)


@pytest.fixture
def peer(relay, peer_of):
    return peer_of(relay)


def broadcast(kind, data=None, **more):
    return {"op": "broadcast", "type": kind, "data": data, **more}


def put(key, value, **more):
    return {"op": "set", "key": key, "value": value, **more}


# Who gets what.

async def test_each_channel_has_a_state_and_numbers_of_its_own(relay, peer, follow):
    peer.confirm(put("topic", "a", channel="room:1"))
    peer.confirm(put("topic", "b", channel="room:2"))
    peer.confirm(put("topic", "c", channel="room:2"))
    peer.confirm(put("radio", 1))
    client = await follow(relay, "room:1", "room:2", "")
    assert client.state("room:1") == {"topic": "a"}
    assert client.state("room:2") == {"topic": "c"}
    assert client.state("") == {"comparison": None, "radio": 1}
    assert [client.channels[name].seq for name in ("room:1", "room:2", "")] == [1, 2, 1]


async def test_who_follows_one_channel_hears_of_no_other(relay, peer, follow):
    default, one, two = await follow(relay), await follow(relay, "room:1"), await follow(relay, "room:2")
    for name in ("room:1", "room:2", ""):
        peer.confirm(broadcast("said", name, channel=name))
    for client, name in ((default, ""), (one, "room:1"), (two, "room:2")):
        assert (await client.event("said"))["data"] == name
        peer.confirm(broadcast("end", channel=name))
        await client.event("end")
        assert {told.channel for told in client.told} == {name}


async def test_a_bare_client_sees_no_word_of_channels(relay, peer, connect):
    client = await connect(relay)
    peer.confirm(put("topic", 1, channel="room:1"))
    peer.confirm(broadcast("plain"))
    event = await client.next_event()
    assert event.type == "plain" and event.seq == 1
    assert all("channel" not in message.body for message in client.messages)


async def test_channels_come_and_go_on_an_open_connection(relay, peer, follow):
    client = await follow(relay)
    first = await client.subscribe("room:1")
    assert first["type"] == "sync:full" and first["data"] == {} and first["seq"] == 0
    peer.confirm(broadcast("said", 1, channel="room:1"))
    assert (await client.event("said", "room:1"))["seq"] == 1
    assert await client.unsubscribe("room:1") == {"type": "sync:unsubscribed", "channel": "room:1"}
    peer.confirm(broadcast("said", 2, channel="room:1"))
    peer.confirm(broadcast("end"))
    await client.event("end", "")
    assert [told.body["data"] for told in client.told if told.type == "said"] == [1]


async def test_a_client_may_leave_the_default_channel(relay, peer, follow):
    client = await follow(relay, "room:1", "")
    await client.unsubscribe("")
    peer.confirm(broadcast("unheard"))
    peer.confirm(broadcast("heard", channel="room:1"))
    assert (await client.next())["type"] == "heard"


async def test_what_comes_over_several_channels_comes_in_the_order_of_the_log(relay, peer, push_to, follow):
    names = ["", *[f"room:{number}" for number in range(9)]]
    client = await follow(relay, *names)
    pusher = push_to(relay)
    for number in range(3000):
        pusher.push(broadcast("n", number, channel=names[number * 7 % len(names)]))
    await client.until(lambda m: m["type"] == "n" and m["data"] == 2999)
    assert [told.body["data"] for told in client.told if told.type == "n"] == list(range(3000))


# Coming back.

async def test_all_channels_resume_in_one_handshake(relay, peer, follow):
    left = await follow(relay, "room:1", "room:2", "")
    for number in range(20):
        peer.confirm(broadcast("n", number, channel=["room:1", "room:2", ""][number % 3]))
    await left.event("n", "room:1")
    positions = [left.position(name) for name in ("room:1", "room:2", "")]
    await left.leave()
    back = await follow(relay, *positions)
    kinds = {told.channel: told.type for told in back.told if told.type.startswith("sync:")}
    assert kinds == {"room:1": "sync:resume", "room:2": "sync:resume", "": "sync:resume"}
    peer.confirm(broadcast("end", channel="room:2"))
    await back.event("end")
    numbers = [told.body["data"] for told in left.told + back.told if told.type == "n"]
    assert numbers == list(range(20))


async def test_a_position_of_another_epoch_gets_a_snapshot(relay, peer, follow):
    peer.confirm(put("k", 1, channel="room:1"))
    client = await follow(relay, ("room:1", "0000000000000000", 1))
    assert client.told[0].type == "sync:full"


async def test_the_numbers_of_a_channel_go_on_after_it_was_forgotten(start_relay, peer_of, follow):
    relay = start_relay(*OPEN, "--log-events", "10")
    peer = peer_of(relay)
    first = peer.confirm(broadcast("n", 1, channel="room:1"))
    for number in range(50):
        peer.confirm(broadcast("other"))
    await until(lambda: "room:1" not in [c["name"] for c in peer.confirm({"op": "channels"})["channels"]],
                "the channel is forgotten")
    client = await follow(relay, "room:1")
    assert client.position("room:1") == ("room:1", first["epoch"], first["seq"])
    again = peer.confirm(broadcast("n", 2, channel="room:1"))
    assert (again["epoch"], again["seq"]) == (first["epoch"], first["seq"] + 1)
    assert (await client.event("n"))["seq"] == first["seq"] + 1


# Who may.

@pytest.mark.parametrize("name, code", [
    ("hall", "forbidden"), ("room", "forbidden"), ("@me", "forbidden"), ("room: 1", "invalid_channel"),
    ("room:\u00e4", "invalid_channel"), ("room:" + "x" * 124, "invalid_channel"), ("room:1", "already_subscribed"),
    ("", "already_subscribed")])
async def test_a_refusal_names_the_channel_and_the_reason(relay, follow, name, code):
    client = await follow(relay, "", "room:1")
    await client.say({"type": "sync:subscribe", "channel": name})
    answer = await client.until(lambda m: m["type"] == "sync:refused")
    assert answer["code"] == code and answer["message"]
    assert answer.get("channel", "") == name[:128]


async def test_nothing_is_open_by_default(start_relay):
    client = await ChannelClient.open(start_relay(), "room:1")
    assert (await client.next())["code"] == "forbidden"
    await client.abort()


async def test_no_pattern_opens_a_personal_channel(start_relay, follow):
    relay = start_relay("--open-channels", "*", "--open-channels", "@*")
    client = await follow(relay, "anything")
    await client.say({"type": "sync:subscribe", "channel": "@me"})
    assert (await client.until(lambda m: m["type"] == "sync:refused"))["code"] == "forbidden"


async def test_a_client_follows_no_more_channels_than_allowed(start_relay, follow):
    relay = start_relay(*OPEN, "--max-subscriptions", "3")
    client = await follow(relay, "", "room:1", "room:2")
    await client.say({"type": "sync:subscribe", "channel": "room:3"})
    assert (await client.until(lambda m: m["type"] == "sync:refused"))["code"] == "too_many_subscriptions"
    await client.unsubscribe("room:1")
    assert (await client.subscribe("room:3"))["type"] == "sync:full"


async def test_no_more_channels_are_made_than_allowed(start_relay, peer_of, follow):
    relay = start_relay(*OPEN, "--max-channels", "3", "--shards", "1")
    peer = peer_of(relay)
    for number in range(3):
        peer.confirm(put("k", 1, channel=f"room:{number}"))
    refused = peer.ask(put("k", 1, channel="room:9"))
    assert refused["error"]["code"] == "channels_full"
    peer.confirm({"op": "drop", "channel": "room:0"})
    peer.confirm(put("k", 1, channel="room:9"))


def test_channels_that_have_nothing_but_events_make_room_for_others(start_relay, peer_of):
    """What a stranger could fill would stay full: without events no window turns."""
    relay = start_relay(*OPEN, "--max-channels", "50", "--shards", "1")
    peer = peer_of(relay)
    peer.confirm(put("k", 1, channel="room:kept"))
    for number in range(49):
        peer.confirm({"op": "broadcast", "channel": f"room:{number}", "type": "said", "data": None})
    wait_until(lambda: peer.ask(put("k", 1, channel="room:new"))["ok"], "there is room again")
    assert peer.ask({"op": "state", "channel": "room:kept"})["state"] == {"k": 1}


async def test_no_more_channels_are_followed_than_allowed_that_nobody_else_knows(start_relay, follow):
    relay = start_relay(*OPEN, "--max-channels", "3", "--shards", "1")
    client = await follow(relay, "", "room:1", "room:2", "room:3")
    other = await follow(relay, "room:1")
    await other.say({"type": "sync:subscribe", "channel": "room:9"})
    assert (await other.until(lambda m: m["type"] == "sync:refused"))["code"] == "channels_full"
    await client.unsubscribe("room:2")
    assert (await other.subscribe("room:9"))["type"] == "sync:full"


# What backends ask and command.

async def test_answers_are_about_the_channel(relay, peer, follow):
    await follow(relay, "room:1")
    await follow(relay, "room:1", "")
    answer = peer.confirm(put("k", 1, channel="room:1"))
    assert (answer["seq"], answer["clients"]) == (1, 2)
    assert answer["versions"]["k"] > 0
    assert peer.confirm(broadcast("x"))["clients"] == 1
    assert peer.confirm(broadcast("x", channel="room:2"))["clients"] == 0


def test_the_state_of_a_channel_comes_with_versions(relay, peer):
    one = peer.confirm(put("k", 1, channel="room:1"))["versions"]["k"]
    two = peer.confirm(put("l", 1, channel="room:1"))["versions"]["l"]
    assert two > one
    answer = peer.confirm({"op": "state", "channel": "room:1"})
    assert answer["state"] == {"k": 1, "l": 1} and answer["versions"] == {"k": one, "l": two}
    assert peer.confirm({"op": "state", "channel": "room:2"})["state"] == {}


def test_compare_and_set(relay, peer):
    version = peer.confirm(put("k", 1, **{"if": {"k": 0}}))["versions"]["k"]
    refused = peer.ask(put("k", 2, **{"if": {"k": 0, "l": 0}}))["error"]
    assert refused["code"] == "conflict"
    assert refused["current"] == {"k": {"version": version, "value": 1}}
    newer = peer.confirm(put("k", 2, **{"if": {"k": version, "l": 0}}))["versions"]["k"]
    assert newer > version
    peer.confirm({"op": "delete", "key": "k", "if": {"k": newer}})
    assert peer.ask(put("k", 3, **{"if": {"k": newer}}))["error"]["current"] == {"k": {"version": 0}}
    assert peer.confirm(put("k", 3, **{"if": {"k": 0}}))["versions"]["k"] > newer


def test_who_writes_to_a_list_hears_of_each_channel(peer):
    everywhere = broadcast("all", 1, channels=["room:1", "room:2"], set={"k": 1}, **{"if": {"k": 0}})
    told = peer.confirm(everywhere)["positions"]
    assert all(told[name]["versions"] == peer.confirm({"op": "state", "channel": name})["versions"] for name in told)
    peer.confirm({"op": "delete", "key": "k", "channel": "room:1"})
    refused = peer.ask(everywhere)["error"]
    assert refused["channel"] == "room:2"
    assert refused["message"] == f'key "k" has version {told["room:2"]["versions"]["k"]}; "if" names version 0'


async def test_a_list_gets_one_event_in_each_channel(relay, peer, follow):
    client = await follow(relay, "room:1", "room:2", "")
    answer = peer.confirm(broadcast("all", 1, channels=["room:1", "", "room:2"]))
    assert {name: p["seq"] for name, p in answer["positions"].items()} == {"room:1": 1, "": 1, "room:2": 1}
    for _ in range(3):
        await client.event("all")
    assert [told.channel for told in client.told if told.type == "all"] == ["room:1", "", "room:2"]


async def test_a_batch_is_done_whole_or_not_at_all(relay, peer, follow):
    client = await follow(relay, "room:1", "")
    version = peer.confirm(put("k", 1))["versions"]["k"]
    refused = peer.ask({"op": "batch", "commands": [
        put("a", 1, channel="room:1"), broadcast("never", channel="room:1"), put("k", 2, **{"if": {"k": version + 7}})]})
    assert refused["error"]["code"] == "conflict" and refused["error"]["index"] == 2
    assert peer.confirm({"op": "state", "channel": "room:1"})["state"] == {}
    done = peer.confirm({"op": "batch", "commands": [
        put("a", 1, channel="room:1"), broadcast("done", channel="room:1", set={"b": 2}),
        put("k", 2, **{"if": {"k": version}})]})
    assert [result["seq"] for result in done["results"]] == [1, 2, 2]
    while client.state("").get("k") != 2:
        await client.next()
    assert client.state("room:1") == {"a": 1, "b": 2}
    assert "never" not in [told.type for told in client.told]


async def test_a_dropped_channel_is_told_and_begins_anew(relay, peer, follow):
    client = await follow(relay, "room:1")
    peer.confirm(put("k", 1, channel="room:1"))
    before = peer.confirm(broadcast("last", channel="room:1"))
    peer.confirm({"op": "drop", "channel": "room:1"})
    told = await client.until(lambda m: m["type"] == "sync:unsubscribed")
    assert told == {"type": "sync:unsubscribed", "channel": "room:1", "reason": "dropped"}
    assert client.told[-1].type == "last"
    assert peer.confirm({"op": "state", "channel": "room:1"})["state"] == {}
    back = await follow(relay, ("room:1", before["epoch"], before["seq"]))
    assert back.told[0].type == "sync:full" and back.state("room:1") == {}
    after = peer.confirm(broadcast("n", channel="room:1"))
    assert after["seq"] == before["seq"] + 2 and (await back.event("n"))["seq"] == after["seq"]


def test_the_default_channel_cannot_be_dropped(relay, peer):
    assert peer.ask({"op": "drop", "channel": ""})["error"]["code"] == "invalid_channel"


async def test_a_key_with_a_ttl_goes_by_itself_and_is_told(relay, peer, follow):
    client = await follow(relay, "room:1", "")
    peer.confirm(put("lock", "me", channel="room:1", ttl=0.2))
    peer.confirm(put("radio", "me", ttl=0.2))
    peer.confirm(put("kept", 1, channel="room:1", ttl=0.2))
    peer.confirm(put("kept", 2, channel="room:1"))
    while client.state("room:1") != {"kept": 2} or client.state("")["radio"] is not None:
        await client.next()
    assert peer.confirm({"op": "state", "channel": "room:1"})["state"] == {"kept": 2}


async def test_a_silent_key_goes_silently(relay, peer, follow):
    client = await follow(relay, "room:1")
    peer.confirm(put("lock", "me", channel="room:1", ttl=0.05, notify=False))
    await until(lambda: peer.confirm({"op": "state", "channel": "room:1"})["state"] == {}, "the key is gone")
    peer.confirm(broadcast("end", channel="room:1"))
    assert (await client.next())["type"] == "end"


def test_channels_are_listed_page_by_page(relay, peer):
    for number in range(25):
        peer.confirm(put("k", number, channel=f"room:{number:02}"))
    peer.confirm(put("k", 1, channel="hall"))
    names, after = [], ""
    while True:
        page = peer.confirm({"op": "channels", "prefix": "room:", "after": after, "limit": 10})
        names += [channel["name"] for channel in page["channels"]]
        if not page.get("more"):
            break
        after = names[-1]
    assert names == [f"room:{number:02}" for number in range(25)]
    one = page["channels"][-1]
    assert (one["seq"], one["subscribers"], one["keys"], one["bytes"]) == (1, 0, 1, 3)


async def test_clients_of_one_channel(relay, peer, follow):
    client = await follow(relay, "room:1", "room:2")
    await follow(relay)
    [entry] = peer.confirm({"op": "clients", "channel": "room:1"})["clients"]
    assert entry["channels"] == 2
    assert len(peer.confirm({"op": "clients"})["clients"]) == 2
    await client.unsubscribe("room:1")
    assert peer.confirm({"op": "clients", "channel": "room:1"})["clients"] == []


@pytest.mark.parametrize("command, code", [
    (put("k", 1, channel="room 1"), "invalid_channel"),
    (put("k", 1, channel=7), "wrong_type"),
    (broadcast("x", channels=[]), "invalid_channel"),
    (broadcast("x", channels=["room:1", "room:1"]), "duplicate_member"),
    (broadcast("x", channels=[f"room:{n}" for n in range(1001)]), "invalid_channel"),
    (put("k", 1, ttl=0), "invalid_ttl"), (put("k", 1, ttl=-1), "invalid_ttl"), (put("k", 1, ttl=4e7), "invalid_ttl"),
    (put("k", 1, **{"if": {"k": 1.5}}), "invalid_version"), (put("k", 1, **{"if": {"k": -1}}), "invalid_version"),
    ({"op": "batch", "commands": []}, "invalid_batch"),
    ({"op": "batch", "commands": [{"op": "barrier"}]}, "invalid_batch"),
    ({"op": "batch", "commands": [put("k", 1, id="x")]}, "invalid_batch"),
    ({"op": "channels", "limit": 0}, "invalid_limit")])
def test_a_bad_command_is_refused_by_name(relay, peer, command, code):
    error = peer.ask(command)["error"]
    assert error["code"] == code, error
    assert error["message"]
    assert peer.confirm({"op": "channels"})["channels"][0]["name"] == ""


# Over a restart.

async def test_a_kill_loses_nothing_of_any_channel(start_relay, runtime_dir, peer_of, follow):
    data = ("--data", runtime_dir / "data")
    relay = start_relay(*OPEN, *data)
    peer = peer_of(relay)
    left = await follow(relay, "room:1", "room:2")
    peer.confirm(put("k", {"n": 1.50}, channel="room:1"))
    version = peer.confirm(put("l", 1, channel="room:2"))["versions"]["l"]
    peer.confirm({"op": "drop", "channel": "room:3"})
    peer.confirm(put("gone", 1, channel="room:4"))
    dropped = peer.confirm(broadcast("n", channel="room:4"))
    peer.confirm({"op": "drop", "channel": "room:4"})
    await left.event("sync:set", "room:2")
    positions = [left.position(name) for name in ("room:1", "room:2")]
    missed = peer.confirm(broadcast("missed", channel="room:1", id="once"))
    relay.kill()
    relay = start_relay(*OPEN, *data)
    peer = peer_of(relay)
    back = await follow(relay, *positions, "room:4")
    assert [told.type for told in back.told if told.channel == "room:1"][0] == "sync:resume"
    if "missed" not in [told.type for told in back.told]:
        await back.event("missed", "room:1")
    assert back.channels["room:1"].seq == missed["seq"]
    assert back.state("room:4") == {} and back.channels["room:4"].seq > dropped["seq"]
    assert peer.confirm(broadcast("missed", channel="room:1", id="once"))["duplicate"]
    answer = peer.confirm({"op": "state", "channel": "room:2"})
    assert (answer["state"], answer["versions"]) == ({"l": 1}, {"l": version})
    assert peer.confirm(put("l", 2, channel="room:2"))["versions"]["l"] > version


async def test_a_ttl_runs_on_over_a_restart(start_relay, runtime_dir, peer_of):
    data = ("--data", runtime_dir / "data")
    relay = start_relay(*OPEN, *data)
    peer = peer_of(relay)
    peer.confirm(put("soon", 1, channel="room:1", ttl=0.3))
    peer.confirm(put("late", 1, channel="room:1", ttl=3600))
    relay.kill()
    peer = peer_of(start_relay(*OPEN, *data))
    await until(lambda: peer.confirm({"op": "state", "channel": "room:1"})["state"] == {"late": 1}, "the key is gone")


# Hostile.

async def test_a_flood_of_subscriptions_delays_nobody(relay, peer, follow):
    quiet = await follow(relay)
    flood = await ChannelClient.open(relay)
    text = "".join('{"type":"sync:%s","channel":"room:%d"}' % (verb, number)
                   for number in range(3) for verb in ("subscribe", "unsubscribe"))
    messages = [part + "}" for part in text.split("}") if part]

    async def pour():
        for _ in range(5000):
            for message in messages:
                await flood.say(message)

    async def drink():
        async for _ in flood.connection:
            pass

    pouring = asyncio.gather(pour(), drink(), return_exceptions=True)
    for number in range(50):
        peer.confirm(broadcast("tick", number))
        assert (await quiet.event("tick"))["data"] == number
    await flood.abort()
    await pouring
    await until(lambda: len(peer.confirm({"op": "channels"})["channels"]) == 1, "what nobody follows is forgotten")
