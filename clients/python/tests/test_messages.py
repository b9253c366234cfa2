"""What clients say, in a loop."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest
from inbox_peer import InboxPeer
from pull_peer import DEADLINE, wait_until
from router_peer import RouterPeer

from syncrelay import AsyncRelay, CommandRejected, InvalidValue, Message, Relay
from syncrelay.testing import FakeRelay


@pytest.fixture
def peer(directory: Path) -> Iterator[InboxPeer]:
    with InboxPeer(directory) as peer:
        yield peer.start()


class Failure(Exception):
    pass


def test_a_message_is_done_when_the_next_is_asked_for(peer: InboxPeer) -> None:
    for number in range(3):
        peer.say("say", number, id="dev-1", connection=7, channel="room:1")
    with Relay(peer.endpoint) as relay:
        seen: list[Message] = []
        for message in relay.messages(until_empty=True):
            seen.append(message)
            assert [data for data, _ in peer.unhandled()][0] == message.data
        peer.wait_until_handled()
    first = seen[0]
    assert [each.data for each in seen] == [0, 1, 2]
    assert (first.type, first.id, first.connection, first.channel, first.attempt) == ("say", "dev-1", 7, "room:1", 1)
    assert first.body == {"type": "say", "data": 0, "channel": "room:1"} and first.ts > 1.7e9 and first.settled


def test_a_client_without_identity_has_none_and_a_message_may_have_members_of_its_own() -> None:
    fake = FakeRelay()
    fake.say("device:register", connection=4, name="Phone")
    (message,) = fake.messages(until_empty=True)
    assert (message.id, message.connection, message.data) == (None, 4, None)
    assert message.body == {"type": "device:register", "name": "Phone"}


@pytest.mark.parametrize("leave", ["raise", "break"])
def test_who_leaves_the_loop_gives_back_what_was_not_done(peer: InboxPeer, leave: str) -> None:
    peer.say("say", 1)
    peer.say("say", 2)
    with Relay(peer.endpoint) as relay:
        try:
            for message in relay.messages(prefetch=10):
                if message.data == 2:
                    if leave == "break":
                        break
                    raise Failure
        except Failure:
            pass
        wait_until(lambda: peer.free() == [2], "it is given back")
        assert peer.unhandled() == [(2, 1)]
        for message in relay.messages():
            assert (message.data, message.attempt) == (2, 2)
            message.done()
            break
        peer.wait_until_handled()


def test_what_was_in_reserve_is_given_back_in_order(peer: InboxPeer) -> None:
    for number in range(4):
        peer.say("say", number)
    with Relay(peer.endpoint) as relay:
        for message in relay.messages(prefetch=3):
            break
        wait_until(lambda: sorted(peer.free()) == [0, 1, 2, 3], "all are given back")
        again = [(message.data, message.attempt) for message in relay.messages(until_empty=True)]
        assert again == [(0, 2), (1, 1), (2, 1), (3, 1)], "only the first one was tried"


def test_a_variable_that_holds_the_loop_is_closed_by_with(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        with pytest.raises(Failure), relay.messages() as messages:
            for _ in messages:
                raise Failure
        wait_until(lambda: peer.free() == [1], "it is given back")
        assert list(messages) == []


def test_another_for_of_the_same_loop_does_not_take_the_last_one_for_done(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        messages = relay.messages()
        for message in messages:
            break
        for message in messages:
            assert (message.data, message.attempt) == (1, 2)
            break


def test_a_message_that_is_dropped_is_given_back(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        messages = relay.messages()
        message = next(messages)
        messages._in_hand = None
        del message
        wait_until(lambda: peer.free() == [1], "it is given back")


def test_a_lease_is_extended_while_the_body_runs(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        for message in relay.messages(lease=1):
            wait_until(lambda: len(peer.ops("extend")) >= 2, "two extensions")
            message.done()
            break
        peer.wait_until_handled()
    assert peer.ops("receive")[0] == {"op": "receive", "max": 1, "wait": 1, "lease": 1}
    assert peer.ops("extend")[0] == {"op": "extend", "n": [1], "lease": 1}


def test_it_waits_for_the_next_message_and_for_the_relay(directory: Path) -> None:
    with InboxPeer(directory) as peer, Relay(peer.endpoint) as relay:
        seen: list[Any] = []

        def take() -> None:
            for message in relay.messages():
                seen.append(message.data)

        thread = threading.Thread(target=take)
        thread.start()
        peer.start()
        peer.say("say", 1)
        peer.wait_until_handled()
        peer.stop()
        peer.start()
        peer.say("say", 2)
        peer.wait_until_handled()
        relay.close()
        thread.join(DEADLINE)
        assert seen == [1, 2] and not thread.is_alive()


def test_a_message_is_done_only_when_the_relay_has_what_was_pushed_before(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        peer.silent = True
        for message in relay.messages():
            relay.broadcast("said", message.data)
            message.done()
            break
        wait_until(lambda: peer.ops("barrier"), "the relay is asked whether it has the broadcast")
        assert peer.unhandled() == [(1, 1)] and not peer.ops("done")
        peer.silent = False
        peer.wait_until_handled()
        assert peer.events() == [1]


def test_what_the_relay_cannot_store_for_the_moment_is_said_again(peer: InboxPeer) -> None:
    peer.say("say", 1)
    peer.refusals = {"receive": ["storage_full"], "done": ["storage_full"]}
    with Relay(peer.endpoint) as relay:
        for message in relay.messages():
            message.done()
            break
        peer.wait_until_handled()
    assert len(peer.ops("done")) == 2


def test_a_relay_that_has_no_messages_to_give_says_so(peer: InboxPeer) -> None:
    peer.refusals = {"receive": ["unknown_op"]}
    with Relay(peer.endpoint) as relay, pytest.raises(CommandRejected, match="unknown_op"):
        next(relay.messages())


def test_a_relay_that_began_anew_gives_other_messages_other_numbers(peer: InboxPeer) -> None:
    peer.say("say", "old")
    with Relay(peer.endpoint) as relay:
        messages = relay.messages()
        old = next(messages)
        peer.stop()
        peer.relay.restart()
        peer.say("say", "new")
        peer.start()
        old.done()
        wait_until(lambda: peer.ops("done"), "it is told")
        assert [data for data, _ in peer.unhandled()] == ["new"] and peer.ops("done")[0]["n"] == [1]
        for message in relay.messages():
            assert (message.data, message.number) == ("new", 2)
            message.done()
            break
        peer.wait_until_handled()


def test_what_a_loop_has_is_not_its_next_one_when_a_restarted_relay_hands_it_out(peer: InboxPeer) -> None:
    for number in range(3):
        peer.say("say", number, id="dev-1")
    with Relay(peer.endpoint) as relay:
        seen: list[Any] = []
        for message in relay.messages(prefetch=2, until_empty=True):
            seen.append((message.data, peer.free()))
            if message.data == 0:
                peer.restart()
        peer.wait_until_handled()
        assert [data for data, _ in seen] == [0, 1, 2]


def test_what_was_done_while_the_relay_was_away_is_not_begun_again(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        begun: list[Any] = []

        @relay.on("say")
        def say(message: Message) -> None:
            begun.append(message.data)
            peer.silent = True  # so that done has to wait
            relay.broadcast("said", message.data)

        relay.start()
        wait_until(lambda: peer.ops("barrier"), "the relay is asked whether it has the broadcast")
        peer.restart()
        wait_until(lambda: not peer.free(), "it is handed out again")
        peer.say("say", 2, id="dev-1")
        wait_until(lambda: len(begun) == 2, "another one is handled")
        assert begun == [1, 2] and not peer.ops("done")
        peer.silent = False
        peer.wait_until_handled()
        assert begun == [1, 2]


def test_what_the_relay_has_lost_the_end_of_is_said_to_be_done_again(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        lost = peer.relay.inbox.events[0]
        messages = relay.messages()
        next(messages).done()
        peer.wait_until_handled()
        peer.stop()
        peer.relay.inbox._waiting[1] = {**lost, "attempt": 0}  # by a loss of power
        peer.say("say", 2, id="dev-1")
        peer.start()
        assert next(messages).data == 2
        wait_until(lambda: [data for data, _ in peer.unhandled()] == [2], "the first one is done")
        messages.close()


def test_a_relay_that_goes_on_after_a_restart_is_told(peer: InboxPeer) -> None:
    peer.say("say", 1)
    with Relay(peer.endpoint) as relay:
        messages = relay.messages()
        message = next(messages)
        peer.stop()
        message.done()
        peer.start()
        peer.wait_until_handled()


def test_close_gives_back_what_is_held_and_what_still_comes(peer: InboxPeer) -> None:
    peer.say("say", 1)
    relay = Relay(peer.endpoint)
    messages = relay.messages()
    held = next(messages)
    waiting = relay.messages()._receiver.ask(1)
    relay.close()
    wait_until(lambda: peer.free() == [1], "it is given back")
    peer.say("say", 2)
    assert waiting.done() and held.data == 1
    held.done()  # too late
    assert [data for data, _ in peer.unhandled()] == [1, 2]


def test_wrong_arguments_are_refused_at_once() -> None:
    relay = FakeRelay()
    for arguments in ({"prefetch": 0}, {"prefetch": 1001}, {"lease": 0.5}, {"lease": 3601}, {"lease": float("nan")}):
        with pytest.raises(InvalidValue):
            relay.messages(**arguments)


async def test_async_for_does_the_same(peer: InboxPeer) -> None:
    for number in range(3):
        peer.say("say", number)
    async with AsyncRelay(peer.endpoint) as relay:
        with pytest.raises(Failure):
            async for message in relay.messages():
                if message.data == 1:
                    raise Failure
        while sorted(peer.free()) != [1, 2]:
            await asyncio.sleep(0.005)
        assert [message.data async for message in relay.messages(until_empty=True)] == [1, 2]
        await asyncio.to_thread(peer.wait_until_handled)


async def test_a_cancelled_task_gives_back_what_comes_too_late(peer: InboxPeer) -> None:
    async with AsyncRelay(peer.endpoint) as relay:

        async def take() -> None:
            async for _ in relay.messages():
                raise AssertionError("it was cancelled")

        task = asyncio.ensure_future(take())
        while not peer.ops("receive"):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        peer.say("say", 1)
        while not peer.ops("release"):
            await asyncio.sleep(0.005)
        assert await asyncio.to_thread(wait_until, lambda: peer.free() == [1], "given back") is None


def test_the_fake_hands_out_as_the_relay_does() -> None:
    fake = FakeRelay()
    fake.say("say", 1, id="a")
    fake.say("say", 2, id="a")
    fake.say("say", 3, id="b")
    messages, others = fake.messages(until_empty=True), fake.messages(until_empty=True)
    assert next(messages).data == 1
    assert [message.data for message in others] == [3]
    assert [event["attempt"] for event in fake.unhandled] == [1, 0]
    messages.close()
    assert [(message.data, message.attempt) for message in fake.messages(until_empty=True)] == [(1, 2), (2, 1)]
    assert fake.unhandled == []


def test_a_message_of_before_a_restart_has_no_connection(control: RouterPeer, endpoint: str) -> None:
    control.start()
    with Relay(endpoint) as relay:
        answer = relay._sender.receive(relay._encoder.receive(1, 0, 30), 30)
        envelope, _ = control.receive()
        event = {"n": 7, "event": "message", "channel": "", "ts": 1.5, "attempt": 1, "data": {"type": "say"}}
        control.answer(envelope, events=[event, {**event, "n": 8, "id": "dev-1"}])
        nobody, somebody = answer.result(DEADLINE) or ()
        assert (nobody.connection, nobody.id, somebody.connection, somebody.id) == (None, None, None, "dev-1")
        assert repr(nobody) == "<Message 7 'say' of somebody, attempt 1>"
        for message in (nobody, somebody):
            message.done()
        done: list[int] = []
        while done != [7, 8]:
            envelope, request = control.receive()
            assert request["op"] == "done"
            done += request["n"]
            control.answer(envelope)
