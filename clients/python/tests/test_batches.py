"""Many commands in one step."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pull_peer import PullPeer

from syncrelay import (
    AsyncRelay,
    CommandRejected,
    CommandTooLarge,
    Conflict,
    ConfirmTimeout,
    InvalidValue,
    Relay,
    RelayUnavailable,
)
from syncrelay.encoding import CommandEncoder
from syncrelay.testing import FakeRelay

COMMANDS = [
    {"op": "set", "key": "k", "value": {"ä": [1]}, "ttl": 1.5},
    {"op": "merge", "channel": "one", "key": "k", "value": 1, "notify": False},
    {"op": "delete", "channel": "one", "key": "k"},
    {"op": "broadcast", "type": "t", "data": 2, "set": {"a": 3}},
    {"op": "broadcast", "channels": ["a", "b"], "type": "t"},
    {"op": "drop", "channel": "a"},
    {"op": "drop", "channel": "b"},
]


def fill(batch: Any) -> None:
    one = batch.channel("one")
    batch.set("k", {"ä": [1]}, ttl=1.5)
    one.merge("k", 1, notify=False)
    one.delete("k")
    batch.broadcast("t", 2, set={"a": 3})
    batch.broadcast("t", channels=["a", "b"])
    batch.drop("a")
    batch.channel("b").drop()


def test_all_go_as_one_command_when_the_block_ends(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.broadcast("before")
        with relay.batch() as batch:
            fill(batch)
            relay.broadcast("meanwhile")
            assert len(batch) == 7
        with relay.batch(id="i") as batch:
            batch.delete("k")
        assert batch.result is None
    assert fake.receive(4) == [
        {"op": "broadcast", "type": "before"},
        {"op": "broadcast", "type": "meanwhile"},
        {"op": "batch", "commands": COMMANDS},
        {"op": "batch", "commands": [{"op": "delete", "key": "k"}], "id": "i"},
    ]


async def test_so_they_do_in_the_async_variant(fake: PullPeer) -> None:
    fake.start()
    async with AsyncRelay(fake.endpoint) as relay:
        async with relay.batch() as batch:
            fill(batch)
        async with relay.batch(id="j") as batch:
            batch.delete("k")
        assert batch.result is None
    assert await asyncio.to_thread(fake.receive, 2) == [
        {"op": "batch", "commands": COMMANDS},
        {"op": "batch", "commands": [{"op": "delete", "key": "k"}], "id": "j"},
    ]


async def test_an_exception_or_nothing_sends_nothing() -> None:
    fake = FakeRelay()
    other = AsyncRelay(relay=fake)
    with pytest.raises(KeyError):
        with fake.batch(confirm=True) as batch:
            batch.set("k", 1)
            raise KeyError
    with pytest.raises(KeyError):
        async with other.batch(confirm=True) as also:
            also.set("k", 1)
            raise KeyError
    with fake.batch(confirm=True) as empty:
        pass
    async with other.batch(confirm=True) as also_empty:
        assert also_empty
    assert fake.commands == []
    assert (batch.result, empty.result, also.result, also_empty.result) == (None, None, None, None)


def test_a_confirmed_one_tells_the_positions_of_all(relay: Relay) -> None:
    relay.channel("one").broadcast("t")
    with relay.batch(confirm=True) as batch:
        one = batch.channel("one")
        assert one.name == "one"
        one.set("k", 1)
        batch.set("k", 2, notify=False)
        batch.broadcast("t", channels=["one", "two"])
        one.broadcast("t", set={"a": 1, "b": 2})
    result = batch.result
    assert result is not None and (result.channel, result.seq, result.duplicate) == ("one", 4, False)
    assert [(each.channel, each.seq) for each in result.results] == [("one", 2), ("", 0), ("one", 3), ("one", 4)]
    assert {name: each.seq for name, each in result.results[2].positions.items()} == {"one": 3, "two": 1}
    assert [sorted(each.versions) for each in result.results] == [["k"], ["k"], [], ["a", "b"]]
    assert result.results[0].versions["k"] == relay.channel("one").state("k", versions=True).version
    assert {each.epoch for each in result.results} == {result.epoch}


async def test_the_async_variant_tells_them_too(relay: Relay) -> None:
    async with AsyncRelay(relay=relay).batch(confirm=True) as batch:
        batch.set("k", 1)
        batch.channel("one").broadcast("t")
    assert batch.result is not None
    assert [each.channel for each in batch.result.results] == ["", "one"]


def test_all_or_none_takes_effect(relay: Relay) -> None:
    version = relay.channel("one").set("k", 0, confirm=True).versions["k"]
    relay.set("radio", 1)
    before = relay.stats()["seq"]
    with pytest.raises(Conflict) as error:
        with relay.batch() as batch:
            batch.set("radio", 2)
            batch.channel("one").set("k", 3, if_version=version)
            batch.channel("two").broadcast("t")
            batch.drop("two")
            batch.channel("one").set("k", 4, if_version=version)
    assert error.value.index == 4 and "command 4 of the batch" in str(error.value)
    assert list(error.value.current) == ["k"] and error.value.current["k"].value == 3
    assert batch.result is None
    assert (relay.state("radio"), relay.channel("one").state("k"), relay.stats()["seq"]) == (1, 0, before)
    assert relay.channel("one").state("k", versions=True).version == version
    assert [each.name for each in relay.channels("t")] == []
    assert relay.channel("one").broadcast("t", confirm=True).seq == 2


def test_conditions_see_what_the_commands_before_them_did(relay: Relay) -> None:
    with relay.batch() as batch:
        batch.set("lock", 1, if_version=0)
        batch.delete("lock")
        batch.set("lock", 2, if_version=0)
    assert batch.result is not None and relay.state("lock") == 2


def test_an_id_makes_it_take_effect_once(relay: Relay) -> None:
    for value in (1, 2):
        with relay.batch(confirm=True, id="i") as batch:
            batch.channel("one").set("k", value)
    assert batch.result is not None
    assert (batch.result.duplicate, batch.result.channel, batch.result.results) == (True, "one", [])
    assert relay.channel("one").state("k") == 1


def test_it_holds_at_most_a_thousand(relay: Relay) -> None:
    with relay.batch(confirm=True) as batch:
        for number in range(1000):
            batch.broadcast("t", number)
    assert batch.result is not None and (batch.result.seq, len(batch.result.results)) == (1000, 1000)
    with pytest.raises(InvalidValue, match="^batch has 1,000 commands already, as many as it may have"):
        with relay.batch() as batch:
            for number in range(1001):
                batch.broadcast("t", number)
    assert relay.stats()["seq"] == 1000


def test_a_bad_command_is_told_where_it_is_given(endpoint: str) -> None:
    relay = Relay(endpoint)
    with relay.batch() as batch:
        for fail, message in [
            (lambda: batch.set("k", float("nan")), "value is NaN"),
            (lambda: batch.set("", 1), "^key "),
            (lambda: batch.channel("a b"), "^channel 'a b' has ' '"),
            (lambda: batch.drop("a b"), "^channel 'a b' has ' '"),
            (lambda: batch.drop(""), "cannot be dropped"),
            (lambda: batch.channel("").drop(), "cannot be dropped"),
            (lambda: batch.broadcast("sync:x"), "^type "),
            (lambda: batch.broadcast("t", channels=[]), "^channels has 0"),
            (lambda: batch.broadcast("t", ttl=1), "^ttl is for what set stores"),
            (lambda: batch.merge("k", 1, ttl=0), "^ttl is 0 seconds"),
            (lambda: batch.delete("k", if_version=-1), "^if_version is -1"),
        ]:
            with pytest.raises(InvalidValue, match=message):
                fail()
        assert len(batch) == 0


def test_all_together_are_as_large_as_one_command(endpoint: str) -> None:
    relay = Relay(endpoint, max_command=1000)
    with pytest.raises(CommandTooLarge, match="^batch has over 1000 bytes"):
        with relay.batch() as batch:
            batch.set("k", "x" * 600)
            batch.set("k", "x" * 600)
    with pytest.raises(CommandTooLarge, match=r"^batch has 1\d\d\d bytes; the limit is 1000"):
        with relay.batch(id="i" * 100) as batch:
            batch.set("k", "x" * 900)
    assert relay.queued == 0


def test_levels_of_the_batch_count() -> None:
    value: Any = []
    for _ in range(508):
        value = [value]
    encoder = CommandEncoder()
    inner = encoder.for_batches()
    command = inner.broadcast("t", value, None, True)  # 1 + 509 levels
    assert json.loads(encoder.batch([command], None))["commands"][0]["data"] == value
    with pytest.raises(InvalidValue, match="nested deeper than 512 levels"):
        inner.broadcast("t", [value], None, True)
    assert encoder.broadcast("t", [[value]], None, True)


def test_the_deepest_value_is_taken(relay: Relay) -> None:
    value: Any = []
    for _ in range(508):
        value = [value]
    with relay.batch(confirm=True) as batch:
        batch.broadcast("t", value)
    assert batch.result is not None


async def test_it_is_good_for_one_block(endpoint: str) -> None:
    relay = Relay(endpoint)
    batch = relay.batch()
    with pytest.raises(RuntimeError, match="inside its with block"):
        batch.set("k", 1)
    with batch:
        pass
    with pytest.raises(RuntimeError, match="inside its with block"):
        batch.channel("one").set("k", 1)
    with pytest.raises(RuntimeError, match="used already"):
        with batch:
            pass
    also = AsyncRelay(relay=relay).batch()
    async with also:
        pass
    with pytest.raises(RuntimeError, match="used already"):
        async with also:
            pass


def test_it_is_refused_whole() -> None:
    fake = FakeRelay()
    fake.reject("state_full")
    with pytest.raises(CommandRejected) as error:
        with fake.batch(confirm=True) as batch:
            batch.set("k", 1)
    assert (error.value.code, error.value.index) == ("state_full", None)
    assert fake.commands == []


async def test_its_timeout_is_that_of_its_answer(endpoint: str) -> None:
    with pytest.raises(ConfirmTimeout, match="within 0.1 s"):
        with Relay(endpoint).batch(confirm=True, timeout=0.1) as batch:
            batch.set("k", 1)
    with pytest.raises(ConfirmTimeout, match="within 0.1 s"):
        async with AsyncRelay(endpoint).batch(confirm=True, timeout=0.1) as also:
            also.set("k", 1)


def test_a_full_queue_takes_none_of_it() -> None:
    fake = FakeRelay(max_queue_commands=1)
    fake.go_away()
    fake.broadcast("t")
    with pytest.raises(RelayUnavailable):
        with fake.batch() as batch:
            batch.set("k", 1)
            batch.set("k", 2)
    fake.come_back()
    assert len(fake.commands) == 1


def test_a_fake_records_it_as_one_command() -> None:
    fake = FakeRelay()
    with fake.batch(confirm=True) as batch:
        fill(batch)
    assert fake.commands == [{"op": "batch", "commands": COMMANDS}]
    assert [each.get("channel") for each in fake.all_events] == [None, "one", None, "a", "b"]
