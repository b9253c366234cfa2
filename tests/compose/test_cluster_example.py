"""examples/cluster as users get it: two relays with a backend each, one Redis, and a proxy that spreads the clients."""

import contextlib
import json
import time
import urllib.request
from types import SimpleNamespace

import pytest
import websockets

from channel_client import ChannelClient
from deadline import until
from stack import BACKENDS, PROXY, RELAYS, post
from ws_client import SyncClient


def health(cluster, relay):
    with urllib.request.urlopen(f"http://{cluster.address(relay)}:8642/health", timeout=5) as reply:
        return json.load(reply)


def start_radio(cluster, backend, track):
    return post("/radio/start", {"track": track}, f"http://{cluster.address(backend)}:8000")


async def through_proxy(**query):
    """At the relay that has the fewest."""
    return await SyncClient.open(SimpleNamespace(port=8080), **query)


async def one_at_each(cluster):
    """Two clients; none while the proxy has not seen yet that both relays serve: it asks them once a second."""
    clients = []
    with contextlib.suppress(websockets.InvalidStatusCode):
        clients.append(await through_proxy())
        clients.append(await through_proxy())
        if all(health(cluster, relay)["clients"] == 1 for relay in RELAYS):
            return clients
    for client in clients:
        await client.abort()
    await until(lambda: not any(health(cluster, relay)["clients"] for relay in RELAYS), "they have left")
    return []


@pytest.fixture
async def pair(cluster):
    """Two clients, one at each relay."""
    end = time.monotonic() + 60
    while not (clients := await one_at_each(cluster)):
        assert time.monotonic() < end, "the proxy does not see that both serve"
    yield clients
    for client in clients:
        await client.abort()
    await until(lambda: not any(health(cluster, relay)["clients"] for relay in RELAYS), "both have left")


async def test_clients_at_both_relays_see_the_same_bytes_whichever_backend_pushes(cluster, pair):
    for number, backend in enumerate(BACKENDS * 2):
        told = start_radio(cluster, backend, number)
        seen = [await client.read_to_type("radio:started") for client in pair]
        assert seen[0].data == told and seen[0].text == seen[1].text
    assert pair[0].epoch == pair[1].epoch


async def test_pages_come_from_either_backend_and_lead_to_the_proxy(cluster):
    for backend in BACKENDS:
        with urllib.request.urlopen(f"http://{cluster.address(backend)}:8000/", timeout=5) as page:
            assert 'content="8080"' in page.read().decode()
    with urllib.request.urlopen(f"{PROXY}/", timeout=5) as page:
        assert page.status == 200


async def test_what_is_said_at_either_relay_is_in_the_one_chat(cluster):
    room = "room:0-1"
    clients = [await ChannelClient.open(SimpleNamespace(port=8080), room) for _ in RELAYS]
    try:
        for name, client in zip(("ada", "bob"), clients):
            await client.hello(name, info={"name": name})
            line = {"id": name, "name": name, "text": f"from {name}"}
            assert (await client.ask({"type": "chat:say", "channel": room, "data": line}))["type"] == "sync:ack"
        for client in clients:
            while len(client.state(room).get("chat", [])) < len(clients):
                await client.next(30)
        chats = [client.state(room)["chat"] for client in clients]
        assert chats[0] == chats[1] and {line["name"] for line in chats[0]} == {"ada", "bob"}
    finally:
        for client in clients:
            await client.leave()


async def test_a_client_of_a_relay_that_dies_goes_on_at_the_other(cluster):
    client = await through_proxy()
    try:
        start_radio(cluster, "backend-a", 1)
        await client.read_to_type("radio:started")
        [dies] = [relay for relay in RELAYS if health(cluster, relay)["clients"]]
        [stays] = set(RELAYS) - {dies}
        cluster.compose("kill", dies)
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await client.next()
        told = start_radio(cluster, stays.replace("relay", "backend"), 2)
        again = await through_proxy(epoch=client.epoch, seq=client.seq)
        assert again.first.type == "sync:resume"
        event = await again.read_to_type("radio:started")
        assert event.data == told and event.seq == client.seq + 1
        await again.leave()
    finally:
        cluster.compose("start", *RELAYS)
    await until(lambda: is_well(cluster, dies), "it has caught up", 60)
    assert health(cluster, dies)["seq"] == health(cluster, stays)["seq"]
    cluster.wait_until_all_serve()


def is_well(cluster, relay):
    try:
        return health(cluster, relay)["status"] == "ok"
    except OSError:
        return False


def relays_that_redis_knows(cluster):
    return int(cluster.compose("exec", "-T", "redis", "redis-cli", "HLEN", "{syncrelay}:relays"))


async def test_redis_is_restarted_and_all_goes_on_without_a_gap(cluster, pair):
    # One that was killed is missed after 10 s; until then nobody knows what it has told.
    await until(lambda: relays_that_redis_knows(cluster) == len(RELAYS), "only those that run are left", 30)
    start_radio(cluster, "backend-a", 3)
    before = [(await client.read_to_type("radio:started")).seq for client in pair]
    cluster.compose("stop", "redis")
    told = start_radio(cluster, "backend-b", 4)  # waits in the relay
    cluster.compose("start", "redis")
    for client, seq in zip(pair, before):
        event = await client.next_event(30)
        assert (event.data, event.seq) == (told, seq + 1)
        assert client.connection.open


@pytest.mark.parametrize("relay", RELAYS)
async def test_a_relay_is_well_and_its_redis_is_not_on_its_command_line(cluster, relay):
    await until(lambda: cluster.inspect(relay, "{{.State.Health.Status}}") == "healthy", "it is healthy", 30)
    assert "redis" not in cluster.inspect(relay, "{{.Config.Cmd}}{{.Config.Entrypoint}}")
