"""What clients say, handled by functions."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from inbox_peer import InboxPeer
from pull_peer import DEADLINE, wait_until

from syncrelay import AsyncRelay, CommandRejected, InvalidValue, Message, Relay, lifespan
from syncrelay.testing import FakeRelay


@pytest.fixture
def peer(directory: Path) -> Iterator[InboxPeer]:
    with InboxPeer(directory) as peer:
        yield peer.start()


def test_functions_and_coroutines_handle_what_their_types_name() -> None:
    fake = FakeRelay()
    seen: list[Any] = []

    @fake.on("say", "shout")
    def say(message: Message) -> None:
        seen.append((message.type, message.data, threading.current_thread() is threading.main_thread()))

    @fake.on("whisper")
    async def whisper(message: Message) -> None:
        await asyncio.sleep(0)
        seen.append((message.type, message.data, threading.current_thread() is threading.main_thread()))

    for number, type in enumerate(("say", "whisper", "shout")):
        fake.say(type, number, id="dev-1")
    fake.run(until_empty=True)
    assert seen == [("say", 0, False), ("whisper", 1, True), ("shout", 2, False)]
    assert fake.unhandled == []


def test_a_type_has_one_handler_and_attempts_are_a_number() -> None:
    fake = FakeRelay()
    fake.on("say")(lambda message: None)
    with pytest.raises(ValueError, match="'say' have a handler already"):
        fake.on("shout", "say")(lambda message: None)
    with pytest.raises(InvalidValue, match="attempts"):
        fake.on("shout", attempts=0)
    for wrong in (print, "", "sync:publish"):
        with pytest.raises(InvalidValue, match="type"):
            fake.on(wrong)
        with pytest.raises(InvalidValue, match="type"):
            fake.say(wrong)
    with pytest.raises(InvalidValue, match="no identity"):
        fake.say("say", id="@dev-1")
    with pytest.raises(InvalidValue, match="concurrency"):
        fake.run(concurrency=0)


def test_one_handler_may_be_for_all_types_that_have_no_other() -> None:
    fake = FakeRelay()
    seen: list[Any] = []
    fake.on("say")(lambda message: seen.append(("say", message.type)))

    @fake.on(attempts=1)
    async def all_others(message: Message) -> None:
        seen.append(("others", message.type))

    with pytest.raises(ValueError, match="all other types"):
        fake.on()(lambda message: None)
    for type in ("say", "shout", "whisper"):
        fake.say(type)
    fake.run(until_empty=True)
    assert seen == [("say", "say"), ("others", "shout"), ("others", "whisper")] and fake.unhandled == []


def test_a_handler_for_all_types_alone_makes_a_backend_that_takes_messages() -> None:
    fake = FakeRelay()
    seen: list[Any] = []
    fake.on_notice("joined")(lambda notice: None)
    fake.on()(lambda message: seen.append(message.type))
    fake.say("say")
    fake.run(until_empty=True)
    assert seen == ["say"]


def test_between_attempts_passes_time_with_a_relay_and_none_with_the_fake(peer: InboxPeer) -> None:
    def seconds_for_three_attempts(relay: Relay) -> float:
        times: list[float] = []

        @relay.on("say", attempts=4)
        def say(message: Message) -> None:
            times.append(time.monotonic())
            if message.attempt < 3:
                raise KeyError

        relay.run(until_empty=True)
        return times[-1] - times[0]

    fake = FakeRelay()
    fake.set("typing", True, ttl=0.5)
    for each in (fake, peer):
        each.say("say")
    assert seconds_for_three_attempts(fake) < 0.5 and fake.state("typing") is True
    with Relay(peer.endpoint) as relay:
        assert seconds_for_three_attempts(relay) >= 1.5


def test_messages_of_one_client_are_handled_in_order_also_when_one_fails() -> None:
    fake = FakeRelay()
    seen: list[Any] = []

    @fake.on("say")
    def say(message: Message) -> None:
        seen.append(message.data)
        if seen.count(2) == 1 and message.data == 2:
            raise KeyError

    for number in range(1, 5):
        fake.say("say", number, id="dev-1")
    fake.run(until_empty=True)
    assert seen == [1, 2, 2, 3, 4]


def test_what_waited_behind_one_that_failed_has_all_its_attempts_left(peer: InboxPeer) -> None:
    fake = FakeRelay()
    with Relay(peer.endpoint) as real:
        for relay, clients in ((fake, fake), (real, peer)):
            attempts: list[Any] = []

            @relay.on("say", attempts=2)
            def say(message: Message) -> None:
                attempts.append((message.data, message.attempt))
                raise KeyError

            for number in range(3):
                clients.say("say", number, id="dev-1")
            relay.run(until_empty=True)
            assert attempts == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize("kind", ["thread", "coroutine"])
def test_what_a_process_has_is_not_begun_again_when_a_restarted_relay_hands_it_out(peer: InboxPeer, kind: str) -> None:
    begun: list[Any] = []
    go = threading.Event()
    with Relay(peer.endpoint) as relay:
        if kind == "thread":

            @relay.on("say")
            def in_thread(message: Message) -> None:
                begun.append(message.data)
                assert go.wait(DEADLINE)
                relay.broadcast("said", message.data)
        else:

            @relay.on("say")
            async def in_loop(message: Message) -> None:
                begun.append(message.data)
                while not go.is_set():
                    await asyncio.sleep(0.005)
                relay.broadcast("said", message.data)

        for number in range(3):
            peer.say("say", number, id="dev-1")
        peer.say("say", "another", id="dev-2")
        relay.start()
        wait_until(lambda: len(begun) == 2 and not peer.free(), "two are begun, two wait behind")
        peer.restart()
        peer.say("say", 3, id="dev-1")
        wait_until(lambda: peer.ops("release"), "what was said since is given back")
        assert peer.ops("release") == [{"op": "release", "n": [5], "untried": True}]
        wait_until(lambda: peer.free() == [3], "all else is held on")
        go.set()
        peer.wait_until_handled()
        assert [each for each in begun if each != "another"] == [0, 1, 2, 3] and len(begun) == 5
        assert sorted(map(str, peer.events())) == ["0", "1", "2", "3", "another"]


def test_the_lease_of_what_a_restarted_relay_hands_out_again_is_extended(peer: InboxPeer) -> None:
    with Relay(peer.endpoint) as relay:
        go = threading.Event()
        relay.on("say")(lambda message: go.wait(DEADLINE))
        peer.say("say", 1)
        relay.start(lease=1)
        wait_until(lambda: not peer.free(), "it is handed out")
        peer.restart()
        wait_until(lambda: not peer.free(), "it is handed out again")
        before = len(peer.ops("extend"))
        wait_until(lambda: len(peer.ops("extend")) > before + 1, "it is extended")
        go.set()
        peer.wait_until_handled()


def test_what_was_given_back_may_be_begun_again(peer: InboxPeer) -> None:
    with Relay(peer.endpoint) as relay:
        attempts: list[int] = []

        @relay.on("say")
        def say(message: Message) -> None:
            attempts.append(message.attempt)
            if len(attempts) == 1:
                message.release()

        peer.say("say", 1)
        relay.start()
        peer.wait_until_handled()
        assert attempts == [1, 2]


def test_so_many_are_handled_at_once_and_no_more() -> None:
    fake = FakeRelay()
    running: set[int] = set()
    most: list[int] = []
    all_there = threading.Barrier(3)

    @fake.on("say")
    def say(message: Message) -> None:
        running.add(message.connection)
        all_there.wait(DEADLINE)
        most.append(len(running))
        all_there.wait(DEADLINE)
        running.discard(message.connection)
        all_there.wait(DEADLINE)

    for connection in range(9):
        fake.say("say", connection=connection)
    fake.run(concurrency=3, until_empty=True)
    assert most == [3] * 9 and fake.unhandled == []


def test_no_message_of_another_client_is_taken_before_a_hand_is_free(peer: InboxPeer) -> None:
    with Relay(peer.endpoint) as relay:
        begun: list[Any] = []
        go = threading.Event()

        @relay.on("say")
        def say(message: Message) -> None:
            begun.append(message.data)
            assert go.wait(DEADLINE)

        for connection in range(9):
            peer.say("say", connection, connection=connection)
        relay.start(concurrency=3)
        wait_until(lambda: len(begun) == 3, "all hands have one")
        relay.stats()
        assert len(peer.free()) == 6 and {request["max"] for request in peer.ops("receive")} == {3}
        go.set()
        peer.wait_until_handled()


def test_start_handles_beside_and_stop_waits_for_handlers(peer: InboxPeer) -> None:
    with Relay(peer.endpoint) as relay:
        begun, go = threading.Event(), threading.Event()

        @relay.on("say")
        def say(message: Message) -> None:
            begun.set()
            assert go.wait(DEADLINE)
            relay.broadcast("said", message.data)

        relay.start()
        relay.start()
        peer.say("say", 1)
        assert begun.wait(DEADLINE)
        stopping = threading.Thread(target=relay.stop, args=(DEADLINE,))
        stopping.start()
        go.set()
        stopping.join(DEADLINE)
        assert peer.unhandled() == [] and peer.events() == [1]
        peer.say("say", 2)
        assert peer.unhandled() == [(2, 0)]
        assert not [thread for thread in threading.enumerate() if thread.name == "syncrelay-handlers"]
        relay.start()
        peer.wait_until_handled()


def test_closing_ends_what_start_began(peer: InboxPeer) -> None:
    with Relay(peer.endpoint) as relay:
        relay.on("say")(lambda message: None)
        relay.start()
        peer.say("say", 1)
        peer.wait_until_handled()
    assert not [thread for thread in threading.enumerate() if thread.name == "syncrelay-handlers"]


def test_handlers_that_have_no_time_to_end_give_back(peer: InboxPeer, caplog: pytest.LogCaptureFixture) -> None:
    with Relay(peer.endpoint) as relay:
        begun = threading.Event()

        @relay.on("say")
        async def say(message: Message) -> None:
            begun.set()
            await asyncio.sleep(3600)

        relay.start(grace=0.01)
        peer.say("say", 1)
        assert begun.wait(DEADLINE)
        relay.stop()
        assert peer.free() == [1]
    assert "had no time to end" in caplog.text


async def test_serve_ends_when_it_is_cancelled(peer: InboxPeer) -> None:
    async with AsyncRelay(peer.endpoint) as relay:
        begun, go = asyncio.Event(), asyncio.Event()

        @relay.on("say")
        async def say(message: Message) -> None:
            begun.set()
            await go.wait()
            await relay.broadcast("said", message.data)

        task = asyncio.ensure_future(relay.serve())
        peer.say("say", 1)
        await begun.wait()
        task.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert peer.unhandled() == [] and peer.events() == [1]


async def test_a_relay_that_gives_no_messages_ends_serve(peer: InboxPeer) -> None:
    peer.refusals = {"receive": ["unknown_op"]}
    async with AsyncRelay(peer.endpoint) as relay:
        with pytest.raises(CommandRejected, match="unknown_op"):
            await relay.serve()


@pytest.mark.parametrize("own", [False, True])
async def test_a_lifespan_handles_messages_and_stops_before_the_application(own: bool) -> None:
    from contextlib import asynccontextmanager

    fake = FakeRelay()
    order: list[str] = []

    @asynccontextmanager
    async def of_the_application(app: object) -> Any:
        order.append("begin")
        yield {}
        assert not [task for task in asyncio.all_tasks() if "Service" in repr(task)]
        order.append("end")

    @fake.on("say")
    async def say(message: Message) -> None:
        order.append(message.data)

    span = lifespan(fake, of_the_application if own else None)
    async with span(object()):
        fake.say("say", "said")
        await asyncio.to_thread(fake.wait_until_handled)
    assert order == (["begin", "said", "end"] if own else ["said"])
    fake.say("say", "too late")
    assert fake.unhandled[0]["attempt"] == 0


def test_the_fake_says_what_was_not_handled_in_time() -> None:
    fake = FakeRelay()
    fake.say("say", "lost")
    with pytest.raises(TimeoutError, match="lost"):
        fake.wait_until_handled(timeout=0)
