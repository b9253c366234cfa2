"""Channels: names, their own state and numbers, lists of them, and the end of one."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import pytest
from pull_peer import DEADLINE, PullPeer
from real_relay import RealRelay
from router_peer import RouterPeer

from syncrelay import AsyncChannel, AsyncRelay, Channel, ChannelInfo, InvalidValue, Position, Relay
from syncrelay.testing import FakeRelay


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("room 42", "channel 'room 42' has ' ' at index 4; possible are A-Z a-z 0-9 _ . : ~ - @ /"),
        ("käse", "channel 'käse' has 'ä' at index 1"),
        ("a\n", "has '\\n' at index 1"),
        ("a*", "has '*' at index 1"),
        ("a" * 129, "has 129 bytes; up to 128 are possible"),
        (42, "channel must be a str, not int"),
        (None, "channel must be a str, not NoneType"),
    ],
)
def test_what_is_no_name_is_refused_at_once(endpoint: str, name: Any, reason: str) -> None:
    for relay in (Relay(endpoint), AsyncRelay(endpoint)):
        with pytest.raises(InvalidValue) as error:
            relay.channel(name)
        assert reason in str(error.value)
        assert isinstance(error.value, ValueError)
        with pytest.raises(InvalidValue, match="^prefix "):
            relay.channels(name)


@pytest.mark.parametrize("name", ["", "a", "room:42", "AZaz09_.:~-@/", "@dev-1", "a" * 128])
def test_a_name_is_taken_as_it_is(name: str) -> None:
    channel = FakeRelay().channel(name)
    assert (channel.name, repr(channel)) == (name, f"FakeChannel({name!r})")
    assert channel.broadcast("t", confirm=True).channel == name


def test_each_command_names_its_channel_and_shares_the_order(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        room = relay.channel("room:42")
        room.set("k", 1, ttl=5)
        relay.set("k", 2)
        room.merge("k", {"a": 1}, notify=False)
        relay.channel("").broadcast("t", 1)
        room.delete("k")
        room.broadcast("t", [1], set={"k": 2}, id="i")
        room.drop()
        relay.broadcast("t", channels=["b", "", "a"])
    assert fake.receive(8) == [
        {"op": "set", "channel": "room:42", "key": "k", "value": 1, "ttl": 5},
        {"op": "set", "key": "k", "value": 2},
        {"op": "merge", "channel": "room:42", "key": "k", "value": {"a": 1}, "notify": False},
        {"op": "broadcast", "type": "t", "data": 1},
        {"op": "delete", "channel": "room:42", "key": "k"},
        {"op": "broadcast", "channel": "room:42", "type": "t", "data": [1], "set": {"k": 2}, "id": "i"},
        {"op": "drop", "channel": "room:42"},
        {"op": "broadcast", "channels": ["b", "", "a"], "type": "t"},
    ]


async def test_the_async_variant_names_them_as_well(fake: PullPeer) -> None:
    fake.start()
    async with AsyncRelay(fake.endpoint) as relay:
        room = relay.channel("room:42")
        await room.set("k", 1, ttl=5)
        await room.merge("k", {"a": 1}, ttl=6)
        await room.delete("k")
        await room.broadcast("t", [1], set={"k": 2}, ttl=7)
        await room.drop(id="i")
        await relay.broadcast("t", channels=["a"])
        assert (room.name, repr(room)) == ("room:42", "AsyncChannel('room:42')")
    assert fake.receive(6) == [
        {"op": "set", "channel": "room:42", "key": "k", "value": 1, "ttl": 5},
        {"op": "merge", "channel": "room:42", "key": "k", "value": {"a": 1}, "ttl": 6},
        {"op": "delete", "channel": "room:42", "key": "k"},
        {"op": "broadcast", "channel": "room:42", "type": "t", "data": [1], "set": {"k": 2}, "ttl": 7},
        {"op": "drop", "channel": "room:42", "id": "i"},
        {"op": "broadcast", "channels": ["a"], "type": "t"},
    ]


def test_an_old_relay_sees_what_it_saw(endpoint: str) -> None:
    encoder = Relay(endpoint)._encoder
    assert encoder.set("k", 1, True) == b'{"op":"set","key":"k","value":1}'
    assert encoder.query("state") == b'{"op":"state"}'
    assert encoder.query("clients") == b'{"op":"clients"}'


def parameters(method: Any) -> list[tuple[str, Any]]:
    return [(each.name, each.default) for each in inspect.signature(method).parameters.values() if each.name != "self"]


OF_THREADS, OF_COROUTINES = {"run", "start", "stop"}, {"serve"}  # how handlers are called


@pytest.mark.parametrize("of", [(Relay, AsyncRelay), (Channel, AsyncChannel)])
def test_sync_and_async_have_the_same_methods_with_the_same_arguments(of: tuple[Any, Any]) -> None:
    mine, other = ({name for name in dir(each) if not name.startswith("_")} for each in of)
    assert mine - OF_THREADS == other - OF_COROUTINES
    for name in mine - OF_THREADS:
        if callable(getattr(of[0], name)):
            assert parameters(getattr(of[0], name)) == parameters(getattr(of[1], name)), name


def test_a_channel_has_the_relays_methods_with_the_same_arguments() -> None:
    assert parameters(Relay.run) == parameters(AsyncRelay.serve)
    for name in ("set", "merge", "delete", "state", "update", "clients", "members", "will", "no_will"):
        assert parameters(getattr(Channel, name)) == parameters(getattr(Relay, name)), name
    of_relay = [each for each in parameters(Relay.broadcast) if each[0] != "channels"]
    assert parameters(Channel.broadcast) == of_relay


def test_each_channel_has_state_and_numbers_of_its_own(relay: Relay) -> None:
    one, two = relay.channel("one"), relay.channel("two")
    first = one.set("k", 1, confirm=True)
    assert (first.seq, first.channel, first.clients) == (1, "one", 0)
    one.broadcast("t")
    assert one.broadcast("t", confirm=True).seq == 3
    assert two.set("k", {"a": 2}, confirm=True).seq == 1
    assert two.merge("k", {"b": 3}, confirm=True).seq == 2
    assert relay.broadcast("t", confirm=True).seq == 1
    assert (one.state(), two.state()) == ({"k": 1}, {"k": {"a": 2, "b": 3}})
    assert (one.state("k"), two.state("none")) == (1, None)
    assert relay.state() == relay.channel("").state() == {"comparison": None, "radio": None}
    one.delete("k")
    assert (one.state(), two.state("k")) == ({}, {"a": 2, "b": 3})


def test_positions_of_two_channels_are_never_the_same(relay: Relay) -> None:
    one = relay.channel("one").broadcast("t", confirm=True)
    two = relay.channel("two").broadcast("t", confirm=True)
    assert one.seq == two.seq and one != two
    assert one == Position(one.epoch, 1, channel="one")
    assert len({one, two}) == 2


def test_an_id_counts_in_all_channels_and_its_duplicate_tells_no_versions(relay: Relay) -> None:
    room = relay.channel("one")
    first = room.set("k", 1, confirm=True, id="i")
    again = room.set("k", 2, confirm=True, id="i")
    assert (again, again.duplicate, again.versions) == (first, True, {})
    assert list(first.versions) == ["k"]
    assert room.state("k") == 1


def test_a_list_gets_one_event_in_each(relay: Relay) -> None:
    relay.channel("b").broadcast("earlier")
    position = relay.broadcast("t", 1, channels=["b", "", "a"], set={"k": 2}, confirm=True)
    assert (position.channel, position.seq) == ("b", 2)
    assert {name: (each.seq, each.channel) for name, each in position.positions.items()} == {
        "b": (2, "b"),
        "": (1, ""),
        "a": (1, "a"),
    }
    assert [relay.channel(name).state("k") for name in ("a", "b", "")] == [2, 2, 2]
    again = relay.broadcast("t", 1, channels=(name for name in ("a", "b")), confirm=True, id="i")
    assert again.positions["b"] == Position(again.epoch, 3, channel="b")
    assert relay.broadcast("t", channels=["a"], confirm=True, id="i").positions == {}


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ([], "channels has 0 names; 1 to 1,000 are possible"),
        ([str(number) for number in range(1001)], "channels has 1001 names"),
        (["a", "b", "a"], "channels has 'a' twice"),
        (["a", "b c"], r"channels\[1\] 'b c' has ' '"),
        (["a", 1], r"channels\[1\] must be a str"),
        ("abc", "channels must be a list of names, not a str"),
        (7, "channels must be a list of names, not a int"),
    ],
)
def test_a_list_that_is_none_is_refused_at_once(endpoint: str, channels: Any, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        Relay(endpoint).broadcast("t", channels=channels)


def test_a_thousand_channels_are_possible(relay: Relay) -> None:
    names = [f"room:{number}" for number in range(1000)]
    assert list(relay.broadcast("t", channels=names, confirm=True).positions) == names


def test_a_dropped_channel_is_gone_and_its_numbers_go_on(relay: Relay) -> None:
    room = relay.channel("one")
    room.set("k", 1)
    before = room.broadcast("t", confirm=True)
    assert room.drop(confirm=True).channel == "one"
    assert room.state() == {}
    assert "one" not in [each.name for each in relay.channels()]
    after = room.set("k", 2, confirm=True)
    assert after.epoch != before.epoch or after.seq > before.seq + 1
    assert isinstance(relay.channel("never-there").drop(confirm=True), Position)
    room.drop()
    assert room.state() == {}


def test_the_default_channel_cannot_be_dropped(endpoint: str) -> None:
    with pytest.raises(InvalidValue, match="channel is the default one, which cannot be dropped"):
        Relay(endpoint).channel("").drop()


def test_all_channels_are_listed_by_name(relay: Relay) -> None:
    relay.channel("b").set("käse", [1, "ä"])
    relay.channel("b").set("k", None)
    relay.channel("a").broadcast("t")
    relay.channel("@dev-1").broadcast("t")
    epoch = relay.stats()["epoch"]
    default, personal, a, b = relay.channels()
    assert a == ChannelInfo("a", 1, epoch, subscribers=0, keys=0, bytes=0)
    assert b == ChannelInfo("b", 2, epoch, subscribers=0, keys=2, bytes=5 + 8 + 1 + 4)
    assert (default.name, default.keys, personal.name) == ("", 2, "@dev-1")


@pytest.mark.parametrize("page", [1, 2, 3, 7, 8, 1000])
def test_the_list_goes_through_all_pages(relay: Relay, page: int) -> None:
    names = [f"room:{number}" for number in range(6)]
    relay.broadcast("t", channels=[*names, "other"])
    assert [each.name for each in relay.channels("room:", page=page)] == names
    assert [each.name for each in relay.channels(page=page)] == ["", "other", *names]
    assert list(relay.channels("none", page=page)) == []


@pytest.mark.parametrize("page", [0, 1001, 1.0, True])
def test_a_page_has_1_to_1000_channels(endpoint: str, page: Any) -> None:
    with pytest.raises(InvalidValue, match="page is .*; possible are 1 to 1,000"):
        Relay(endpoint).channels(page=page)


def test_pages_are_asked_for_as_they_are_needed(control: RouterPeer, endpoint: str) -> None:
    control.start()
    info = {"seq": 1, "epoch": "e", "subscribers": 0, "keys": 0, "bytes": 0}

    async def read() -> None:
        async with AsyncRelay(endpoint) as relay:
            found = relay.channels("a", page=2)
            first = asyncio.ensure_future(found.__anext__())
            envelope, query = await asyncio.to_thread(control.receive)
            assert query == {"op": "channels", "limit": 2, "prefix": "a"}
            control.answer(envelope, channels=[{"name": "a", **info}, {"name": "ab", "new": 1, **info}], more=True)
            assert (await first).name == "a"
            assert (await found.__anext__()).name == "ab"
            assert control.is_silent(0.05)
            last = asyncio.ensure_future(found.__anext__())
            envelope, query = await asyncio.to_thread(control.receive)
            assert query == {"op": "channels", "prefix": "a", "limit": 2, "after": "ab"}
            control.answer(envelope, channels=[], more=False)
            with pytest.raises(StopAsyncIteration):
                await last

    asyncio.run(read())


def test_behind_the_default_channel_it_goes_on_with_the_empty_name(control: RouterPeer, endpoint: str) -> None:
    control.start()
    info = {"seq": 1, "epoch": "e", "subscribers": 0, "keys": 0, "bytes": 0}

    async def read() -> None:
        async with AsyncRelay(endpoint) as relay:
            names = asyncio.ensure_future(listed(relay))
            for expected, found in (({}, ""), ({"after": ""}, "a")):
                envelope, query = await asyncio.to_thread(control.receive)
                assert query == {"op": "channels", "limit": 1, **expected}
                control.answer(envelope, channels=[{"name": found, **info}], more=found == "")
            assert await names == ["", "a"]

    async def listed(relay: AsyncRelay) -> list[str]:
        return [each.name async for each in relay.channels(page=1)]

    asyncio.run(read())


async def test_the_async_variant_does_the_same(relay: Relay) -> None:
    other = AsyncRelay(relay=relay)
    room = other.channel("room:1")
    assert (await room.set("k", 1, confirm=True)).seq == 1
    assert (await room.merge("k", {"a": 1}, confirm=True)).seq == 2
    assert await room.state() == {"k": {"a": 1}}
    assert (await room.delete("k", confirm=True)).versions == {"k": 0}
    assert (await room.broadcast("t", confirm=True)).channel == "room:1"
    assert list((await other.broadcast("t", channels=["a", "b"], confirm=True)).positions) == ["a", "b"]
    assert await room.clients() == []
    assert [each.name async for each in other.channels(page=2)] == ["", "a", "b", "room:1"]
    await room.drop(confirm=True)
    assert [each.name async for each in other.channels("room")] == []


async def test_clients_are_those_of_the_channel(real: RealRelay) -> None:
    import websockets

    real.options = ("--open-channels", "*")
    real.start()
    async with AsyncRelay(real.endpoint) as relay:
        url = f"ws://127.0.0.1:{real.port}/ws/sync"
        async with websockets.connect(url) as default, websockets.connect(f"{url}?channel=a&channel=b") as rooms:
            for client, greetings in ((default, 1), (rooms, 2)):
                for _ in range(greetings):
                    await asyncio.wait_for(client.recv(), DEADLINE)
            assert {each.channels for each in await relay.clients()} == {1, 2}
            (one,), (other,) = await relay.channel("").clients(), await relay.channel("a").clients()
            assert (one.channels, other.channels) == (1, 2)
            assert (await relay.channel("c").clients()) == []
            position = await relay.channel("a").broadcast("t", 7, confirm=True)
            assert position.clients == 1
            event = json.loads(await asyncio.wait_for(rooms.recv(), DEADLINE))
            assert list(event) == ["type", "channel", "data", "ts", "seq"]
            assert (event["channel"], event["data"], event["seq"]) == ("a", 7, position.seq)
            assert [each.subscribers async for each in relay.channels("b")] == [1]
            await relay.channel("a").drop()
            event = json.loads(await asyncio.wait_for(rooms.recv(), DEADLINE))
            assert (event["type"], event["reason"]) == ("sync:unsubscribed", "dropped")


def test_a_channel_keeps_its_relay_in_use(real: RealRelay) -> None:
    real.start()
    room = Relay(real.endpoint).channel("one")
    room.broadcast("t")
    assert room.broadcast("t", confirm=True).seq == 2
    assert room.state() == {}
    room._relay.close()
