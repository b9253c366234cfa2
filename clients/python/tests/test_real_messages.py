"""Browsers, the relay and a backend: what clients say, all the way."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from modules import missing, require
from pull_peer import DEADLINE, wait_until
from real_relay import BINARY, RealRelay

from syncrelay import Message, NoSuchMember, Notice, Relay

OPTIONS = ("--anonymous-identity", "--presence", "*", "--presence-grace", "1", "--presence-grace-closed", "0")


@pytest.fixture(params=["memory", "data"])
def social(request: pytest.FixtureRequest, directory: Path) -> Iterator[RealRelay]:
    """Started; clients say who they are, and members leave soon."""
    if not BINARY.exists():
        missing(f"no relay at {BINARY}: build it, or set SYNCRELAY_BINARY")
    require("websockets")
    relay = RealRelay(directory, *OPTIONS, *(("--data", str(directory / "data")) if request.param == "data" else ()))
    yield relay.start()
    relay.stop()


def next_and_done(relay: Relay) -> Message:
    for message in relay.messages():
        message.done()
        return message
    raise AssertionError("the relay is closed")


class Browser:
    """A client, inside ``async with``."""

    def __init__(self, relay: RealRelay, id: str = "", session: str = "") -> None:
        self._url = f"ws://127.0.0.1:{relay.port}/ws/sync" + (f"?session={session}" if session else "")
        self._id = id
        self.heard: list[dict[str, Any]] = []

    async def __aenter__(self) -> Browser:
        import websockets

        self._socket = await websockets.connect(self._url)
        if self._id:
            await self.say({"type": "sync:hello", "id": self._id, "info": {"name": "Phone"}, "ref": "hello"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def say(self, message: dict[str, Any]) -> None:
        """With a ``ref``: until it is acknowledged."""
        await self._socket.send(json.dumps(message))
        while "ref" in message:
            answer = await self.hear()
            if answer.get("ref") == message["ref"]:
                assert answer["type"] == "sync:ack", answer
                return

    async def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self._socket.recv(), DEADLINE))
        self.heard.append(message)
        return message

    async def hear_of(self, type: str) -> dict[str, Any]:
        for message in self.heard:
            if message["type"] == type:
                return message
        while True:
            message = await self.hear()
            if message["type"] == type:
                return message


async def test_what_a_browser_says_is_handled_and_answered(social: RealRelay) -> None:
    with Relay(social.endpoint) as relay:

        @relay.on("say")
        async def say(message: Message) -> None:
            relay.channel(f"@{message.id}").broadcast("heard", [message.data, message.attempt], from_=message.id)

        assert list(relay.messages(until_empty=True)) == []  # from now on there is a backend
        async with Browser(social, "dev-1") as browser:
            await browser.say({"type": "say", "data": {"text": "Ahoj"}, "ref": "1"})
            await browser.say({"type": "say", "data": {"text": "Ahoj"}, "ref": "1"})  # again: said once
            relay.start()
            heard = await browser.hear_of("heard")
            assert (heard["data"], heard["from"]) == ([{"text": "Ahoj"}, 1], "dev-1")
            await browser.say({"type": "say", "data": 2})
            assert (await browser.hear())["data"] == [2, 1]


async def test_a_lease_that_is_extended_outlives_its_time_until_it_is_given_back(social: RealRelay) -> None:
    with Relay(social.endpoint) as one, Relay(social.endpoint) as two:
        messages = one.messages(lease=1, until_empty=True)
        assert list(messages) == []
        async with Browser(social) as browser:
            await browser.say({"type": "say", "data": 1, "ref": "1"})
            held = next(iter(messages))
            times: set[float] = set()
            extended = lambda: times.add(held._held.extend_at) or len(times) > 4  # noqa: E731
            await asyncio.to_thread(wait_until, extended, "it is extended four times, a third of the lease apart")
            assert list(two.messages(until_empty=True)) == []
            held.release()
            again = await asyncio.to_thread(next_and_done, two)
            assert (again.data, again.id, again.attempt) == (1, None, 2)
            assert again.connection == one.clients()[0].id and one.clients()[0].identity is None


async def test_messages_of_one_client_come_in_order_to_several_workers(social: RealRelay) -> None:
    seen: list[int] = []
    with Relay(social.endpoint) as one, Relay(social.endpoint) as two:
        for relay in (one, two):
            relay.on("say")(lambda message: seen.append(message.data))
            relay.start()
        wait_until(lambda: one.stats() and two.stats(), "both are there")
        async with Browser(social, "dev-1") as browser:
            for number in range(30):
                await browser.say({"type": "say", "data": number, "ref": str(number)})
            await asyncio.to_thread(wait_until, lambda: len(seen) == 30, "all are handled")
    assert seen == list(range(30))


@pytest.mark.parametrize("said_by", ["dev-1", ""])
async def test_a_relay_that_is_killed_has_no_message_handled_beside_itself(durable: RealRelay, said_by: str) -> None:
    require("websockets")
    durable.options += OPTIONS
    durable.start()
    begun: list[int] = []
    ended: list[int] = []
    go = threading.Event()

    def say(message: Message) -> None:
        assert begun == ended, "the one before has ended"
        begun.append(message.data)
        assert go.wait(DEADLINE)
        ended.append(message.data)

    async def leased(number: int) -> None:
        await asyncio.to_thread(wait_until, lambda: relay.stats()["inbox_leased"] == number, f"{number} are handed out")

    with Relay(durable.endpoint) as relay:
        relay.on("say", attempts=1)(say)
        assert list(relay.messages(until_empty=True)) == []
        async with Browser(durable, said_by, session="s") as browser:
            for number in (1, 2):
                await browser.say({"type": "say", "data": number, "ref": f"r{number}"})
            relay.start()
            await leased(2)
            durable.kill()
        durable.start()
        await leased(2)
        async with Browser(durable, said_by, session="s") as browser:
            await browser.say({"type": "say", "data": 3, "ref": "r3"})
            await asyncio.to_thread(relay.state)
            assert begun == [1]
            go.set()
            await asyncio.to_thread(wait_until, lambda: relay.stats()["inbox_messages"] == 0, "all are done")
    assert begun == ended == [1, 2, 3]


WORKER = """
import os, signal, sys
from syncrelay import Relay

relay = Relay(sys.argv[1])


@relay.on("poison", attempts=2)
def poison(message):
    os.kill(os.getpid(), signal.SIGKILL)


@relay.on_dead
def dead(message, error):
    print(message.type, message.attempt, type(error).__name__, flush=True)
    os._exit(0)


relay.run(lease=1)
"""


async def test_a_message_that_kills_its_workers_is_dead_at_last(real: RealRelay) -> None:
    require("websockets")
    real.start()

    async def ended() -> tuple[int, str]:
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
        command = [sys.executable, "-c", WORKER, real.endpoint]
        worker = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
        said, _ = await asyncio.wait_for(worker.communicate(), DEADLINE)
        return worker.returncode or 0, said.decode()

    with Relay(real.endpoint) as relay:
        assert list(relay.messages(until_empty=True)) == []
        async with Browser(real) as browser:
            await browser.say({"type": "poison", "ref": "r1"})
            assert [await ended() for _ in range(3)] == [(-9, ""), (-9, ""), (0, "poison 3 TooManyAttempts\n")]


async def test_members_come_with_their_info_and_their_wills_take_effect(social: RealRelay) -> None:
    with Relay(social.endpoint) as relay:
        async with Browser(social) as witness:
            async with Browser(social, "dev-1"):
                assert (await witness.hear_of("sync:joined"))["data"]["id"] == "dev-1"
                member = relay.members()["dev-1"]
                assert member.info == {"name": "Phone"} and member.since > 1.7e9
                with relay.will("dev-1") as will:
                    will.broadcast("gone", {"id": "dev-1"}, set={"k": 1})
                with pytest.raises(NoSuchMember):
                    relay.no_will("dev-2")
            assert (await witness.hear_of("sync:left"))["data"] == {"id": "dev-1"}
            assert (await witness.hear_of("gone"))["set"] == {"k": 1}
            assert relay.members() == {} and relay.state("k") == 1


async def test_a_disconnected_client_hears_why(social: RealRelay) -> None:
    import websockets

    with Relay(social.endpoint) as relay:
        async with Browser(social, "dev-1") as browser, Browser(social, "dev-1") as other:
            await browser.hear_of("sync:ack")
            await other.hear_of("sync:ack")
            assert relay.disconnect("nobody") == 0
            assert relay.disconnect("dev-1", code=4007, reason="banned") == 2
            with pytest.raises(websockets.ConnectionClosed) as closed:
                while True:
                    await browser.hear()
            assert (closed.value.code, closed.value.reason) == (4007, "banned")


async def connect_until_told(social: RealRelay, seen: list[Notice]) -> None:
    """From then on somebody asks for notices."""
    end = time.monotonic() + DEADLINE
    while not seen:
        assert time.monotonic() < end, "no notice came"
        async with Browser(social):
            pass


async def test_who_came_and_went_is_told_to_one_worker(social: RealRelay) -> None:
    seen: list[Notice] = []
    with Relay(social.endpoint) as one, Relay(social.endpoint) as two:
        for relay in (one, two):
            relay.on_notice("connected", "disconnected", "joined", "left")(seen.append)
            relay.start()

        def told(*kinds: str) -> list[Notice]:
            return [notice for notice in list(seen) if notice.event in kinds]

        async def until(condition: Any, what: str) -> None:
            await asyncio.to_thread(wait_until, condition, what)

        await connect_until_told(social, seen)
        await until(lambda: len(told("disconnected")) >= len(told("connected")), "they are gone")
        seen.clear()
        async with Browser(social, "dev-1") as browser:
            await until(lambda: told("joined"), "it is a member")
            (client,) = one.clients()
            assert client.identity == "dev-1"
            await browser.say({"type": "say"})
        await until(lambda: told("left"), "its grace is over")
        connected, disconnected, joined, left = (told(kind)[-1] for kind in ("connected", "disconnected", "joined", "left"))
        ended = [notice for notice in told("disconnected") if notice.connection == client.id]  # others told late of theirs
        assert len(told("joined", "left")) == 2 and ended == [disconnected]
        assert connected == Notice("connected", connected.ts, connection=client.id, address="127.0.0.1")
        assert joined == Notice("joined", joined.ts, id="dev-1", channel="", info={"name": "Phone"})
        assert left == Notice("left", left.ts, id="dev-1", channel="")
        assert (disconnected.connection, disconnected.id, disconnected.code) == (client.id, "dev-1", 1000)
        assert disconnected.duration is not None and 0 < disconnected.duration < DEADLINE
        assert 1.7e9 < connected.ts <= joined.ts <= disconnected.ts <= left.ts


async def test_who_asks_for_notices_only_is_no_backend_for_messages(social: RealRelay) -> None:
    with Relay(social.endpoint) as relay:
        seen: list[Notice] = []
        relay.on_notice("connected")(seen.append)
        relay.start()
        await connect_until_told(social, seen)
        async with Browser(social, "dev-1") as browser:
            await browser._socket.send(json.dumps({"type": "say", "ref": "1"}))
            assert (await browser.hear_of("sync:error"))["code"] == "no_backend"
