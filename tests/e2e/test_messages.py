"""What clients say and workers take: each message at least once until it is done, in the order of its sender."""

import asyncio
import itertools
import os
import random
import signal
import threading

import pytest
import websockets

from channel_client import ChannelClient
from control_peer import NoAnswer
from deadline import until
from worker import Worker, said, texts

CRASH_BINARY = os.environ.get("SYNCRELAY_CRASH_BINARY")
IDENTITIES = ("--anonymous-identity", "--client-rate", "0")
PUBLISHING = ("--open-channels", "*", "--client-publish", "doc:*")


@pytest.fixture
def relay(start_relay):
    return start_relay(*IDENTITIES)


@pytest.fixture
def employ():
    """employ(relay): a worker that has asked once, so that there is a backend."""
    workers = []

    def start(relay):
        workers.append(Worker(relay))
        workers[-1].look()
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


@pytest.fixture
async def join():
    """join(relay): a client; with `id` it has said who it is."""
    clients = []

    async def open_client(relay, *channels, id=None, **query):
        clients.append(await ChannelClient.open(relay, *channels, **query))
        if id:
            await clients[-1].hello(id)
        return clients[-1]

    yield open_client
    for client in clients:
        await client.abort()


async def acked(client, text, **more):
    """Says it; returns when it is taken."""
    answer = await client.ask({"type": "chat:say", "text": text, **more})
    assert answer["type"] == "sync:ack", answer


async def answer_to(client, text, ref):
    await client.say(said(text, ref=ref))
    return await client.answer(ref)


# From a client to a worker.


async def test_what_was_said_and_acknowledged_comes_to_a_worker_until_it_is_done(relay, employ, join):
    worker, client = employ(relay), await join(relay, id="dev-1")
    text = '{"type":"cart:buy","ref":"r1","channel":"room:42","price":1.50}'
    await client.say(text)
    assert await client.answer("r1") == {"type": "sync:ack", "ref": "r1"}
    event, = await asyncio.to_thread(worker.receive)
    assert list(event) == ["n", "event", "connection", "id", "channel", "ts", "attempt", "data"]
    assert (event["event"], event["id"], event["channel"], event["attempt"]) == ("message", "dev-1", "room:42", 1)
    assert event["data"] == {"type": "cart:buy", "ref": "r1", "channel": "room:42", "price": 1.50}
    assert worker.done([event]) == 1 and worker.done([event]) == 0
    assert worker.look() == []


async def test_what_was_said_before_a_restart_names_no_connection(start_relay, data_dir, employ, join):
    relay = start_relay(*IDENTITIES, "--data", data_dir)
    employ(relay)
    await acked(await join(relay, id="dev-1"), "before")
    await acked(await join(relay), "nobody's")
    relay.kill()
    relay = start_relay(*IDENTITIES, "--data", data_dir)
    await acked(await join(relay, id="dev-2"), "after")
    events = {event["data"]["text"]: event for event in employ(relay).taken}
    assert list(events["before"]) == ["n", "event", "id", "channel", "ts", "attempt", "data"]
    assert list(events["nobody's"]) == ["n", "event", "channel", "ts", "attempt", "data"]
    assert events["after"]["connection"] == 1


async def test_a_worker_that_waits_hears_of_what_is_said(relay, employ, join):
    worker, client = employ(relay), await join(relay)
    worker.begin_receiving(wait=30)
    await client.say(said("without a ref"))
    assert texts(await asyncio.to_thread(worker.hear, 30)) == ["without a ref"]
    assert "id" not in worker.taken[0]


async def test_messages_of_a_sender_come_in_order_and_to_one_worker_at_a_time(relay, employ, join):
    one, two = employ(relay), employ(relay)
    clients = [await join(relay, id=f"dev-{number}") for number in range(3)]
    for number in range(10):
        for client in clients:
            await client.say(said(number))
    for client in clients:
        await acked(client, 10)
    first, second = one.receive(max=2), two.receive(max=100)
    assert len({event["id"] for event in first}) == 2
    assert {e["id"] for e in first}.isdisjoint(e["id"] for e in second)
    one.done(first), two.done(second)
    while events := one.look():
        one.done(events)
    for client in ("dev-0", "dev-1", "dev-2"):
        assert texts(e for e in first + second + one.taken[2:] if e["id"] == client) == list(range(11))


async def test_a_late_done_from_before_a_restart_without_data_ends_no_message_of_the_new_relay(start_relay, employ, join):
    relay = start_relay(*IDENTITIES)
    worker, client = employ(relay), await join(relay, id="dev-1")
    await acked(client, "before")
    old = worker.receive()
    relay.kill()
    relay = start_relay(*IDENTITIES)
    worker = employ(relay)
    await acked(await join(relay, id="dev-1"), "behind")
    assert worker.done(old) == 0
    assert texts(worker.receive()) == ["behind"]


# A ref that is said again.


@pytest.mark.parametrize("who", [{"id": "dev-1"}, {"session": "tab-1"}])
@pytest.mark.parametrize("end", [None, "stop", "kill"])
async def test_a_ref_said_again_after_a_reconnect_is_acknowledged_again_and_delivered_once(
        start_relay, data_dir, employ, join, who, end):
    relay = start_relay(*IDENTITIES, "--data", data_dir)
    worker, client = employ(relay), await join(relay, **who)
    assert (await answer_to(client, "first", "r1"))["type"] == "sync:ack"
    if end:
        getattr(relay, end)()
        relay = start_relay(*IDENTITIES, "--data", data_dir)
        worker = Worker(relay)
    await client.abort()
    back = await join(relay, **who)
    for text in ("again", "and again"):
        assert (await answer_to(back, text, "r1"))["type"] == "sync:ack"
    assert (await answer_to(back, "next", "r2"))["type"] == "sync:ack"
    events = worker.receive()
    assert texts(events) == ["first", "next"]
    worker.done(events)
    assert (await answer_to(back, "after it is done", "r1"))["type"] == "sync:ack"
    assert worker.look() == []
    worker.close()


async def test_a_ref_is_that_of_its_sender(relay, employ, join):
    worker = employ(relay)
    for who in ({"id": "dev-1"}, {"id": "dev-2"}, {"session": "dev-1"}, {"session": "@dev-1"}, {}, {}):
        assert (await answer_to(await join(relay, **who), str(who), "r1"))["type"] == "sync:ack"
    assert len(worker.look()) == 6


async def test_a_published_event_with_a_repeated_ref_is_one_event(start_relay, data_dir, join):
    relay = start_relay(*IDENTITIES, *PUBLISHING, "--data", data_dir)
    client = await join(relay, "doc:7", id="dev-1")
    publish = {"type": "sync:publish", "channel": "doc:7", "event": "moved", "ref": "p1"}
    for data in (1, 2):  # in one batch, maybe
        await client.say({**publish, "data": data})
    for _ in range(2):
        assert (await client.answer("p1"))["type"] == "sync:ack"
    await client.abort()
    relay.kill()
    relay = start_relay(*IDENTITIES, *PUBLISHING, "--data", data_dir)
    back = await join(relay, client.position("doc:7"), id="dev-1")
    await back.say({**publish, "data": 3})
    assert (await back.answer("p1"))["type"] == "sync:ack"
    await back.ask({**publish, "data": 4})
    events = [told.body for told in client.told + back.told if told.type == "moved"]
    assert [(event["data"], event["seq"]) for event in events] == [(1, 1), (4, 2)]


async def test_a_publish_that_was_refused_leaves_no_ref_behind(start_relay, join):
    relay = start_relay(*IDENTITIES, *PUBLISHING)
    client = await join(relay, "doc:7", id="dev-1")
    publish = {"type": "sync:publish", "channel": "doc:7", "ref": "p1"}
    for event, code in (("sync:set", "reserved_type"), ("e" * 257, "invalid_type")):
        await client.say({**publish, "event": event})
        assert (await client.answer("p1"))["code"] == code
    await client.say({**publish, "event": "moved"})
    assert (await client.answer("p1"))["type"] == "sync:ack"
    assert client.told[-1].type == "moved"


# Leases.


async def test_a_lease_that_runs_out_gives_the_message_to_another(relay, employ, join):
    slow, other, client = employ(relay), employ(relay), await join(relay, id="dev-1")
    for number in range(3):
        await acked(client, number)
    assert texts(slow.receive(max=2, lease=1)) == [0, 1]
    other.begin_receiving(wait=30)
    events = await asyncio.to_thread(other.hear, 30)
    assert texts(events) == [0, 1, 2] and [e["attempt"] for e in events] == [2, 1, 1]
    assert slow.done(slow.taken[:1]) == 1, "who is late has done it all the same"
    assert other.done(events) == 2


async def test_a_lease_can_be_extended_and_given_back(relay, employ, join):
    one, two, client = employ(relay), employ(relay), await join(relay, id="dev-1")
    await acked(client, "kept")
    events = one.receive(lease=1)
    assert one.extend(events, 60) == 1
    two.begin_receiving(wait=1.5)
    assert await asyncio.to_thread(two.hear, 30) == []
    assert one.release(events) == 1
    assert one.release(events) == 0 and one.extend(events, 60) == 0, "it is out no more"
    again = two.look()
    assert texts(again) == ["kept"] and again[0]["attempt"] == 2


async def test_what_is_given_back_untried_was_no_attempt(relay, employ, join):
    one, two, client = employ(relay), employ(relay), await join(relay, id="dev-1")
    for number in range(3):
        await acked(client, f"{number}", ref=f"{number}")
    first, *others = one.receive(lease=60)
    assert one.release([first]) == 1 and one.release(others, untried=True) == 2
    assert [(event["data"]["text"], event["attempt"]) for event in two.look()] == [("0", 2), ("1", 1), ("2", 1)]


async def test_what_is_given_back_comes_to_a_worker_that_waits(relay, employ, join):
    one, two, client = employ(relay), employ(relay), await join(relay, id="dev-1")
    await acked(client, "kept")
    events = one.receive()
    two.begin_receiving(wait=30)
    one.ask({"op": "stats"})
    assert one.release(events) == 1
    assert texts(await asyncio.to_thread(two.hear, 30)) == ["kept"]


async def test_what_a_worker_had_that_vanished_comes_to_another_when_its_lease_is_over(relay, employ, join):
    one, two, client = employ(relay), employ(relay), await join(relay, id="dev-1")
    await acked(client, "mine")
    assert texts(one.receive(lease=1)) == ["mine"]
    one.vanish()
    assert two.look() == []
    assert texts(two.receive(wait=30)) == ["mine"]


async def test_a_worker_that_vanished_while_it_waited_has_had_nothing(relay, employ, join):
    one, two, client = employ(relay), employ(relay), await join(relay, id="dev-1")
    await until(lambda: relay.metrics().value("command_connections") == 2, "both are counted")
    one.begin_receiving(wait=60, lease=3600)
    two.ask({"op": "stats"})
    one.vanish()
    await acked(client, "for who is there")
    event, = two.receive()
    assert event["attempt"] == 1


# Bounds.


async def test_a_full_inbox_is_told_to_those_with_a_ref_and_counted_for_the_others(start_relay, employ, join):
    relay = start_relay(*IDENTITIES, "--inbox-messages", "3")
    worker, client, other = employ(relay), await join(relay, id="dev-1"), await join(relay, id="dev-2")
    for number in range(3):
        await acked(client, number)
    for who in (client, other):
        assert (await answer_to(who, "too much", "r"))["code"] == "inbox_full"
        await who.say(said("too much"))
    refused = "inbox_refused_total"
    await until(lambda: relay.metrics().value(refused, reason="inbox_full") == 4, "all are counted")
    assert worker.done(worker.look()) == 3
    assert (await answer_to(other, "said later", "r"))["type"] == "sync:ack", "a refusal leaves no ref behind"
    assert texts(worker.look()) == ["said later"]


async def test_the_bytes_of_the_inbox_are_bounded(start_relay, employ, join):
    relay = start_relay(*IDENTITIES, "--inbox-bytes", "100KiB")
    employ(relay)
    clients = [await join(relay, id=f"dev-{number}") for number in range(5)]
    answers = [await answer_to(client, "x" * 30_000, "r") for client in clients]
    assert [a.get("code") for a in answers] == [None] * 3 + ["inbox_full"] * 2
    assert relay.metrics().value("inbox_bytes") <= 100 * 1024


@pytest.mark.parametrize("who", [{"id": "dev-1"}, {"session": "tab-1"}, {}])
async def test_one_sender_cannot_shut_the_inbox_for_others(start_relay, employ, join, who):
    relay = start_relay(*IDENTITIES, "--inbox-messages", "120")
    worker, loud, other = employ(relay), await join(relay, **who), await join(relay, id="dev-2")
    for number in range(150):
        await loud.say(said(number))
    assert (await answer_to(loud, "too much", "r"))["code"] == "inbox_full"
    assert (await answer_to(other, "heard", "r"))["type"] == "sync:ack"
    assert relay.metrics().value("inbox_refused_total", reason="sender_full") == 51
    assert relay.metrics().value("inbox_refused_total", reason="inbox_full") == 0
    assert worker.done(worker.receive(max=1)) == 1
    assert (await answer_to(loud, "there is room", "r"))["type"] == "sync:ack"


async def test_one_sender_has_a_tenth_of_the_bytes_or_one_message(start_relay, employ, join):
    relay = start_relay(*IDENTITIES, "--inbox-bytes", "200KiB")
    employ(relay)
    large, small = await join(relay, id="dev-1"), await join(relay, id="dev-2")
    assert (await answer_to(large, "x" * 30_000, "r1"))["type"] == "sync:ack"
    assert (await answer_to(large, "more", "r2"))["code"] == "inbox_full"
    answers = [await answer_to(small, "x" * 6_000, str(number)) for number in range(5)]
    assert [a.get("code") for a in answers] == [None] * 3 + ["inbox_full"] * 2
    assert relay.metrics().value("inbox_refused_total", reason="sender_full") == 3


# Whether there is a backend.


@pytest.mark.parametrize("stored", [False, True])
async def test_there_is_a_backend_from_the_first_receive_on_and_with_data_for_ever(
        start_relay, data_dir, employ, join, stored):
    options = (*IDENTITIES, "--data", data_dir) if stored else IDENTITIES
    relay = start_relay(*options)
    client = await join(relay, id="dev-1")
    assert (await answer_to(client, "nobody", "r1"))["code"] == "no_backend"
    await client.say(said("ignored"))
    await until(lambda: relay.metrics().value("inbox_ignored_total") == 1, "it is ignored")
    employ(relay)
    assert (await answer_to(client, "somebody", "r1"))["type"] == "sync:ack"
    relay.kill()
    relay = start_relay(*options)
    back = await join(relay, id="dev-1")
    answer = await answer_to(back, "later", "r2")
    assert answer["type"] == "sync:ack" if stored else answer["code"] == "no_backend"
    worker = Worker(relay)
    assert texts(worker.look()) == (["somebody", "later"] if stored else [])
    worker.close()


# When the storage fails.


async def test_what_cannot_be_stored_is_refused_and_leaves_no_ref_behind(start_relay, data_dir, disk, employ, join):
    relay = start_relay(*IDENTITIES, "--data", data_dir, launcher=disk.launcher)
    worker, client = employ(relay), await join(relay, id="dev-1")
    await acked(client, "kept")
    kept = worker.look()
    disk.fill()
    for number in itertools.count():
        answer = await answer_to(client, str(number) * 10_000, f"full{number}")
        if answer["type"] == "sync:error":
            break
    assert answer["code"] == "storage_full"
    disk.free()
    again = f"full{number}"
    while (answer := await answer_to(client, "there is room", again))["type"] == "sync:error":
        assert answer["code"].startswith("storage_")
    assert worker.done(kept) == 1
    assert texts(worker.look()) == [str(n) * 10_000 for n in range(number)] + ["there is room"]
    assert (await answer_to(client, "said again", again))["type"] == "sync:ack"
    assert worker.look() == []


# Over kill -9 of the relay.


class Talker:
    """A client that says numbers one after the other, each until it is acknowledged, over all lives of the relay."""

    def __init__(self, name, crowd):
        self.name, self.crowd = name, crowd
        self.said, self.acked = 0, 0  # numbers below these

    async def talk(self):
        while not self.crowd.quiet:
            try:
                client = await ChannelClient.open(self.crowd.relay)
                await client.hello(self.name)
                await self.go_on(client)
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
                await asyncio.sleep(0)

    async def go_on(self, client):
        """Some at once; what was not acknowledged is said again with its ref."""
        try:
            while not self.crowd.quiet:
                self.said = max(self.said, self.acked + 4)
                for number in range(self.acked, self.said):
                    await client.say(said(number, ref=str(number)))
                for number in range(self.acked, self.said):
                    answer = await client.answer(str(number))
                    if answer["type"] != "sync:ack":
                        self.crowd.faults.append(f"{self.name} {number}: {answer}")
                    self.acked = number + 1
        finally:
            await client.abort()


class Crowd:
    """Talkers and workers, and what the workers have seen. Workers are threads, each with a new socket when its own is not
    answered; what a relay has handed to the old one comes again after its lease."""

    def __init__(self, talkers, workers, draw):
        self.relay, self.draw = None, draw
        self.quiet = self.over = False  # nobody talks any more; nobody works
        self.talkers = [Talker(f"dev-{number}", self) for number in range(talkers)]
        self.seen = {talker.name: [] for talker in self.talkers}  # numbers, as they first came
        self.done = set()   # (name, number) whose done was answered
        self.faults = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(workers)]

    def _work(self):
        while not self.over:
            worker = Worker(self.relay, patience=1)
            try:
                while not self.over:
                    self._take(worker, worker.receive(wait=0.2, max=7, lease=2))
            except NoAnswer:
                pass
            except BaseException as fault:
                self.faults.append(repr(fault))
                raise
            finally:
                worker.close()

    def _take(self, worker, events):
        with self._lock:
            for event in events:
                name, number = event["id"], event["data"]["text"]
                if (name, number) in self.done:
                    self.faults.append(f"{name} {number} came after its done")
                if number not in self.seen[name]:
                    self.seen[name].append(number)
        if not events or self.draw.random() < 0.1:
            return worker.release(events) if events else None
        worker.done(events)
        with self._lock:
            self.done |= {(event["id"], event["data"]["text"]) for event in events}

    def acked(self):
        return sum(talker.acked for talker in self.talkers)

    def all_seen(self):
        return all(len(self.seen[t.name]) >= t.acked for t in self.talkers)

    async def live(self, start, lives):
        """`lives`: for each of them what ends it, awaited; after the last one the workers finish."""
        self.relay = await asyncio.to_thread(start)
        first = Worker(self.relay)
        first.look()  # there is a backend, from now on
        first.close()
        for thread in self._threads:
            thread.start()
        talking = [asyncio.create_task(talker.talk()) for talker in self.talkers]
        try:
            for end in lives:
                await end(self)
                self.relay.kill()
                self.relay = await asyncio.to_thread(start)
            talked = self.acked()
            await until(lambda: self.acked() > talked + 20 or self.faults, "they talk in the last life", 20)
            self.quiet = True
            await asyncio.gather(*talking)
            await until(lambda: self.all_seen() or self.faults, "all that was acknowledged has come", 20)
        finally:
            self.quiet = self.over = True
            await asyncio.wait(talking)
            for thread in self._threads:
                await asyncio.to_thread(thread.join)

    def judge(self):
        assert not self.faults, self.faults[:5]
        for talker in self.talkers:
            seen = self.seen[talker.name]
            assert seen == list(range(len(seen))), "in the sender's order"
            assert talker.acked <= len(seen) <= talker.said


@pytest.mark.heavy
async def test_what_was_acknowledged_comes_in_order_and_never_after_its_done_over_kill_9(start_relay, data_dir):
    draw = random.Random(7)
    crowd = Crowd(4, 2, draw)

    async def some_more_are_acked(crowd):
        enough = crowd.acked() + draw.randint(5, 120)
        await until(lambda: crowd.acked() >= enough or crowd.faults, "they talk")

    await crowd.live(lambda: start_relay(*IDENTITIES, "--data", data_dir), [some_more_are_acked] * 8)
    crowd.judge()
    assert crowd.done


@pytest.mark.heavy
@pytest.mark.parametrize("point", ["before_commit", "before_note", "after_commit", "before_answer"])
async def test_a_crash_inside_a_batch_loses_nothing_and_repeats_nothing_that_is_done(
        start_relay, data_dir, monkeypatch, point):
    if not CRASH_BINARY:
        pytest.skip("$SYNCRELAY_CRASH_BINARY names no relay built with -Dcrash_points=true")
    monkeypatch.setenv("SYNCRELAY_BINARY", CRASH_BINARY)
    draw = random.Random(point)
    passes = itertools.chain([draw.randint(3, 60) for _ in range(6)], [10**9])

    def start():
        return start_relay(*IDENTITIES, "--data", data_dir, env={"SYNCRELAY_CRASH_AT": f"{point}:{next(passes)}"})

    async def it_dies(crowd):
        await until(lambda: crowd.relay.exit_code() is not None or crowd.faults, "it dies")
        assert crowd.relay.exit_code() == -signal.SIGKILL, crowd.faults

    crowd = Crowd(4, 2, draw)
    await crowd.live(start, [it_dies] * 6)
    crowd.judge()


async def test_what_was_published_and_acknowledged_is_one_event_over_kill_9(start_relay, data_dir, join):
    options = (*IDENTITIES, *PUBLISHING, "--data", data_dir)
    draw, number, events, position = random.Random(3), 0, [], ("doc:7", "", 0)
    for life in range(5):
        relay = start_relay(*options)
        client = await join(relay, *([position] if life else ["doc:7"]), id="dev-1")
        enough = number + draw.randint(5, 40)
        try:
            while True:
                await client.say({"type": "sync:publish", "channel": "doc:7", "event": "e", "data": number,
                                  "ref": str(number)})
                if number == enough:
                    relay.kill()  # while it is on its way
                assert (await client.answer(str(number)))["type"] == "sync:ack"
                number += 1
        except websockets.ConnectionClosed:
            position = client.position("doc:7")
            events += [told.body["data"] for told in client.told if told.type == "e"]
    relay = start_relay(*options)
    last = await join(relay, position, id="dev-1")
    await last.say({"type": "sync:publish", "channel": "doc:7", "event": "e", "data": number, "ref": str(number)})
    await last.answer(str(number))
    events += [told.body["data"] for told in last.told if told.type == "e"]
    assert events == list(range(number + 1))
