"""Who is there, and what the relay does for those who have left."""

from __future__ import annotations

from typing import Any

import pytest
from router_peer import RouterPeer

from syncrelay import AsyncRelay, InvalidValue, Member, NoSuchMember, Relay
from syncrelay.testing import FakeRelay


def answered(control: RouterPeer, **members: Any) -> dict[str, Any]:
    envelope, request = control.receive()
    control.answer(envelope, **members)
    return request


@pytest.fixture
def asked(control: RouterPeer, endpoint: str) -> Any:
    """Calls ``call(relay)`` beside and answers it; returns the request and what came of the call."""
    from concurrent.futures import ThreadPoolExecutor

    control.start()

    def ask(call: Any, **members: Any) -> tuple[dict[str, Any], Any]:
        with Relay(endpoint) as relay, ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(call, relay)
            request = answered(control, **members)
            return request, outcome.exception() or outcome.result()

    return ask


def test_members_are_asked_for_by_channel(asked: Any) -> None:
    known = {"dev-1": {"info": {"name": "Phone"}, "since": 1.5, "more": 1}}
    request, members = asked(lambda relay: relay.members(), members=known)
    assert request == {"op": "members", "channel": ""}
    assert members == {"dev-1": Member({"name": "Phone"}, 1.5)}
    request, members = asked(lambda relay: relay.channel("room:1").members(), members={})
    assert (request, members) == ({"op": "members", "channel": "room:1"}, {})


def test_a_will_is_given_when_its_block_ends(asked: Any) -> None:
    def give(relay: Relay) -> None:
        with relay.channel("room:1").will("dev-1") as will:
            will.delete("typing")
            will.broadcast("gone", {"id": "dev-1"}, set={"k": 1})
            will.channel("").set("k", 2)
            will.channel("room:2").drop()
            will.drop("room:3")

    request, outcome = asked(give)
    assert outcome is None
    assert request == {
        "op": "will",
        "channel": "room:1",
        "id": "dev-1",
        "commands": [
            {"op": "delete", "channel": "room:1", "key": "typing"},
            {"op": "broadcast", "channel": "room:1", "type": "gone", "data": {"id": "dev-1"}, "set": {"k": 1}},
            {"op": "set", "key": "k", "value": 2},
            {"op": "drop", "channel": "room:2"},
            {"op": "drop", "channel": "room:3"},
        ],
    }


def test_a_will_is_taken_away_and_needs_a_member(asked: Any) -> None:
    error = {"code": "no_such_member", "message": "who?", "offset": 0}
    request, outcome = asked(lambda relay: relay.no_will("dev-1"), ok=False, error=error)
    assert request == {"op": "will", "id": "dev-1", "commands": []}
    assert isinstance(outcome, NoSuchMember) and outcome.code == "no_such_member"


def test_a_will_has_bounds_and_is_not_given_after_an_exception() -> None:
    fake = FakeRelay()
    fake.join("dev-1")
    with pytest.raises(KeyError), fake.will("dev-1") as will:
        will.set("k", 1)
        raise KeyError
    assert fake.commands == []
    with pytest.raises(InvalidValue, match="will has 16 commands already"), fake.will("dev-1") as will:
        for number in range(17):
            will.set("k", number)
    with pytest.raises(RuntimeError, match=r"relay.will\(\) makes another"), will:
        pass
    for id in ("", "@dev-1", "x" * 65, "ü", 7):
        with pytest.raises(InvalidValue):
            fake.will(id)  # type: ignore[arg-type]


def test_connections_are_closed_by_identity_or_number(asked: Any) -> None:
    request, closed = asked(lambda relay: relay.disconnect("dev-1", code=4001, reason="banned"), closed=2)
    assert (request, closed) == ({"op": "disconnect", "id": "dev-1", "code": 4001, "reason": "banned"}, 2)
    request, closed = asked(lambda relay: relay.disconnect(connection=17), closed=0)
    assert (request, closed) == ({"op": "disconnect", "connection": 17, "code": 4000, "reason": "disconnected"}, 0)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"id": "a", "connection": 1}, {"id": "@a"}, {"connection": -1}, {"connection": True}]
    + [{"id": "a", "code": code} for code in (1000, 3999, 5000, True)]
    + [{"id": "a", "reason": "x" * 124}],
)
def test_what_cannot_be_disconnected_is_refused_at_once(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        FakeRelay().disconnect(**arguments)


async def test_coroutines_do_the_same() -> None:
    fake = FakeRelay()
    relay = AsyncRelay(relay=fake)
    fake.join("dev-1", {"name": "Phone"}, channel="room:1")
    room = relay.channel("room:1")
    assert [member.info for member in (await room.members()).values()] == [{"name": "Phone"}]
    async with room.will("dev-1") as will:
        will.set("k", 1)
    await room.no_will("dev-1")
    with pytest.raises(NoSuchMember):
        await relay.no_will("dev-1")
    assert await relay.disconnect("dev-1") == 1
    assert fake.disconnected == [{"id": "dev-1", "code": 4000, "reason": "disconnected"}]


def test_in_the_fake_members_come_and_go_and_their_wills_take_effect() -> None:
    fake = FakeRelay()
    room = fake.channel("room:1")
    fake.join("dev-1", {"name": "Phone"}, channel="room:1")
    fake.join("dev-1", {"name": "Phone"}, channel="room:1")
    since = room.members()["dev-1"].since
    fake.join("dev-1", {"name": "Tablet"}, channel="room:1")
    with room.will("dev-1") as will:
        will.channel("").broadcast("gone", "dev-1", set={"radio": None})
    fake.leave("dev-1", channel="room:1")
    fake.leave("dev-1", channel="room:1")
    assert [(event["type"], event["data"]) for event in room.events] == [
        ("sync:joined", {"id": "dev-1", "info": {"name": "Phone"}, "since": since}),
        ("sync:changed", {"id": "dev-1", "info": {"name": "Tablet"}, "since": since}),
        ("sync:left", {"id": "dev-1"}),
    ]
    assert [event["type"] for event in fake.all_events] == ["sync:joined", "sync:changed", "sync:left", "gone"]
    assert room.members() == {} and fake.events[0]["data"] == "dev-1"


def test_a_will_that_cannot_take_effect_changes_nothing() -> None:
    fake = FakeRelay()
    fake.join("dev-1")
    fake.set("k", 1)
    with fake.will("dev-1") as will:
        will.set("other", 1)
        will.set("k", 2, if_version=0)
    fake.leave("dev-1")
    assert fake.stored == {"comparison": None, "radio": None, "k": 1} and fake.members() == {}


async def test_a_broadcast_may_say_whom_it_comes_from() -> None:
    fake = FakeRelay()
    fake.broadcast("said", 1, from_="dev-1", confirm=True)
    fake.channel("a").broadcast("said", 1, set={"k": 1}, from_="dev-1")
    await AsyncRelay(relay=fake).broadcast("said", 1, channels=["b"], from_="dev-1")
    await AsyncRelay(relay=fake).channel("c").broadcast("said", 1, from_="dev-1")
    with fake.batch() as batch:
        batch.broadcast("said", 1, from_="dev-1")
        batch.channel("d").broadcast("said", 1, from_="dev-1")
    assert [event["from"] for event in fake.all_events] == ["dev-1"] * 6
    assert fake.commands[0] == {"op": "broadcast", "type": "said", "data": 1, "from": "dev-1"}
    with pytest.raises(InvalidValue, match="from_"):
        fake.broadcast("said", from_="@dev-1")


def test_what_is_for_one_identity_goes_to_its_own_channel() -> None:
    fake = FakeRelay()
    fake.channel("@dev-1").broadcast("hello", 1)
    assert fake.commands == [{"op": "broadcast", "channel": "@dev-1", "type": "hello", "data": 1}]


async def test_a_broadcast_may_hand_on_the_trace_that_it_belongs_to() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    fake = FakeRelay()
    fake.broadcast("said", 1, traceparent=trace)
    fake.channel("a").broadcast("said", 1, traceparent=trace, confirm=True)
    await AsyncRelay(relay=fake).broadcast("said", 1, channels=["b"], traceparent=trace)
    await AsyncRelay(relay=fake).channel("c").broadcast("said", 1, traceparent=trace)
    with fake.batch() as batch:
        batch.broadcast("said", 1, traceparent=trace)
        batch.channel("d").broadcast("said", 1, traceparent=trace)
    assert fake.commands[0] == {"op": "broadcast", "type": "said", "data": 1, "traceparent": trace}
    assert str(fake.commands).count(trace) == 6 and trace not in str(fake.all_events)
    for wrong in ("", "00-1-2-3", trace.upper(), trace + "0", 1):
        with pytest.raises(InvalidValue, match="traceparent"):
            fake.broadcast("said", traceparent=wrong)  # type: ignore[arg-type]
