"""Channels of a FakeRelay, and that they keep the rules of the real relay."""

from __future__ import annotations

from typing import Any

from real_relay import RealRelay

from syncrelay import Client, Position, Relay
from syncrelay.testing import FakeRelay


def use_channels(relay: Relay) -> list[Any]:
    """Calls of every kind; returns all they return, but for what differs from relay to relay."""
    one, two = relay.channel("one"), relay.channel("two")
    seen: list[Any] = []
    for confirm in (False, True):
        with relay.batch(confirm=confirm) as batch:
            batch.set("radio", 1)
            batch.channel("one").merge("k", {"a": {"b": [1, None]}})
            batch.channel("two").delete("k", notify=False)
            batch.broadcast("t", channels=["two", "", "one"], set={"l": None})
        seen += [
            batch.result,
            one.set("k", {"ä": (1,)}, notify=False, confirm=confirm),
            one.merge("k", {"b": {"c": None}}, confirm=confirm),
            one.delete("none", confirm=confirm),
            two.broadcast("t", {"d": 1}, set={"x": 1, "y": "ü"}, confirm=confirm),
            two.broadcast("t", set={"x": 2}, notify=False, confirm=confirm),
            relay.broadcast("u", 1, channels=["one", "two"], set={"z": 1}, confirm=confirm),
            two.update("n", lambda n: (n or 0) + 1),
            one.state(),
            two.state(),
            relay.state(),
            [(each.name, each.seq, each.keys, each.bytes) for each in relay.channels()],
        ]
    return [result_of(each) if isinstance(each, Position) else each for each in seen]


def result_of(position: Position) -> Any:
    positions = {name: each.seq for name, each in position.positions.items()}
    keys = {key: version > 0 for key, version in position.versions.items()}
    return position.channel, position.seq, positions, keys, [result_of(each) for each in position.results]


def without_ts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != "ts"} for event in events]


def test_a_fake_answers_and_publishes_as_the_real_one(real: RealRelay) -> None:
    real.options = ("--open-channels", "*")
    real.start()
    fake = FakeRelay()
    with Relay(real.endpoint) as relay:
        assert use_channels(fake) == use_channels(relay)
        epoch = relay.stats()["epoch"]
    for name in ("", "one", "two"):
        log = real.log(epoch, name)
        assert without_ts(fake.channel(name).events) == without_ts(log)
        assert [list(event) for event in fake.channel(name).events] == [list(event) for event in log]


def client(number: int) -> Client:
    return Client(id=number, address="127.0.0.1:5", since=1.5, lag=0, bytes=10, last_pong=0.1)


def test_a_fake_shows_each_channel_and_the_order_of_all() -> None:
    fake = FakeRelay()
    room = fake.channel("one")
    room.set("k", 1)
    fake.broadcast("t", 2)
    room.broadcast("t", 3, set={"k": 4})
    assert [each["type"] for each in fake.events] == ["t"] and "channel" not in fake.events[0]
    assert [list(each) for each in room.events] == [
        ["type", "channel", "data", "ts", "seq"],
        ["type", "channel", "data", "set", "ts", "seq"],
    ]
    assert [(each.get("channel"), each["seq"]) for each in fake.all_events] == [("one", 1), (None, 1), ("one", 2)]
    assert (room.stored, fake.stored) == ({"k": 4}, {"comparison": None, "radio": None})
    assert [each.get("channel") for each in fake.commands] == ["one", None, "one"]
    fake.close()
    assert room.stored == {"k": 4}


def test_a_fakes_channel_has_clients_of_its_own_until_it_is_dropped() -> None:
    fake = FakeRelay()
    room = fake.channel("one")
    fake.connect(client(1), client(2))
    room.connect(client(2), client(3))
    assert [each.id for each in fake.clients()] == [1, 2, 3]
    assert [each.id for each in fake.channel("").clients()] == [1, 2]
    assert [each.id for each in room.clients()] == [2, 3]
    assert [each.subscribers for each in fake.channels("one")] == [2]
    assert room.broadcast("t", confirm=True).clients == 2
    room.drop()
    assert room.clients() == []
    room.connect(client(1))
    fake.restart()
    assert [each.name for each in fake.channels()] == ["", "one"]
    room.connect()
    assert [each.name for each in fake.channels()] == [""]


def test_a_fake_forgets_what_is_empty() -> None:
    fake = FakeRelay()
    fake.channel("one").set("k", 1, notify=False)
    fake.channel("one").delete("k", notify=False)
    assert [each.name for each in fake.channels()] == [""]


def test_while_a_fake_is_away_all_channels_wait() -> None:
    fake = FakeRelay()
    fake.go_away()
    fake.channel("one").broadcast("t", 1)
    fake.broadcast("t", 2, channels=["one", "two"])
    assert fake.all_events == []
    fake.come_back()
    assert [each["data"] for each in fake.channel("one").events] == [1, 2]
