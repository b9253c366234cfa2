"""What the example does with what pages say: the player that all steer, and the chat that loses nothing."""

import pytest

from channel_client import ChannelClient

ROOM = "room:0-1"


@pytest.fixture
async def enter(relay):
    """enter(id): somebody who is a member of the room."""
    clients = []

    async def open_client(id, room=ROOM):
        client = await ChannelClient.open(relay, room)
        clients.append(client)
        await client.hello(id, info={"name": id})
        while id not in client.channels[room].people:
            await client.next()
        return client

    yield open_client
    for client in clients:
        await client.leave()


async def say(client, kind, data=None, channel=ROOM):
    """Again while the backend has only begun, or this client is too fast."""
    answer = {"code": "no_backend"}
    while answer.get("code") in ("no_backend", "rate_limited"):
        answer = await client.ask({"type": kind, "channel": channel, "data": data})
    assert answer["type"] == "sync:ack", answer


async def press(client, what):
    """Returns the state after it."""
    await say(client, f"player:{what}")
    await client.event("player:pressed")
    return client.state(ROOM)


async def take(client, what="take"):
    """The same, where who presses becomes the device."""
    await press(client, what)
    await client.event("player:taken")
    return client.state(ROOM)


async def sees(client, device):
    """Reads until this one is the device."""
    while (client.state(ROOM).get("device") or {}).get("id") != device:
        await client.next()


def line(id, text="Ahoy", name="Ada"):
    return {"id": id, "text": text, "name": name}


async def lines_with(client, *wanted):
    """The ids of all lines of the chat when these are in it."""
    while not set(wanted) <= set(lines := [each["id"] for each in client.state(ROOM).get("chat", [])]):
        await client.next()
    return lines


# The player

async def test_who_presses_play_first_is_the_device_and_all_can_steer_it(start_backend, enter):
    start_backend()
    ada, ben = await enter("ada"), await enter("ben")

    playing = await take(ada, "play")
    assert playing["device"]["id"] == "ada"
    began = playing["player"]["since"]
    assert playing["player"] == {"track": 0, "playing": True, "position": 0.0, "since": began}

    await sees(ben, "ada")
    paused = await press(ben, "pause")
    until = paused["player"]["since"]
    assert paused["player"] == {"track": 0, "playing": False, "position": pytest.approx(until - began), "since": until}
    assert paused["device"]["id"] == "ada"

    assert (await press(ben, "play"))["player"]["position"] == pytest.approx(until - began)
    other = await press(ben, "other")
    assert (other["player"]["track"], other["player"]["position"], other["player"]["playing"]) == (1, 0.0, True)


async def test_who_takes_over_goes_on_where_the_track_is(start_backend, enter):
    start_backend()
    ada, ben = await enter("ada"), await enter("ben")
    began = (await take(ada, "play"))["player"]["since"]
    await sees(ben, "ada")

    taken = await take(ben)

    assert taken["device"]["id"] == "ben"
    assert taken["player"]["playing"]
    assert taken["player"]["position"] == pytest.approx(taken["player"]["since"] - began)


async def test_a_device_that_stays_away_pauses_for_all_at_the_second_at_which_it_was_given_up(start_backend, enter):
    backend = start_backend()
    ada, ben = await enter("ada"), await enter("ben")
    began = (await take(ada, "play"))["player"]["since"]
    await say(ada, "chat:say", line("1"))
    await lines_with(ben, "1")  # it is handled after that
    backend.kill()  # the relay has the will

    await ada.abort()
    lost = await ben.event("player:lost")
    assert ben.state(ROOM)["device"] is None
    assert "lost" not in ben.state(ROOM)["player"], "the page learns when before it learns that"
    while "lost" not in ben.state(ROOM)["player"]:
        await ben.next()

    for _ in range(2):  # as two pages would
        await say(ben, "player:stopped", {"at": lost["ts"]})
    start_backend()
    await ben.event("player:settled")
    stopped = {"track": 0, "playing": False, "position": pytest.approx(lost["ts"] - began), "since": lost["ts"]}
    assert ben.state(ROOM)["player"] == stopped
    again = await take(ben, "play")
    assert again["device"]["id"] == "ben"
    assert again["player"]["position"] == stopped["position"]


async def test_a_device_that_was_taken_over_may_leave(start_backend, enter):
    start_backend()
    ada, ben = await enter("ada"), await enter("ben")
    await take(ada, "play")
    await sees(ben, "ada")
    await take(ben)

    await ada.leave()
    await ben.event("sync:left")

    steered = await press(ben, "play")
    assert steered["device"]["id"] == "ben"
    assert steered["player"]["playing"] and "lost" not in steered["player"]
    assert "player:lost" not in [told.type for told in ben.told]


async def test_who_is_not_in_the_room_cannot_play_in_it(start_backend, enter):
    start_backend()
    ada, stranger = await enter("ada"), await enter("eve", "room:0-2")
    await say(stranger, "player:play")
    await ada.event("player:lost")
    assert ada.state(ROOM)["device"] is None
    assert (await take(ada, "play"))["device"]["id"] == "ada"


async def test_the_press_that_the_relay_heard_last_counts_also_after_the_backend_was_away(start_backend, enter):
    backend = start_backend()
    ada, ben = await enter("ada"), await enter("ben")
    await press(ada, "play")
    backend.kill()
    for client, what in ((ada, "other"), (ben, "other"), (ada, "play"), (ben, "pause")):
        await say(client, f"player:{what}")

    start_backend()
    await say(ada, "chat:say", line("ada's last"))
    await say(ben, "chat:say", line("ben's last"))
    await lines_with(ben, "ada's last", "ben's last")  # what one says is handled in order: so are the presses by now
    assert not ben.state(ROOM)["player"]["playing"]


# The chat

async def test_a_line_is_told_to_the_room_and_shown_to_who_comes_later(start_backend, enter):
    start_backend()
    ada, ben = await enter("ada"), await enter("ben")
    await say(ada, "chat:say", line("1"))
    await lines_with(ben, "1")
    said = {"id": "1", "from": "ada", "name": "Ada", "text": "Ahoy"}
    assert ben.state(ROOM)["chat"] == [said]
    assert (await enter("cy")).state(ROOM)["chat"] == [said]


async def test_what_was_acknowledged_appears_once_whenever_the_backend_is_killed(start_backend, enter, relay):
    backend = start_backend()
    ada, ben = await enter("ada"), await enter("ben")
    ids = [str(number) for number in range(24)]
    for id in ids:
        await say(ada, "chat:say", line(id))
        if int(id) % 6 == 3:
            await lines_with(ben, id)  # told, and perhaps not done yet
            backend.kill()
            backend = start_backend(backend.port)

    assert await lines_with(ben, ids[-1]) == ids
    told = [message.body for message in ben.told if message.type == "chat:said"]
    assert [event["set"]["chat"][-1]["id"] for event in told] == ids


async def test_the_chat_keeps_its_last_lines(start_backend, enter):
    start_backend()
    ada = await enter("ada")
    for number in range(35):
        await say(ada, "chat:say", line(str(number)))
    assert await lines_with(ada, "34") == [str(number) for number in range(5, 35)]


@pytest.mark.parametrize("data", [
    line("1", "x" * 201), line("1", ""), line("1", "  "), line("1", name="x" * 25), {"id": "1"}], ids=str)
async def test_a_refusal_is_told_to_who_said_it_alone(start_backend, enter, data):
    start_backend()
    ada, ben = await enter("ada"), await enter("ben")
    await say(ada, "chat:say", data)
    refused = await ada.event("chat:refused", "@ada")
    assert refused["data"]["id"] == "1"
    assert "characters" in refused["data"]["reason"]
    await say(ben, "chat:say", line("2"))
    assert await lines_with(ada, "2") == ["2"]


async def test_what_no_page_would_say_harms_nobody(start_backend, enter):
    start_backend()
    ada = await enter("ada")
    for kind in ("chat:say", "player:play", "player:stopped", "player:take"):
        for data in (None, 5, [1], "text", {"id": {"a": 1}, "at": "soon"}, {"at": 1e300}):
            for channel in (ROOM, "room:8-9"):
                await say(ada, kind, data, channel)
    await say(ada, "chat:say", line("1"))
    assert await lines_with(ada, "1") == ["1"]
