"""Two hundred malformed inputs from each side: the relay answers after every one, and nothing has changed."""

import random

import pytest

from deadline import until
from malformed import malformed_commands, malformed_connections
from raw_client import RawClient
from ws_client import settle, settled_snapshot

COUNT = 200
SEEDS = [1, 2, 3]


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
    watcher = await connect(relay)
    relay.http()
    before, choice = relay.fds(), random.Random(seed)
    for upgraded, data in malformed_connections(seed, COUNT):
        misbehave(relay.port, upgraded, data, by_reset=choice.random() < 0.5)
        assert relay.health()["status"] == "ok"
    await until(lambda: relay.health()["clients"] == 1, "only the watcher is left")
    await until(lambda: relay.fds() <= before, "every descriptor is back")
    pusher.broadcast("tick")
    assert (await watcher.next_event()).type == "tick"
    metrics = relay.metrics()
    assert metrics.value("clients_accepted_total") == 1 + metrics.value("clients_closed_total")


def misbehave(port, upgraded, data, by_reset):
    with RawClient(port) as client:
        try:
            if upgraded:
                client.upgrade()
            client.send(data)
        except (BrokenPipeError, ConnectionResetError):
            return  # it was closed while still sending
        if by_reset:
            client.reset()
