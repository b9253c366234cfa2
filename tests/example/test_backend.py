"""The example backend keeps its clients in step, and they outlive it."""

import json
import urllib.error

import pytest


async def test_a_verdict_changes_the_state_and_tells_every_client(start_backend, connect):
    backend = start_backend()
    clients = [await connect(), await connect()]

    told = backend.post("/comparison/verdict", {"winner": 0, "loser": 1})

    for client in clients:
        event = await client.read_to_type("comparison:advanced")
        assert event.data["winner"]["id"] == 0
        assert event.data["pair"] == told["pair"]
    late = await connect()
    assert late.first.data["comparison"] == told
    assert late.first.data["radio"] is None


async def test_a_track_start_changes_the_state_and_tells_every_client(start_backend, connect):
    backend = start_backend()
    client = await connect()

    told = backend.post("/radio/start", {"track": 5})

    assert (await client.read_to_type("radio:started")).data == told
    assert (await connect()).first.data["radio"] == told


async def test_restarting_the_backend_disconnects_nobody(start_backend, connect):
    first = start_backend()
    client = await connect()
    first.post("/radio/start", {"track": 1})
    await client.read_to_type("radio:started")

    first.stop()
    second = start_backend(first.port)
    second.post("/radio/start", {"track": 2})

    assert (await client.read_to_type("radio:started")).data["track"]["id"] == 2
    assert client.connection.open


async def test_the_winner_stays_and_never_meets_itself(start_backend):
    backend = start_backend()
    tracks = json.loads(backend.get("/tracks"))
    pair = [0, 1]
    for _ in range(2 * len(tracks)):
        told = backend.post("/comparison/verdict", {"winner": pair[0], "loser": pair[1]})
        assert told["pair"][0]["id"] == pair[0]
        pair = [track["id"] for track in told["pair"]]
        assert pair[0] != pair[1]


async def test_an_unknown_track_is_refused(start_backend):
    backend = start_backend()
    with pytest.raises(urllib.error.HTTPError) as refused:
        backend.post("/radio/start", {"track": 99})
    assert refused.value.code == 404


async def test_the_page_names_the_port_of_the_relay(relay, start_backend):
    backend = start_backend()
    assert f'name="relay-port" content="{relay.port}"' in backend.get("/")
    assert "connect(" in backend.get("/page/page.js")
