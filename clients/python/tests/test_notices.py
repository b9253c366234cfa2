"""Who came and went."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest
from inbox_peer import InboxPeer
from pull_peer import DEADLINE, wait_until

from syncrelay import AsyncRelay, Client, InvalidValue, Message, Notice, Relay, lifespan
from syncrelay.testing import FakeRelay

KINDS = ("connected", "disconnected", "joined", "left")


@pytest.fixture
def peer(directory: Path) -> Iterator[InboxPeer]:
    with InboxPeer(directory) as peer:
        yield peer.start()


def kept(relay: Any, *kinds: str) -> list[Notice]:
    """A handler of these kinds puts them there."""
    seen: list[Notice] = []
    relay.on_notice(*kinds)(seen.append)
    return seen


def test_notices_follow_from_what_clients_do() -> None:
    fake = FakeRelay()
    seen = kept(fake, *KINDS)
    fake.say("say", 1, id="dev-1", connection=7)
    fake.join("dev-1", {"name": "Phone"}, channel="room:1")
    fake.join("dev-1", {"name": "Tablet"}, channel="room:1")
    fake.advance(12.5)
    fake.hang_up(7)
    fake.leave("dev-1", channel="room:1")
    fake.leave("dev-1", channel="room:1")
    fake.run(until_empty=True)
    connected, joined, disconnected, left = sorted(seen, key=lambda notice: notice.ts)
    assert connected == Notice("connected", connected.ts, connection=7, address="127.0.0.1")
    assert joined == Notice("joined", joined.ts, id="dev-1", channel="room:1", info={"name": "Phone"})
    assert disconnected.duration is not None and 12.5 <= disconnected.duration < 12.5 + DEADLINE
    expected = Notice("disconnected", disconnected.ts, connection=7, id="dev-1", code=1001, duration=disconnected.duration)
    assert disconnected == expected
    assert left == Notice("left", left.ts, id="dev-1", channel="room:1") and left.ts > 1.7e9


def test_notices_follow_from_lists_of_clients_and_from_disconnections() -> None:
    fake = FakeRelay()
    seen = kept(fake, "connected", "disconnected")
    fake.connect(Client(id=1, address="10.0.0.1", identity="dev-1"), Client(id=2))
    fake.channel("room:1").connect(Client(id=2), Client(id=3))
    fake.connect(Client(id=2))
    fake.say("say", id="dev-3", connection=3)
    assert fake.disconnect("dev-3", code=4400) == 1 and fake.disconnect(connection=2) == 1
    assert fake.disconnect(connection=2) == 0 and fake.clients() == []
    fake.run(until_empty=True)
    told = [(each.event, each.connection, each.address, each.code, each.id) for each in seen]
    assert sorted(told, key=str) == [
        ("connected", 1, "10.0.0.1", None, None),
        ("connected", 2, "127.0.0.1", None, None),
        ("connected", 3, "127.0.0.1", None, None),
        ("disconnected", 1, None, 1006, "dev-1"),
        ("disconnected", 2, None, 4000, None),
        ("disconnected", 3, None, 4400, "dev-3"),
    ]


def test_functions_run_in_threads_and_coroutines_in_the_loop() -> None:
    fake = FakeRelay()
    seen: list[Any] = []

    def here() -> bool:
        return threading.current_thread() is threading.main_thread()

    @fake.on_notice("joined")
    def joined(notice: Notice) -> None:
        seen.append((notice.event, here()))

    @fake.on_notice("left")
    async def left(notice: Notice) -> None:
        await asyncio.sleep(0)
        seen.append((notice.event, here()))

    fake.join("dev-1")
    fake.leave("dev-1")
    fake.run(until_empty=True)
    assert seen == [("joined", False), ("left", True)]


def test_a_kind_has_one_handler_and_there_are_four() -> None:
    fake = FakeRelay()
    kept(fake, "joined")
    with pytest.raises(ValueError, match="'joined' have a handler already"):
        kept(fake, "left", "joined")
    for wrong in ("message", "sync:joined", "", print):
        with pytest.raises(InvalidValue, match="there are connected, disconnected, joined, left"):
            fake.on_notice(wrong)
    assert kept(fake, "left") == []


def test_what_happens_to_one_member_is_handled_in_order_and_others_do_not_wait() -> None:
    fake = FakeRelay()
    seen: list[tuple[str, Any]] = []
    others_came = threading.Event()

    @fake.on_notice("joined", "left")
    def note(notice: Notice) -> None:
        if notice.id == "slow":
            assert others_came.wait(DEADLINE)
        seen.append((notice.event, notice.id))
        if notice.id == "quick" and notice.event == "left":
            others_came.set()

    for id in ("slow", "quick"):
        fake.join(id)
        fake.leave(id)
    fake.run(concurrency=4, until_empty=True)
    assert seen == [("joined", "quick"), ("left", "quick"), ("joined", "slow"), ("left", "slow")]


def test_so_many_are_taken_as_there_are_hands() -> None:
    fake = FakeRelay()
    most: list[int] = []
    running: set[Any] = set()

    @fake.on_notice("joined")
    async def joined(notice: Notice) -> None:
        running.add(notice.id)
        await asyncio.sleep(0)
        most.append(len(running))
        running.discard(notice.id)

    for number in range(20):
        fake.join(f"dev-{number}")
    fake.run(concurrency=3, until_empty=True)
    assert len(most) == 20 and max(most) <= 3


def test_what_a_handler_raises_is_in_the_log_and_it_is_not_called_again(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeRelay()
    seen: list[Any] = []

    @fake.on_notice("joined", "left")
    def note(notice: Notice) -> None:
        seen.append(notice.event)
        raise KeyError

    fake.join("dev-1")
    fake.leave("dev-1")
    fake.run(until_empty=True)
    assert seen == ["joined", "left"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2 and all(record.exc_info and "dev-1" in record.getMessage() for record in errors)


def test_run_handles_what_handlers_make_happen() -> None:
    fake = FakeRelay()
    seen = kept(fake, "left", "disconnected")
    fake.on("bye")(lambda message: fake.leave(message.id))

    @fake.on_notice("joined")
    def joined(notice: Notice) -> None:
        fake.say("bye", id=notice.id)
        fake.disconnect(notice.id)

    fake.join("dev-1")
    fake.run(until_empty=True)
    assert sorted(each.event for each in seen) == ["disconnected", "left"] and fake.unhandled == []


def test_with_start_the_test_waits_for_handlers_of_notices_too() -> None:
    with FakeRelay() as fake:
        begun, go = threading.Event(), threading.Event()

        @fake.on_notice("joined")
        def joined(notice: Notice) -> None:
            begun.set()
            assert go.wait(DEADLINE)

        fake.join("dev-1")
        with pytest.raises(TimeoutError, match="notices"):
            fake.wait_until_handled(timeout=0)
        fake.start()
        assert begun.wait(DEADLINE)
        with pytest.raises(TimeoutError, match="notices"):
            fake.wait_until_handled(timeout=0)
        go.set()
        fake.wait_until_handled()


async def test_a_lifespan_handles_notices_when_there_is_nothing_else() -> None:
    fake = FakeRelay()
    relay = AsyncRelay(relay=fake)
    seen: list[Any] = []

    @relay.on_notice("left")
    async def left(notice: Notice) -> None:
        seen.append(notice.channel)

    async with lifespan(relay)(object()):
        fake.join("dev-1", channel="room:1")
        fake.leave("dev-1", channel="room:1")
        await asyncio.to_thread(fake.wait_until_handled)
    assert seen == ["room:1"]


def test_the_relay_is_asked_for_the_kinds_that_have_handlers_and_for_messages_if_they_have(peer: InboxPeer) -> None:
    with Relay(peer.endpoint) as relay:
        seen = kept(relay, "left", "joined")
        relay.start()
        wait_until(lambda: peer.ops("receive"), "it asks")
        peer.play(lambda inner: inner.join("", "dev-1", {}))
        wait_until(lambda: seen, "the notice came")
        relay.stop()
        assert peer.ops("receive")[0] == {"op": "receive", "max": 10, "wait": 1, "events": ["joined", "left"]}
        assert all(ask["events"] == ["joined", "left"] for ask in peer.ops("receive"))
        peer.requests.clear()
        relay.on("say")(lambda message: None)
        relay.start(concurrency=3)
        peer.say("say", 1)
        peer.wait_until_handled()
        relay.stop()
        assert {"op": "receive", "max": 3, "wait": 1, "lease": 30} in peer.ops("receive")
    assert [notice.event for notice in seen] == ["joined"]


def test_messages_that_have_all_hands_full_do_not_hold_up_notices(peer: InboxPeer) -> None:
    with Relay(peer.endpoint) as relay:
        seen = kept(relay, "joined")
        begun, go = threading.Event(), threading.Event()

        @relay.on("say")
        def say(message: Message) -> None:
            begun.set()
            assert go.wait(DEADLINE)

        relay.start(concurrency=1)
        peer.say("say")
        assert begun.wait(DEADLINE)
        peer.play(lambda inner: inner.join("", "dev-1", {}))
        wait_until(lambda: seen, "the notice is handled")
        go.set()
        peer.wait_until_handled()


def test_what_was_taken_is_handled_before_the_end_as_far_as_the_grace_reaches(
    peer: InboxPeer, caplog: pytest.LogCaptureFixture
) -> None:
    with Relay(peer.endpoint) as relay:
        begun, go = threading.Event(), threading.Event()
        seen: list[Any] = []

        @relay.on_notice("joined", "left")
        def note(notice: Notice) -> None:
            begun.set()
            assert go.wait(DEADLINE)
            seen.append(notice.event)

        def twice(inner: Any) -> None:
            inner.join("", "dev-1", {})
            inner.leave("", "dev-1")

        relay.start()
        peer.play(twice)
        assert begun.wait(DEADLINE)
        stopping = threading.Thread(target=relay.stop, args=(DEADLINE,))
        stopping.start()
        go.set()
        stopping.join(DEADLINE)
        assert seen == ["joined", "left"] and "no time to end" not in caplog.text
        go.clear()
        peer.requests.clear()
        relay.start(grace=0.01)
        peer.play(twice)
        wait_until(lambda: [ask for ask in peer.ops("receive") if ask["max"] == 8], "both are taken")
        relay.stop()
        assert "handlers of notices had no time to end" in caplog.text
        go.set()


def test_it_is_told_how_many_nobody_took(peer: InboxPeer, caplog: pytest.LogCaptureFixture) -> None:
    def flood(inner: Any) -> None:
        for number in range(10_003):
            inner.notices.seen(number, 1.0)

    peer.play(flood)
    with Relay(peer.endpoint) as relay:
        seen = kept(relay, "connected")
        relay.run(concurrency=1000, until_empty=True)
        assert [notice.connection for notice in seen][:1] == [3] and len(seen) == 10_000
    assert "dropped 3 notices" in caplog.text


def test_a_client_may_publish_and_says_who_it_is() -> None:
    fake = FakeRelay()
    seen = kept(fake, "connected")
    fake.publish("cursor:moved", {"x": (1, 2)}, id="dev-1", connection=4, channel="doc:7")
    fake.publish("cursor:moved")
    (event,) = fake.channel("doc:7").events
    assert {name: event[name] for name in ("type", "channel", "data", "from", "seq")} == {
        "type": "cursor:moved", "channel": "doc:7", "data": {"x": [1, 2]}, "from": "dev-1", "seq": 1
    }  # fmt: skip
    assert "from" not in fake.events[0] and fake.events[0]["data"] is None
    assert fake.commands == [] and fake.unhandled == []
    fake.go_away()
    fake.publish("cursor:moved")
    assert len(fake.events) == 2, "its clients are with it"
    fake.come_back()
    fake.run(until_empty=True)
    assert [notice.connection for notice in seen] == [4, 1]
    for wrong in ({"event": "sync:set"}, {"event": "ping"}, {"channel": "@dev-1"}, {"id": "@"}, {"connection": -1}):
        with pytest.raises(InvalidValue):
            fake.publish(**{"event": "e", **wrong})
