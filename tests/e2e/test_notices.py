"""Notices for workers: who connected and went, which identity became a member and left."""

import asyncio
import json
import time

import pytest

from channel_client import ChannelClient
from deadline import until
from worker import Worker, said

KINDS = ("connected", "disconnected", "joined", "left")
BELIEVING = ("--anonymous-identity", "--client-rate", "0", "--open-channels", "*", "--presence", "*")
HASTY = (*BELIEVING, "--presence-grace", "0ms", "--presence-grace-closed", "0ms")


@pytest.fixture
def employ():
    """employ(relay, *kinds): a worker that has asked for these once."""
    workers = []

    def start(relay, *kinds):
        workers.append(Worker(relay))
        workers[-1].receive(wait=0, events=kinds or KINDS)
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


async def heard(worker, count, *kinds):
    """So many events of these kinds (all notices), in however many answers."""
    events = []
    while len(events) < count:
        events += await asyncio.to_thread(worker.receive, wait=10, events=kinds or KINDS)
        assert events, f"fewer than {count}"
    assert len(events) == count, events
    return events


async def test_a_worker_that_asks_hears_who_comes_and_goes_and_how(start_relay, employ, follow):
    relay = start_relay(*HASTY)
    worker = employ(relay, "connected", "disconnected")
    began = time.time()
    leaving, lost, sent_away = [await follow(relay, id=id) for id in ("dev-1", None, "dev-3")]
    connected = await heard(worker, 3, "connected", "disconnected")
    assert [list(event) for event in connected] == [["event", "connection", "address", "ts"]] * 3
    assert {event["address"] for event in connected} == {"127.0.0.1"}
    assert all(began - 1 < event["ts"] < time.time() + 1 for event in connected)
    first, second, third = [event["connection"] for event in connected]
    await leaving.connection.close(code=1000)
    event, = await heard(worker, 1, "connected", "disconnected")
    assert list(event) == ["event", "connection", "id", "code", "duration", "ts"]
    assert (event["event"], event["connection"], event["id"], event["code"]) == ("disconnected", first, "dev-1", 1000)
    assert 0 <= event["duration"] < time.time() - began + 1
    await lost.abort()
    event, = await heard(worker, 1, "connected", "disconnected")
    assert list(event) == ["event", "connection", "code", "duration", "ts"]
    assert (event["connection"], event["code"]) == (second, 1006)
    assert worker.ask({"op": "disconnect", "id": "dev-3", "code": 4401})["closed"] == 1
    event, = await heard(worker, 1, "connected", "disconnected")
    assert (event["connection"], event["id"], event["code"]) == (third, "dev-3", 4401)
    assert sent_away


async def test_members_are_told_as_the_log_tells_them(start_relay, employ, follow):
    relay = start_relay(*HASTY)
    worker = employ(relay, "joined", "left")
    watcher = await follow(relay, "room:1")
    client = await follow(relay, "", "room:1", id="dev-1", info={"name": "Phone"})
    for event in await heard(worker, 2, "joined", "left"):
        assert list(event) == ["event", "channel", "id", "info", "ts"]
        assert event["channel"] in ("", "room:1") and event["info"] == {"name": "Phone"}
    joined = await watcher.event("sync:joined", "room:1")
    assert joined["ts"] in [event["ts"] for event in worker.taken]
    await client.ask({"type": "sync:hello", "id": "dev-1", "info": {"name": "Tablet"}})
    await watcher.event("sync:changed", "room:1")
    await client.unsubscribe("room:1")
    left, = await heard(worker, 1, "joined", "left")
    told = await watcher.event("sync:left", "room:1")
    assert left == {"event": "left", "channel": "room:1", "id": "dev-1", "ts": told["ts"]}


async def test_what_nobody_asked_for_is_not_told_later(start_relay, employ, follow):
    relay = start_relay(*HASTY)
    await (await follow(relay, id="dev-1")).leave()
    worker = employ(relay, "disconnected")
    await follow(relay)
    client = await follow(relay)
    await client.leave()
    event, = await heard(worker, 1, "disconnected")
    assert event["event"] == "disconnected" and event["connection"] == 3


async def test_a_notice_goes_to_one_worker_that_asks_for_its_kind(start_relay, employ, follow):
    relay = start_relay(*HASTY)
    ones, other = [employ(relay, "connected") for _ in range(2)], employ(relay, "left")
    for worker in ones:
        worker.begin_receiving(wait=1, events=["connected"])
    other.begin_receiving(wait=1, events=["left"])
    clients = [await follow(relay) for _ in range(2)]
    counts = [len(await asyncio.to_thread(worker.hear, 1)) for worker in ones]
    while sum(counts) < len(clients):
        counts.append(len(await asyncio.to_thread(ones[0].receive, wait=5, events=["connected"])))
    assert sum(counts) == 2 and await asyncio.to_thread(other.hear, 1) == []
    numbers = [event["connection"] for worker in ones for event in worker.taken]
    assert sorted(numbers) == [1, 2]


async def test_notices_come_before_messages_and_share_their_number(start_relay, employ, follow):
    relay = start_relay(*HASTY)
    worker = employ(relay, "message", *KINDS)
    client = await follow(relay, "room:1", id="dev-1")
    for number in range(3):
        await client.ask(json.loads(said(number)))
    await until(lambda: relay.metrics().value("members") == 1, "it is a member")
    kinds = ("message", *KINDS)
    first = worker.receive(wait=5, events=kinds, max=3)
    assert [event["event"] for event in first] == ["connected", "joined", "message"]
    assert worker.done(first[2:]) == 1
    rest = worker.receive(wait=5, events=kinds)
    assert [event["n"] - first[2]["n"] for event in rest] == [1, 2]


async def test_notices_that_could_not_be_delivered_go_to_the_next_worker(start_relay, employ, follow):
    relay = start_relay(*HASTY)
    one, two = employ(relay), employ(relay)
    await until(lambda: relay.metrics().value("command_connections") == 2, "both are counted")
    one.begin_receiving(wait=60, events=KINDS)
    two.ask({"op": "stats"})
    one.vanish()
    await follow(relay)
    event, = await heard(two, 1)
    assert event["event"] == "connected"


async def test_what_all_shards_see_comes_once_and_in_order(start_relay, employ):
    """Of each client: connected, joined, disconnected, left."""
    relay = start_relay(*HASTY, "--shards", 3)
    worker = employ(relay)
    events, count = [], 60

    async def flap(number):
        client = await ChannelClient.open(relay, "room:1")
        await client.hello(f"dev-{number}")
        await client.abort()

    async def hear():
        while len(events) < 4 * count:
            events.extend(await asyncio.to_thread(worker.receive, wait=10, events=KINDS, max=7))

    hearing = asyncio.create_task(hear())
    await asyncio.gather(*[flap(number) for number in range(count)])
    await asyncio.wait_for(hearing, 30)
    names = {event["connection"]: event["id"] for event in events if event["event"] == "disconnected"}
    assert sorted(names.values()) == sorted(f"dev-{number}" for number in range(count))
    stories = {name: [] for name in names.values()}
    for event in events:
        stories[event.get("id") or names[event["connection"]]].append(event["event"])
    assert list(stories.values()) == [["connected", "joined", "disconnected", "left"]] * count
    assert relay.metrics().value("notices_dropped_total") == 0


async def test_asking_for_notices_only_makes_no_backend(start_relay, employ, follow):
    relay = start_relay(*HASTY)
    worker = employ(relay)
    client = await follow(relay)
    assert (await client.ask(json.loads(said("early"))))["code"] == "no_backend"
    worker.look()
    assert (await client.ask(json.loads(said("now"))))["type"] == "sync:ack"
