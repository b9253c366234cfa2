"""Compare and set, updates, and state that ends by itself."""

from __future__ import annotations

import asyncio
import pickle
import threading
from datetime import timedelta
from typing import Any

import pytest
from pull_peer import DEADLINE, wait_until
from real_relay import RealRelay
from router_peer import RouterPeer
from test_confirm import crash_while

from syncrelay import AnswerTimeout, AsyncRelay, CommandRejected, Conflict, InvalidValue, Relay, Versioned
from syncrelay.encoding import CommandEncoder
from syncrelay.testing import FakeRelay


def test_a_version_grows_with_each_change(relay: Relay) -> None:
    room = relay.channel("one")
    seen = [
        room.set("k", 1, confirm=True).versions["k"],
        relay.set("k", 1, confirm=True).versions["k"],
        room.set("k", 1, confirm=True).versions["k"],
        room.merge("k", {}, notify=False, confirm=True).versions["k"],
        room.broadcast("t", set={"k": 1, "l": 2}, confirm=True).versions["k"],
    ]
    assert seen == sorted(set(seen)) and seen[0] > 0
    assert room.delete("k", confirm=True).versions == {"k": 0}
    assert room.set("k", 1, confirm=True).versions["k"] > seen[-1]
    assert relay.delete("radio", confirm=True).versions["radio"] > seen[-1]  # a configured key is null, not gone
    assert relay.broadcast("t", confirm=True).versions == {}


def test_a_dropped_channel_gives_no_version_again(relay: Relay) -> None:
    room = relay.channel("one")
    before = room.set("k", 1, confirm=True).versions["k"]
    room.drop()
    with pytest.raises(Conflict) as error:
        room.set("k", 2, if_version=before)
    assert error.value.current == {"k": (0, None)}
    assert room.set("k", 2, if_version=0).versions["k"] > before


async def test_state_comes_with_versions_when_asked(relay: Relay) -> None:
    room = relay.channel("one")
    versions = room.broadcast("t", set={"a": [1], "b": None}, confirm=True).versions
    assert room.state(versions=True) == {"a": (versions["a"], [1]), "b": (versions["b"], None)}
    assert room.state("a", versions=True) == Versioned(version=versions["a"], value=[1])
    assert room.state("none", versions=True) == Versioned(0, None)
    other = AsyncRelay(relay=relay).channel("one")
    assert (await other.state("a", versions=True)).version == versions["a"]
    assert (await other.state(versions=True))["b"].value is None
    assert set(relay.state(versions=True)) == {"comparison", "radio"}


def test_a_command_counts_only_for_the_version_it_names(relay: Relay) -> None:
    first = relay.set("k", {"a": 1}, if_version=0).versions["k"]
    for refused in (
        lambda: relay.set("k", 0, if_version=0),
        lambda: relay.merge("k", {"a": 0}, if_version=first + 1000),
        lambda: relay.delete("k", if_version=0),
        lambda: relay.broadcast("t", set={"k": 0}, if_version={"k": 0}),
        lambda: relay.broadcast("t", if_version={"k": first, "none": first}),
    ):
        with pytest.raises(Conflict) as error:
            refused()
        assert isinstance(error.value, CommandRejected) and error.value.code == "conflict"
    assert error.value.current == {"none": Versioned(0, None)}
    assert relay.stats()["seq"] == 1 and relay.state("k") == {"a": 1}
    second = relay.merge("k", {"b": 2}, if_version=first).versions["k"]
    third = relay.broadcast("t", set={"k": 3}, if_version={"k": second}).versions["k"]
    relay.set("lock", 1, if_version={"k": third, "lock": 0})
    relay.delete("k", if_version=third)
    assert relay.state("k") is None


async def test_a_condition_waits_for_the_answer_in_the_async_variant_too(relay: Relay) -> None:
    other = AsyncRelay(relay=relay)
    version = (await other.set("k", 1, if_version=0)).versions["k"]
    for refused in (
        other.set("k", 2, if_version=0),
        other.merge("k", 2, if_version=0),
        other.delete("k", if_version=0),
        other.broadcast("t", if_version={"k": 0}),
        other.broadcast("t", channels=["", "one"], if_version={"k": 0}),
        other.channel("").broadcast("t", if_version={"k": 0}),
    ):
        with pytest.raises(Conflict) as error:
            await refused
        assert error.value.current == {"k": (version, 1)}
    with pytest.raises(Conflict):
        async with other.batch() as batch:
            batch.delete("k", if_version=0)


def test_a_conflict_survives_a_pickle() -> None:
    fake = FakeRelay()
    version = fake.set("k", {"a": 1}, confirm=True).versions["k"]
    with pytest.raises(Conflict) as error:
        fake.delete("k", if_version=0)
    copy = pickle.loads(pickle.dumps(error.value))
    assert copy.current == {"k": (version, {"a": 1})} and str(copy) == str(error.value)
    assert "\"if\" names version 0" in str(copy)


def test_an_unconditional_mapping_is_only_confirmed() -> None:
    fake = FakeRelay()
    assert fake.set("k", 1, if_version={}).seq == 1
    assert fake.commands == [{"op": "set", "key": "k", "value": 1}]


encoder = CommandEncoder()


@pytest.mark.parametrize(
    ("if_version", "reason"),
    [
        (-1, "^if_version is -1; a version is 0, for a key that is not there, or more"),
        (2**53, "^if_version is 9007199254740992"),
        (True, "^if_version must be a version, which is an int, not a bool"),
        (1.0, "^if_version must be a version, which is an int, not a float"),
        ("1", "not a str"),
        ({"a": "1"}, r"^if_version\['a'\] must be a version"),
        ({"": 1}, "^if_version key "),
        ({1: 1}, "^if_version key must be a str"),
    ],
)
def test_what_is_no_version_is_refused_at_once(if_version: Any, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        encoder.set("k", 1, True, if_version=if_version)


def test_a_broadcast_names_its_keys() -> None:
    with pytest.raises(InvalidValue, match="^if_version must map keys to versions, not be a int"):
        encoder.broadcast("t", 1, {"k": 1}, True, if_version=7)  # type: ignore[arg-type]
    assert b'"if":{"k":9007199254740991}' in encoder.broadcast("t", 1, None, True, if_version={"k": 2**53 - 1})


@pytest.mark.parametrize(
    ("ttl", "sent"),
    [
        (5, b'"ttl":5}'),
        (0.5, b'"ttl":0.5}'),
        (1.23456, b'"ttl":1.235}'),
        (timedelta(minutes=1, milliseconds=1), b'"ttl":60.001}'),
        (0.001, b'"ttl":0.001}'),
        (1e-9, b'"ttl":0.001}'),
        (31_536_000, b'"ttl":31536000}'),
        (timedelta(days=365), b'"ttl":31536000.0}'),
    ],
)
def test_a_ttl_is_sent_in_seconds(ttl: Any, sent: bytes) -> None:
    for command in (
        encoder.set("k", 1, True, ttl=ttl),
        encoder.merge("k", 1, True, ttl=ttl),
        encoder.broadcast("t", 1, {"k": 1}, True, ttl=ttl),
    ):
        assert command.endswith(sent)


@pytest.mark.parametrize("ttl", [0, -1, 0.0, float("nan"), float("inf"), 31_536_001, timedelta(0), timedelta(days=366)])
def test_a_ttl_is_more_than_nothing_and_at_most_a_year(ttl: Any) -> None:
    with pytest.raises(InvalidValue, match="^ttl is .* seconds; possible is more than 0 and up to 31,536,000, a year"):
        encoder.set("k", 1, True, ttl=ttl)


@pytest.mark.parametrize(("ttl", "reason"), [("5", "not a str"), (True, "not a bool")])
def test_a_ttl_is_a_time(ttl: Any, reason: str) -> None:
    with pytest.raises(InvalidValue, match=f"^ttl .*{reason}"):
        encoder.merge("k", 1, True, ttl=ttl)


def test_a_ttl_needs_something_to_end(endpoint: str) -> None:
    for changes in (None, {}):
        with pytest.raises(InvalidValue, match="^ttl is for what set stores, and without set there is nothing"):
            Relay(endpoint).broadcast("t", set=changes, ttl=1)


def test_a_key_ends_in_the_real_relay_as_it_does_in_a_fake(real: RealRelay) -> None:
    real.start()
    fake = FakeRelay()
    with Relay(real.endpoint) as relay:
        for each in (relay, fake):
            each.set("radio", 1, ttl=0.01)
            each.set("none", 1, notify=False, ttl=0.02)
            each.merge("k", {"a": 1}, ttl=timedelta(seconds=0.03))
            each.broadcast("t", set={"l": 1}, ttl=0.04)
            each.set("stays", 1, ttl=0.01)
            each.set("stays", 2)
            each.set("stays too", 1, ttl=0.01)
            each.merge("stays too", {"a": 1})
        wait_until(lambda: len(relay.state()) == 4, "four keys are gone")
        fake.advance(1)
        assert relay.state() == fake.state() == {"comparison": None, "radio": None, "stays": 2, "stays too": {"a": 1}}
        log = real.log(relay.stats()["epoch"])
    events = [[{**each, "ts": 0} for each in log] for log in (log, fake.events)]
    assert sorted(map(str, ({**each, "seq": 0} for each in events[0]))) == sorted(
        map(str, ({**each, "seq": 0} for each in events[1]))
    )


def test_a_fakes_time_passes_only_when_it_is_told() -> None:
    fake = FakeRelay()
    room = fake.channel("one")
    room.set("b", 1, ttl=5)
    fake.set("radio", 1, ttl=4.5)
    room.set("a", 1, ttl=6, notify=False)
    fake.advance(4.4)
    assert (room.stored, fake.stored["radio"]) == ({"a": 1, "b": 1}, 1)
    before = room.state("a", versions=True).version
    fake.advance(10)
    assert (room.stored, fake.stored["radio"]) == ({}, None)
    ends = [(each.get("channel"), each["type"], each["data"]) for each in fake.all_events[2:]]
    assert ends == [(None, "sync:set", {"radio": None}), ("one", "sync:delete", ["b"])]
    assert fake.events[-1]["ts"] - fake.events[0]["ts"] == pytest.approx(4.5, abs=1)
    assert room.set("a", 1, if_version=0).versions["a"] > before
    with pytest.raises(ValueError, match="forward"):
        fake.advance(-1)


def test_a_batch_that_fails_leaves_what_was_to_end() -> None:
    fake = FakeRelay()
    fake.set("k", 1, ttl=1)
    with pytest.raises(Conflict):
        with fake.batch() as batch:
            batch.set("k", 2)
            batch.set("k", 3, if_version=0)
    assert fake.stored["k"] == 1
    fake.advance(1)
    assert "k" not in fake.stored


def test_an_update_stores_what_the_function_makes_of_it(relay: Relay) -> None:
    for target in (relay, relay.channel("one")):
        assert target.update("n", lambda n: (n or 0) + 1) == 1
        assert target.update("n", lambda n: (n or 0) + 1, timeout=DEADLINE) == 2
        assert target.state("n") == 2
    assert relay.update("radio", lambda radio: [radio]) == [None]
    assert relay.update("radio", lambda radio: [*radio, 1]) == [None, 1]


def count(relay: Relay, name: str, times: int) -> None:
    for _ in range(times):
        relay.channel(name).update("n", lambda n: (n or 0) + 1, timeout=DEADLINE)


def count_in_threads(relays: list[Relay]) -> None:
    threads = [threading.Thread(target=count, args=(relay, "one", 50)) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * DEADLINE)


def test_two_workers_with_fifty_increments_each_make_a_hundred(relay: Relay) -> None:
    count_in_threads([relay, relay])
    assert relay.channel("one").state("n") == 100


def test_two_processes_worth_of_connections_make_a_hundred(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as one, Relay(real.endpoint) as other:
        count_in_threads([one, other])
        assert one.channel("one").state("n") == 100


def test_updates_count_once_across_crashes(durable: RealRelay) -> None:
    durable.start()
    done: dict[Any, Any] = {}
    with Relay(durable.endpoint) as one, Relay(durable.endpoint) as other:

        def count(relay: Relay) -> None:
            for number in range(100):
                channel = relay.channel("one")
                done[relay, number] = channel.update("n", lambda n: (n or 0) + 1, timeout=3 * DEADLINE)

        threads = [threading.Thread(target=count, args=(relay,)) for relay in (one, other)]
        for thread in threads:
            thread.start()
        crash_while(durable, done, 200, crashes=3)
        for thread in threads:
            thread.join(3 * DEADLINE)
        assert sorted(done.values()) == list(range(1, 201))
        assert one.channel("one").state("n") == 200


async def test_two_tasks_with_fifty_increments_each_make_a_hundred(relay: Relay) -> None:
    other = AsyncRelay(relay=relay)

    async def slowly(n: Any) -> int:
        await asyncio.sleep(0)
        return int(n or 0) + 1

    async def count(function: Any) -> None:
        for _ in range(50):
            await other.channel("one").update("n", function, timeout=DEADLINE)

    await asyncio.gather(count(slowly), count(lambda n: (n or 0) + 1))
    assert await other.channel("one").state("n") == 100
    assert await other.update("n", slowly) == 1


async def test_an_update_goes_on_from_what_the_conflict_tells() -> None:
    for is_async in (False, True):
        fake = FakeRelay()
        fake.set("k", ["first"])
        seen: list[Any] = []

        def add(value: Any) -> Any:
            seen.append(list(value))
            if len(seen) == 1:
                fake.set("k", ["other"])
            value.append("mine")
            return value

        new = await AsyncRelay(relay=fake).update("k", add) if is_async else fake.update("k", add)
        assert new == fake.state("k") == ["other", "mine"]
        assert seen == [["first"], ["other"]]


async def test_an_update_asks_again_when_the_conflict_does_not_tell() -> None:
    fake = FakeRelay()
    fake.reject("conflict", times=2)
    assert fake.update("k", lambda value: 7) == 7
    fake.reject("conflict", times=2)
    assert await AsyncRelay(relay=fake).update("k", lambda value: 8) == 8
    assert fake.state("k") == 8


async def test_an_update_passes_on_notify_and_ttl() -> None:
    fake = FakeRelay()
    fake.update("k", lambda value: 1, notify=False, ttl=5)
    await AsyncRelay(relay=fake).update("l", lambda value: 1, notify=False, ttl=5)
    assert fake.commands == [
        {"op": "set", "key": key, "value": 1, "ttl": 5, "if": {key: 0}, "notify": False} for key in ("k", "l")
    ]


async def test_an_update_that_never_wins_ends_in_time_with_the_conflict() -> None:
    fake = FakeRelay()

    def lose(value: Any) -> Any:
        fake.set("k", (value or 0) + 1)
        return "mine"

    with pytest.raises(Conflict) as error:
        fake.update("k", lose, timeout=0.05)
    assert isinstance(fake.state("k"), int) and fake.state("k") - error.value.current["k"].value in (0, 1)
    with pytest.raises(Conflict):
        await AsyncRelay(relay=fake).update("k", lose, timeout=0.05)


async def test_an_update_without_time_changes_nothing() -> None:
    fake = FakeRelay()
    other = AsyncRelay(relay=fake)
    with pytest.raises(AnswerTimeout, match="no update of 'k' within 0 s: nothing was sent"):
        fake.update("k", lambda value: 1, timeout=0)
    with pytest.raises(AnswerTimeout, match="no update of 'k' within 0 s: nothing was sent"):
        await other.update("k", lambda value: 1, timeout=0)
    assert fake.commands == []


async def test_what_the_function_raises_ends_the_update() -> None:
    fake = FakeRelay()
    with pytest.raises(ZeroDivisionError):
        fake.update("k", lambda value: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await AsyncRelay(relay=fake).update("k", lambda value: 1 // 0)
    with pytest.raises(InvalidValue, match="value is NaN"):
        fake.update("k", lambda value: float("nan"))
    assert fake.commands == []


def test_a_conditional_command_is_sent_again_under_its_id(control: RouterPeer, endpoint: str) -> None:
    """When the connection is lost under it the first sending may have counted: the id says so, not a conflict."""
    control.start()
    ends: list[Any] = []
    with Relay(endpoint) as relay:
        thread = threading.Thread(target=lambda: ends.append(relay.channel("one").set("k", 1, if_version=3, timeout=DEADLINE)))
        thread.start()
        _, first = control.receive()
        control.stop()
        control.start()
        envelope, again = control.receive()
        control.answer(envelope, seq=9, duplicate=True)
        thread.join(DEADLINE)
    assert again == first and first["if"] == {"k": 3} and first["id"]
    assert (ends[0].seq, ends[0].duplicate, ends[0].channel) == (9, True, "one")
