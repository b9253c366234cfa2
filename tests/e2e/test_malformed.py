"""Two hundred malformed inputs from each side: the relay answers after every one, and nothing has changed."""

import contextlib
import random

import pytest

from deadline import until
from malformed import malformed_commands, malformed_connections
from raw_client import RawClient
from ws_client import settle, settled_snapshot

COUNT = 200
SEEDS = [1, 2, 3]
LEAVING_SECONDS = 5  # for the answer or close frame to be read by a peer that does not hang up
MARGIN_SECONDS = 5  # a tick of 250 ms and a busy machine


@pytest.mark.parametrize("seed", SEEDS)
async def test_malformed_commands_change_nothing(relay, pusher, connect, seed):
    pusher.set("radio", "untouched")
    await settle(relay, pusher)
    watcher = await connect(relay)
    for number, command in enumerate(malformed_commands(seed, COUNT), 1):
        pusher.push(command)
        await until(lambda: relay.metrics().value("commands_rejected_total") == number, f"{command[:80]!r} is counted")
        assert relay.health()["status"] == "ok"
    assert (await settled_snapshot(relay, pusher)).data == {"comparison": None, "radio": "untouched"}
    assert (await watcher.next_event()).type == "test:fence"
    assert relay.metrics().value("commands_total") == 3


@pytest.mark.parametrize("seed", SEEDS)
async def test_malformed_clients_disturb_nobody(relay, pusher, connect, seed):
    """They leave in one of two ways; afterwards every descriptor is back."""
    watcher, choice = await connect(relay), random.Random(seed)
    for upgraded, data in malformed_connections(seed, COUNT):
        with RawClient(relay.port) as client:
            misbehave(client, upgraded, data)
            if choice.random() < 0.5:
                client.reset()
        assert relay.health()["status"] == "ok"
    await until(lambda: relay.health()["clients"] == 1, "only the watcher is left")
    await until(lambda: relay.connections() == 1, "every descriptor is back")
    pusher.broadcast("tick")
    assert (await watcher.next_event()).type == "tick"
    metrics = relay.metrics()
    assert metrics.value("clients_accepted_total") == 1 + metrics.value("clients_closed_total")


@pytest.mark.heavy
@pytest.mark.parametrize("seed", SEEDS)
async def test_malformed_clients_that_never_hang_up_cost_no_descriptor(start_relay, seed):
    """Each that is told why it has to go may read that for some seconds, and not longer; the others have their timeouts."""
    relay = start_relay("--handshake-timeout", "1s", "--ping-interval", "500ms", "--ping-timeout", "500ms")
    with contextlib.ExitStack() as held:
        for upgraded, data in malformed_connections(seed, COUNT):
            misbehave(held.enter_context(RawClient(relay.port)), upgraded, data)
        assert relay.connections() > 1, "they are waited for"
        await until(lambda: relay.connections() == 0, "every descriptor is back", LEAVING_SECONDS + MARGIN_SECONDS)
        health = relay.health()
        assert (health["status"], health["clients"]) == ("ok", 0)


def misbehave(client, upgraded, data):
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it was closed while still sending
        if upgraded:
            client.upgrade()
        client.send(data)
