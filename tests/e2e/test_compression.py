"""permessage-deflate: clients that have negotiated it get the same messages, in fewer bytes."""

import json
import random

import pytest

from ws_client import settle

DEFLATE = {"compression": "deflate"}


def typical(number):
    """An event of 500 to 1,000 bytes as a backend would send it."""
    draw = random.Random(number)
    return {"players": [
        {"id": f"player-{draw.randrange(10 ** 6)}", "name": f"Player {draw.randrange(10 ** 4)}",
         "state": draw.choice(["playing", "paused", "idle"]), "volume": draw.randrange(101),
         "track": {"title": f"Song {draw.randrange(10 ** 5)}", "artist": f"Artist {draw.randrange(10 ** 4)}",
                   "seconds": draw.randrange(10 ** 6) / 1000},
         "position": draw.randrange(10 ** 6) / 1000} for _ in range(draw.randrange(3, 6))]}


async def read_both(clients, seq):
    for client in clients:
        await client.read_to_seq(seq)


async def test_clients_with_and_without_it_see_the_same_messages(relay, pusher, connect):
    plain = await connect(relay)
    deflated = await connect(relay, **DEFLATE)
    for number in range(200):
        pusher.broadcast("state", typical(number))
        pusher.broadcast("short", number)
    await read_both([plain, deflated], await settle(relay, pusher))
    assert [m.text for m in plain.events()] == [m.text for m in deflated.events()]
    assert len(plain.events()) == 401


async def test_what_a_client_deflates_is_heard(relay, connect):
    client = await connect(relay, **DEFLATE)
    await client.connection.send(json.dumps({"type": "sync:ping", "padding": "x" * 900}))
    await client.connection.send([json.dumps({"type": "sync:ping"})[:9], json.dumps({"type": "sync:ping"})[9:]])
    for _ in range(2):
        assert (await client.next()).type == "ping"
