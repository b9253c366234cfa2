"""docker-compose.yml as users get it: two services, one volume of sockets, each may crash."""

from types import SimpleNamespace

import pytest
import websockets

from channel_client import ChannelClient
from deadline import until
from stack import BACKEND, RELAY, answers, post
from ws_client import SyncClient

PORT = SimpleNamespace(port=8642)


@pytest.fixture
async def client(stack):
    client = await SyncClient.open(PORT)
    yield client
    await client.abort()


async def test_what_the_backend_pushes_reaches_a_client(client):
    told = post("/radio/start", {"track": 3})
    assert (await client.read_to_type("radio:started")).data == told


async def test_the_rooms_of_the_example_are_open(stack):
    room = await SyncClient.open(PORT, channel="room:0-1")
    try:
        post("/rooms/0-1/vote", {"name": "Ada", "track": 1})
        assert (await room.read_to_type("vote:cast")).data["name"] == "Ada"
    finally:
        await room.abort()


async def test_what_is_said_while_the_backend_is_stopped_or_restarted_appears_once(stack):
    room = "room:0-3"
    client = await ChannelClient.open(PORT, room)
    try:
        await client.hello("ada", info={"name": "Ada"})

        async def say(text):
            line = {"id": text, "name": "Ada", "text": text}
            assert (await client.ask({"type": "chat:say", "channel": room, "data": line}))["type"] == "sync:ack"

        said = ["before", "while it is stopped", "before the restart", "after the restart"]
        await say(said[0])
        stack.compose("stop", "backend")
        await say(said[1])
        stack.compose("start", "backend")
        await say(said[2])
        stack.compose("restart", "backend")
        await say(said[3])
        while len(chat := client.state(room).get("chat", [])) < len(said):
            await client.next(30)
        assert [line["text"] for line in chat] == said
        assert [told.type for told in client.told].count("chat:said") == len(said)
        await until(lambda: answers(f"{BACKEND}/tracks"), "the backend answers again", 60)
    finally:
        await client.leave()


async def test_a_command_can_be_pushed_from_a_shell_in_the_backend(stack, client):
    stack.compose("exec", "-T", "backend", "python3", "-c",
                  "from syncrelay import Relay\n"
                  "with Relay() as relay: relay.broadcast('shell:hello', {'from': 'backend'})")
    assert (await client.read_to_type("shell:hello")).data == {"from": "backend"}


@pytest.mark.parametrize("service, user", [("relay", "10001:10001"), ("backend", "10002:10001")])
def test_a_service_runs_as_its_own_user_with_the_shared_group(stack, service, user):
    assert stack.inspect(service, "{{.Config.User}}") == user
    assert stack.compose("exec", "-T", service, "id", "-u").strip() == user.partition(":")[0]
    assert stack.inspect(service, "{{.HostConfig.ReadonlyRootfs}}") == "true"


def test_the_relay_is_healthy_by_its_own_command(stack):
    assert stack.inspect("relay", "{{.State.Health.Status}}") == "healthy"
    assert "healthcheck" in stack.inspect("relay", "{{.Config.Healthcheck.Test}}")


def test_metrics_and_commands_over_http_are_for_the_relays_container_only(stack):
    page = stack.compose(
        "exec", "-T", "relay", "bash", "-c",
        "exec 3<>/dev/tcp/127.0.0.1/8643 && printf 'GET /metrics HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && cat <&3")
    assert "syncrelay_clients" in page
    assert not answers("http://127.0.0.1:8643/metrics")


async def test_restarting_the_backend_disconnects_nobody(stack, client):
    stack.compose("restart", "backend")
    await until(lambda: answers(f"{BACKEND}/tracks"), "the backend answers again", 60)
    told = post("/radio/start", {"track": 6})
    assert (await client.read_to_type("radio:started")).data == told
    assert client.connection.open


async def test_a_killed_backend_comes_back_and_disconnects_nobody(stack, client):
    stack.kill("backend")
    await until(lambda: answers(f"{BACKEND}/tracks"), "the backend answers again", 60)
    told = post("/radio/start", {"track": 4})
    assert (await client.read_to_type("radio:started")).data == told
    assert client.connection.open


async def test_a_killed_relay_comes_back_and_the_backend_finds_it(stack, client):
    stack.kill("relay")
    with pytest.raises(websockets.ConnectionClosed):
        while True:
            await client.next()
    await until(lambda: answers(f"{RELAY}/health"), "the relay answers again", 60)
    again = await SyncClient.open(PORT)
    told = post("/comparison/verdict", {"winner": 2, "loser": 5})
    event = await again.read_to_type("comparison:advanced")
    assert event.data["pair"] == told["pair"]
    await again.abort()


async def test_stopping_the_relay_closes_each_client_with_1001(stack, client):
    """Last: what follows finds the relay started again."""
    stack.compose("stop", "relay")
    assert await client.read_to_end() == 1001
    assert stack.inspect("relay", "{{.State.ExitCode}}") == "0"
    stack.compose("start", "relay")
    stack.wait_until_served()
