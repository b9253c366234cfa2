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


async def test_a_vote_is_told_in_the_room_of_its_pair_alone(start_backend, connect):
    backend = start_backend()
    room, other, hall = await connect(channel="room:0-1"), await connect(channel="room:0-2"), await connect()

    backend.post("/rooms/0-1/vote", {"name": "Ada", "track": 1})
    backend.post("/rooms/0-2/vote", {"name": "Ada", "track": 2})
    backend.post("/rooms/0-1/vote", {"name": "Ben", "track": 0})

    told = await room.read_to_type("vote:cast")
    assert told.data == {"name": "Ada", "track": {"id": 1, "title": "Seven Small Engines", "artist": "Ada & the Looms"}}
    assert (await room.read_to_type("vote:cast")).data["name"] == "Ben"
    assert (await other.read_to_type("vote:cast")).data["track"]["id"] == 2
    assert (await connect(channel="room:0-1")).first.data == {"votes": {"Ada": 1, "Ben": 0}}
    assert (await connect(channel="room:0-2")).first.data == {"votes": {"Ada": 2}}
    backend.post("/radio/start", {"track": 5})
    assert (await hall.next_event()).type == "radio:started"


async def test_that_somebody_writes_is_over_with_the_note_or_by_itself(start_backend, connect):
    backend = start_backend()
    room = await connect(channel="room:0-1")

    backend.post("/rooms/0-1/typing", {"name": "Ada"})
    backend.post("/rooms/0-1/note", {"name": "Ada", "text": "The oboe!"})
    backend.post("/rooms/0-1/typing", {"name": "Ben"})

    events = [await room.next_event() for _ in range(5)]
    assert [(event.type, event.data) for event in events] == [
        ("sync:set", {"typing": "Ada"}), ("sync:set", {"note": {"text": "The oboe!", "name": "Ada"}}),
        ("sync:delete", ["typing"]), ("sync:set", {"typing": "Ben"}), ("sync:delete", ["typing"])]


async def test_a_room_that_is_closed_is_forgotten(start_backend, connect):
    backend = start_backend()
    backend.post("/rooms/0-1/note", {"name": "Ada", "text": "The oboe!"})
    backend.post("/rooms/0-1/close", {})
    backend.post("/rooms/0-2/vote", {"name": "Ada", "track": 2})
    await (await connect(channel="room:0-2")).read_to_seq(1)
    assert (await connect(channel="room:0-1")).first.data == {}


@pytest.mark.parametrize("path, body, code", [
    ("/rooms/0-1/vote", {"name": "Ada", "track": 2}, 404), ("/rooms/1-0/vote", {"name": "Ada", "track": 1}, 404),
    ("/rooms/0-8/vote", {"name": "Ada", "track": 0}, 404), ("/rooms/0-1/vote", {"name": "", "track": 1}, 422),
    ("/rooms/0-1/note", {"name": "Ada", "text": "x" * 201}, 422), ("/rooms/a-b/close", {}, 422)], ids=str)
async def test_what_is_no_room_or_no_vote_is_refused(start_backend, path, body, code):
    backend = start_backend()
    with pytest.raises(urllib.error.HTTPError) as refused:
        backend.post(path, body)
    assert refused.value.code == code


async def test_the_page_names_the_port_of_the_relay(relay, start_backend):
    backend = start_backend()
    assert f'name="relay-port" content="{relay.port}"' in backend.get("/")
    assert "connect(" in backend.get("/page/page.js")
    assert f'name="relay-port" content="{relay.port}"' in backend.get("/rooms/0-1")
    with pytest.raises(urllib.error.HTTPError):
        backend.get("/rooms/1-0")
