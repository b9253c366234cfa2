"""Who clients say they are: hello, the channel of one's own, and backends that send them away."""

import asyncio
import json

import pytest

from channel_client import ChannelClient
from deadline import until
from relay_process import is_sanitized
from shell import assert_failed

BELIEVING = ("--anonymous-identity", "--open-channels", "room:*")
HELLO = {"type": "sync:hello", "id": "dev-1"}
ROOM = 32 * 1024 * 1024
HELLOS = 10_000 if is_sanitized() else 100_000


@pytest.fixture
def relay(start_relay):
    return start_relay(*BELIEVING)


@pytest.fixture
def peer(relay, peer_of):
    return peer_of(relay)


def private(kind, data=None, id="dev-1"):
    return {"op": "broadcast", "channel": f"@{id}", "type": kind, "data": data}


# Hello

async def test_a_client_says_who_it_is_and_may_say_so_again(relay, follow):
    client = await follow(relay)
    assert await client.ask({**HELLO, "info": {"name": "Phone"}}) == {"type": "sync:ack", "ref": client.answers[-1]["ref"]}
    await client.begun("@dev-1")
    assert (await client.ask({**HELLO, "info": {"name": "Tablet"}}))["type"] == "sync:ack"
    refused = await client.ask({"type": "sync:hello", "id": "dev-2"})
    assert refused["code"] == "id_is_fixed"
    await until(lambda: relay.metrics().value("identities") == 1, "one identity")


@pytest.mark.parametrize("wrong, code", [
    ({"id": ""}, "invalid_id"),
    ({"id": "@dev-1"}, "invalid_id"),
    ({"id": "i" * 65}, "invalid_id"),
    ({"id": 7}, "invalid_id"),
    ({"info": []}, "invalid_info"),
    ({"info": {"a": "x" * 1020}}, "invalid_info"),
    ({"ref": ""}, "invalid_ref"),
    ({"ref": "r" * 65}, "invalid_ref"),
])
async def test_a_wrong_hello_is_told_why_and_the_next_one_may_be_right(relay, follow, wrong, code):
    client = await follow(relay)
    await client.say({**HELLO, **wrong})
    error = await client.next()
    assert error["type"] == "sync:error" and error["code"] == code and "ref" not in error
    assert error["message"]
    await client.hello("dev-1")
    assert relay.metrics().value("client_messages_refused_total", reason=code) == 1


async def test_without_the_option_nobody_is_who_he_says_he_is(start_relay, follow):
    client = await follow(start_relay())
    assert (await client.ask(HELLO))["code"] == "identity_not_allowed"


async def test_a_hello_of_the_chosen_type_gives_the_rest_as_info(start_relay, follow):
    relay = start_relay(*BELIEVING, "--hello-type", "device:register")
    client = await follow(relay)
    ack = await client.ask({"type": "device:register", "id": "dev-1", "name": "Phone"})
    assert ack["type"] == "sync:ack"
    await client.begun("@dev-1")
    other = await follow(relay)
    await other.hello("dev-2")


# The channel of one's own

async def test_a_private_event_reaches_every_tab_and_nobody_else(relay, peer, follow):
    first, second, other = [await follow(relay) for _ in range(3)]
    await first.hello("dev-1")
    await second.hello("dev-1")
    await other.hello("dev-2")
    assert peer.confirm(private("secret", 7))["clients"] == 2
    peer.confirm({"op": "broadcast", "type": "open"})
    for tab in (first, second):
        assert (await tab.event("secret", "@dev-1"))["data"] == 7
    await other.event("open")
    assert [told.type for told in other.told] == ["sync:full", "sync:full", "open"]


async def test_nobody_follows_the_channel_of_another(relay, follow):
    client = await follow(relay)
    await client.hello("dev-1")
    assert (await client.subscribe("@dev-2"))["code"] == "forbidden"
    assert (await client.subscribe("@dev-1"))["code"] == "already_subscribed"
    stranger = await ChannelClient.open(relay, "@dev-1")
    assert (await stranger.next())["code"] == "forbidden"
    await stranger.abort()


async def test_the_channel_of_ones_own_waits_and_is_resumed(relay, peer, follow):
    client = await follow(relay)
    peer.confirm(private("before"))
    await client.hello("dev-1")
    history = client.channels["@dev-1"]
    assert history.seq == 1
    await client.abort()
    peer.confirm({**private("missed"), "set": {"unread": 1}})
    back = await follow(relay)
    await back.say({**HELLO, "epoch": history.epoch, "seq": history.seq})
    assert (await back.event("missed", "@dev-1"))["set"] == {"unread": 1}
    assert [told.type for told in back.told if told.channel] == ["sync:resume", "missed"]
    third = await follow(relay)
    await third.hello("dev-1")
    assert third.state("@dev-1") == {"unread": 1}


# Too much

async def test_a_hundred_thousand_hellos_of_one_client_disturb_nobody(start_relay, peer_of, follow):
    relay = start_relay(*BELIEVING, "--presence", "*")
    peer, client, other = peer_of(relay), await follow(relay), await follow(relay)
    size = relay.rss()
    for number in range(HELLOS):
        await client.connection.send(f'{{"type":"sync:hello","id":"dev-1","info":{{"n":{number}}}}}')
        if number % 10_000 == 0:
            peer.confirm({"op": "broadcast", "type": "tick", "data": number})
            assert (await other.event("tick"))["data"] == number
    said = lambda: relay.metrics().value("client_messages_total", type="hello")
    closed = lambda: relay.metrics().value("clients_closed_total", reason="rate_limited")
    await until(lambda: said() == HELLOS or closed() == 1, "all is heard, or no more")
    assert relay.metrics().value("client_messages_refused_total", reason="rate_limited") > 0
    assert relay.metrics().value("identities") <= 1
    assert is_sanitized() or relay.rss() < size + ROOM


# Sent away

async def test_a_backend_disconnects_an_identity_with_its_words(relay, peer, follow):
    first, second, other = [await follow(relay) for _ in range(3)]
    await first.hello("dev-1")
    await second.hello("dev-1")
    peer.confirm(private("farewell"))
    answer = peer.confirm({"op": "disconnect", "id": "dev-1", "code": 4321, "reason": "Käse 🧀"})
    assert answer["closed"] == 2 and answer["clients"] >= 1
    for client in (first, second):
        assert await client.ended() == (4321, "Käse 🧀")
        assert client.told[-1].type == "farewell"
    peer.confirm({"op": "broadcast", "type": "open"})
    await other.event("open")
    assert peer.confirm({"op": "disconnect", "id": "dev-1"})["closed"] == 0
    await until(lambda: relay.metrics().value("clients_closed_total", reason="dismissed", code="other") == 2, "counted")


async def test_a_backend_disconnects_a_connection_by_its_number(relay, peer, follow):
    client = await follow(relay)
    number = peer.confirm({"op": "clients"})["clients"][0]["id"]
    assert peer.confirm({"op": "disconnect", "connection": number + 1000})["closed"] == 0
    assert peer.confirm({"op": "disconnect", "connection": number})["closed"] == 1
    assert await client.ended() == (4000, "disconnected")


async def test_the_command_line_disconnects(relay, shell, follow):
    client = await follow(relay)
    await client.hello("dev-1")
    done = await asyncio.to_thread(shell.run, "disconnect", "dev-1", "--code", "4002", "--reason", "bye")
    assert done.returncode == 0 and json.loads(done.stdout)["closed"] == 1
    assert await client.ended() == (4002, "bye")


@pytest.mark.parametrize("nobody", [("dev-2",), ("--connection", "1000")], ids=["identity", "connection"])
async def test_the_command_line_fails_where_nobody_was_there_to_disconnect(relay, shell, follow, nobody):
    await (await follow(relay)).hello("dev-1")
    assert_failed(await asyncio.to_thread(shell.run, "disconnect", *nobody), 1, "no such connection: ", nobody[-1])


@pytest.mark.parametrize("wrong, code", [
    ({}, "missing_member"),
    ({"id": "dev-1", "connection": 1}, "duplicate_member"),
    ({"id": "@dev-1"}, "invalid_id"),
    ({"id": ""}, "invalid_id"),
    ({"connection": "1"}, "wrong_type"),
    ({"connection": -1}, "wrong_type"),
    ({"id": "dev-1", "code": 1000}, "invalid_code"),
    ({"id": "dev-1", "code": 5000}, "invalid_code"),
    ({"id": "dev-1", "reason": "r" * 124}, "invalid_reason"),
    ({"id": "dev-1", "notify": False}, "unknown_member"),
])
async def test_a_wrong_disconnect_is_refused(peer, wrong, code):
    assert peer.ask({"op": "disconnect", **wrong})["error"]["code"] == code


async def test_disconnect_is_not_for_the_command_socket(relay, pusher, follow):
    client = await follow(relay)
    pusher.push({"op": "disconnect", "connection": 1})
    await until(lambda: relay.metrics().value("commands_rejected_total", reason="unknown_op") == 1, "refused")
    await client.say({"type": "sync:ping"})
    await client.until(lambda m: m["type"] == "ping")


async def test_many_disconnects_at_once_are_answered(relay, peer, follow):
    clients = [await follow(relay) for _ in range(8)]
    numbers = [entry["id"] for entry in peer.confirm({"op": "clients"})["clients"]]
    for number in numbers:
        assert peer.confirm({"op": "disconnect", "connection": number})["closed"] == 1
    for code, _ in await asyncio.gather(*(client.ended() for client in clients)):
        assert code == 4000
