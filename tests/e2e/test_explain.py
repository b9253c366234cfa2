"""What happened to a client, in sentences: `{"op":"explain"}` and `syncrelay explain`."""

import asyncio
import json
import time

import pytest
import websockets

from crowd import Crowd, largest
from deadline import until, wait_until
from door_client import DoorClient
from raw_client import CLOSE, RawClient, frame
from relay_process import is_sanitized
from shell import Shell
from tls_pair import TlsPair
from tokens import Issuer
from ws_client import settle

SMALL_BUFFER = 4096
MIB = 2**20
KEPT = 10_000  # stories of each shard


def explained(peer, client):
    return peer.ask({"op": "explain", "client": str(client)})


def story(peer, client):
    answer = explained(peer, client)
    assert answer["ok"], answer
    return answer["story"]


def kinds(lines):
    return [line["what"] for line in lines]


def text_of(lines, what):
    return [line["text"] for line in lines if line["what"] == what]


def newest(peer):
    """The number of the connection that came last."""
    return max(client["id"] for client in peer.confirm({"op": "clients"})["clients"])


def ended(peer, client):
    """Its story, once it is over."""
    wait_until(lambda: not explained(peer, client)["live"], "its end is known")
    return story(peer, client)


async def test_a_client_that_is_here_came_from_somewhere_and_follows(relay, connect, peer_of):
    began = time.time()
    client = await connect(relay)
    peer = peer_of(relay)
    answer = explained(peer, newest(peer))
    assert (answer["client"], answer["connection"], answer["live"]) == (str(newest(peer)), newest(peer), True)
    assert answer["now"]["address"] == "127.0.0.1" and answer["now"]["lag"] == 0
    assert kinds(answer["story"]) == ["connected", "followed"]
    assert answer["story"][0]["text"].startswith("Connected from 127.0.0.1 without TLS, without compression, on shard ")
    assert answer["story"][1]["text"] == f"Follows the default channel, beginning with a snapshot at position {client.seq}."
    assert all(began - 1 < line["ts"] < time.time() + 1 for line in answer["story"])
    assert "dropped" not in answer and "earlier" not in answer


async def test_compression_and_the_proxy_are_told(start_relay, connect, peer_of):
    relay = start_relay("--trusted-proxy", "127.0.0.1")
    await connect(relay, compression="deflate", headers={"X-Forwarded-For": "203.0.113.7"})
    peer = peer_of(relay)
    [text] = text_of(story(peer, newest(peer)), "connected")
    assert text.startswith("Connected from 203.0.113.7 through the proxy 127.0.0.1 without TLS, with compression")


async def test_tls_is_told(start_relay, runtime_dir, connect, peer_of):
    pair = TlsPair(runtime_dir)
    relay = start_relay(*pair.options)
    await connect(relay, tls=pair.client())
    peer = peer_of(relay)
    assert " over TLS, " in text_of(story(peer, newest(peer)), "connected")[0]


async def test_who_comes_back_goes_on_or_is_told_why_not(relay, pusher, connect, peer_of):
    left, peer = await connect(relay), peer_of(relay)
    for number in range(3):
        pusher.broadcast("missed", number)
    seq = await settle(relay, pusher)
    await connect(relay, epoch=left.epoch, seq=left.seq)
    [text] = text_of(story(peer, newest(peer)), "resumed")
    assert text.startswith(f"Goes on in the default channel behind position {left.seq}, where it had stopped")
    await connect(relay, epoch="0" * 16, seq=left.seq)
    [text] = text_of(story(peer, newest(peer)), "not_resumed")
    assert text.startswith(f"Could not go on in the default channel behind position {left.seq}") and "another epoch" in text
    await connect(relay, epoch=left.epoch, seq="nonsense")
    [text] = text_of(story(peer, newest(peer)), "not_resumed")
    assert "no position" in text
    await connect(relay, epoch=left.epoch, seq=seq + 1000)
    [text] = text_of(story(peer, newest(peer)), "not_resumed")
    assert "behind all that the relay has told" in text


async def test_a_position_that_left_the_window_is_told(start_relay, push_to, connect, peer_of):
    relay = start_relay("--log-events", "10")
    pusher, left, peer = push_to(relay), await connect(relay), peer_of(relay)
    for number in range(100):
        pusher.broadcast("missed", number)
    await settle(relay, pusher)
    await connect(relay, epoch=left.epoch, seq=left.seq)
    [text] = text_of(story(peer, newest(peer)), "not_resumed")
    assert "the log does not reach back so far any more (--log-bytes, --log-events)" in text


async def test_channels_that_it_follows_and_may_not_are_told(start_relay, connect, peer_of):
    relay = start_relay("--open-channels", "room:*")
    client, peer = await connect(relay), peer_of(relay)
    number = newest(peer)

    async def say(kind, channel):
        await client.connection.send(json.dumps({"type": f"sync:{kind}", "channel": channel}))
        await client.connection.recv()  # what it is answered

    await say("subscribe", "room:1")
    await say("unsubscribe", "room:1")
    for _ in range(3):
        await say("subscribe", "secret")
    await say("subscribe", "room:2")
    await until(lambda: kinds(story(peer, number))[2:] == ["followed", "unfollowed", "subscription_refused", "followed"],
                "all is told")
    lines = story(peer, number)
    assert text_of(lines, "subscription_refused")[0].startswith("May not follow secret, 3 times: forbidden (clients may follow")
    assert text_of(lines, "unfollowed") == ["Stopped following room:1."]
    peer.confirm({"op": "set", "channel": "room:2", "key": "a", "value": 1})
    peer.confirm({"op": "drop", "channel": "room:2"})
    await until(lambda: text_of(story(peer, number), "dropped") == ["Follows room:2 no more: the channel was dropped."],
                "the drop is told")


async def test_a_slow_client_and_what_it_skipped_are_told(start_relay, push_to, connect, peer_of):
    relay = start_relay("--log-bytes", "256KiB", "--send-buffer", "16KiB")
    pusher, peer = push_to(relay), peer_of(relay)
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER, seconds=20).upgrade() as slow:
        slow.read_text()
        number = newest(peer)
        for event in range(400):
            pusher.broadcast("large", "x" * 4000)
        seq = await settle(relay, pusher)
        await until(lambda: "slow" in kinds(story(peer, number)), "it is slow")
        [text] = text_of(story(peer, number), "slow")
        assert text.startswith("Has taken nothing of what it is sent for a second, ")
        while f'"seq":{seq}' not in slow.read_text():
            pass
        await until(lambda: kinds(story(peer, number))[-1] in ("caught_up", "skipped"), "it is not any more")
        [text, *_] = text_of(story(peer, number), "skipped")
        assert "skipped" in text and f"position {seq}" in text


async def test_who_it_is_and_how_its_token_went_are_told(start_relay, runtime_dir, connect, peer_of):
    issuer = Issuer()
    relay = start_relay("--token-key", issuer.key_file(runtime_dir / "token.key"))
    token = issuer.token("user:42", ttl=300, channels=["", "room:1"])
    client = await connect(relay, channel="room:1", headers={"Authorization": f"Bearer {token}"})
    peer = peer_of(relay)
    number = newest(peer)
    lines = story(peer, number)
    assert text_of(lines, "identified") == ["Is user:42, as its token says."]
    assert "is good for another" in text_of(lines, "admitted")[0]
    await client.connection.send(json.dumps({"type": "sync:token", "token": "nonsense", "ref": "1"}))
    await client.connection.send(json.dumps(
        {"type": "sync:token", "token": issuer.token("user:42", ttl=600, channels=[""]), "ref": "2"}))
    await until(lambda: "revoked" in kinds(story(peer, number)), "the newer one counts")
    lines = story(peer, number)
    assert text_of(lines, "message_refused")[0].startswith("Said something that was not taken: token_invalid (")
    assert text_of(lines, "renewed")[0].startswith("Brought a newer token, which is good for another ")
    assert text_of(lines, "revoked") == ["Follows room:1 no more: its newer token does not allow it."]


async def test_a_token_that_ends_is_told(start_relay, runtime_dir, connect, peer_of):
    issuer = Issuer()
    relay = start_relay("--token-key", issuer.key_file(runtime_dir / "token.key"))
    client = await connect(relay, headers={"Authorization": f"Bearer {issuer.token(ttl=-56)}"})
    peer = peer_of(relay)
    number = newest(peer)
    with pytest.raises(websockets.ConnectionClosed):
        while True:
            await asyncio.wait_for(client.connection.recv(), 20)
    assert client.connection.close_code == 4401
    lines = ended(peer, number)
    assert "expiring" in kinds(lines)
    assert lines[-1]["text"] == "Closed by the relay: its token had ended, and it brought no newer one (4401 token_expired)."


async def test_who_closed_it_is_told_with_code_and_reason(relay, connect, peer_of):
    peer = peer_of(relay)
    await connect(relay)
    banned = newest(peer)
    peer.confirm({"op": "disconnect", "connection": banned, "code": 4403, "reason": "banned"})
    assert ended(peer, banned)[-1]["text"] == "Closed by a backend (4403 dismissed), saying: banned."
    polite = await connect(relay)
    number = newest(peer)
    await polite.connection.close(4001, "tab closed")
    assert [line["text"] for line in ended(peer, number)[-2:]] == [
        "Took leave with code 4001 and the words: tab closed.", "Closed by the client (4001 client_closed)."]
    with RawClient(relay.port).upgrade() as rude:
        rude.read_text()
        number = newest(peer)
        rude.reset()
    assert ended(peer, number)[-1]["text"] == "Gone without taking leave: the connection broke (1006 connection_lost)."


async def test_an_identity_tells_of_all_its_connections_the_newest_first(start_relay, connect, peer_of):
    relay = start_relay("--anonymous-identity")
    peer = peer_of(relay)
    clients = []
    for _ in range(25):
        client = await connect(relay)
        await client.connection.send(json.dumps({"type": "sync:hello", "id": "dev-1", "ref": "1"}))
        await client.connection.recv()
        clients.append(client)
    await until(lambda: explained(peer, "dev-1").get("more") == 5, "all have said who they are")
    for client in clients[:-1]:
        await client.leave()
    await until(lambda: sum(each["live"] for each in explained(peer, "dev-1")["earlier"]) == 0, "all but one are gone")
    answer = explained(peer, "dev-1")
    numbers = [answer["connection"], *(each["connection"] for each in answer["earlier"])]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) == 20
    assert (answer["live"], answer["more"]) == (True, 5)
    assert text_of(answer["story"], "identified") == ["Says of itself that it is dev-1."]
    assert explained(peer, "@dev-1")["connection"] == numbers[0]


@pytest.mark.parametrize("client", ["0", "999999", "18446744073709551615", "18446744073709551616", "nobody", "@nobody", "", "@",
                                    "a b", "ä", "\u0000", "x" * 10_000, "-1", "1.5", "@7"])
def test_of_nobody_nothing_is_known(relay, peer_of, client):
    answer = explained(peer_of(relay), client)
    assert (answer["ok"], answer["error"]["code"]) == (False, "unknown_client")


@pytest.mark.parametrize("query,code", [
    ({}, "missing_member"), ({"client": 7}, "wrong_type"), ({"client": ["7"]}, "wrong_type"),
    ({"client": "7", "channel": ""}, "unknown_member")])
def test_a_query_that_is_none_is_refused(relay, peer_of, query, code):
    assert peer_of(relay).ask({"op": "explain", **query})["error"]["code"] == code


async def test_a_story_without_end_loses_its_middle(start_relay, connect, peer_of):
    relay = start_relay("--open-channels", "room:*")
    client, peer = await connect(relay), peer_of(relay)
    number = newest(peer)
    for turn in range(1000):
        for kind in ("subscribe", "unsubscribe"):
            await client.connection.send(json.dumps({"type": f"sync:{kind}", "channel": f"room:{turn}"}))
    last = "Stopped following room:999."
    await until(lambda: story(peer, number)[-1]["text"] == last, "all is told")
    answer = explained(peer, number)
    assert kinds(answer["story"])[:2] == ["connected", "followed"]
    assert 1002 <= answer["dropped"] + len(answer["story"]) <= 2002  # who leaves at once has not begun
    assert len(answer["story"]) < 200
    before, behind = answer["story"][answer["dropped_at"] - 1:answer["dropped_at"] + 1]
    assert before["ts"] <= behind["ts"]
    _, shown = Shell(relay.runtime_dir, relay.port).on_terminal("explain", number, NO_COLOR="1")
    assert f"… {answer['dropped']} lines out of the middle are not kept …" in shown


def test_a_hostile_client_costs_its_story_and_no_more(start_relay, peer_of):
    relay = start_relay()
    peer = peer_of(relay)
    with RawClient(relay.port, seconds=20).upgrade() as hostile:
        hostile.read_text()
        number = newest(peer)
        wish = json.dumps({"type": "sync:subscribe", "channel": "\x1b[31m" + "é" * 100})
        for _ in range(500):
            hostile.send(frame(1, wish.encode()))
            hostile.read_text()
        [line] = [each for each in story(peer, number) if each["what"] == "subscription_refused"]
        assert ", 500 times: invalid_channel" in line["text"]
        hostile.send(frame(CLOSE, b"\x0f\xa1" + "ü".encode() * 61))
    assert "üüü" in ended(peer, number)[-2]["text"]


@pytest.mark.heavy
async def test_100000_connections_that_come_and_go_leave_stories_of_the_newest(relay, peer_of):
    peer, size = peer_of(relay), largest(5_000)
    crowd = Crowd(relay.port)
    first, warm = None, None
    for wave in range(-(-100_000 // size)):
        crowd.join(size)
        first = first or newest(peer) - size + 1
        crowd.leave()
        await until(lambda: relay.health()["clients"] == 0, "all have left", 30)
        if wave * size > 40_000 and warm is None:
            warm = relay.rss()
    metrics = relay.metrics()
    kept, forgotten = metrics.value("stories"), metrics.value("stories_forgotten_total")
    assert kept + forgotten == metrics.value("clients_closed_total") >= 100_000
    assert kept >= KEPT and kept % KEPT == 0
    assert metrics.value("story_bytes") < 8 * MIB * (kept / KEPT)
    assert explained(peer, first)["error"]["code"] == "unknown_client"
    last = int(metrics.value("clients_accepted_total")) + first - 1
    assert explained(peer, last)["story"][-1]["what"] == "ended"
    if not is_sanitized():
        assert relay.rss() - warm < 3 * MIB


async def test_over_http_an_identity_of_digits_has_an_at_before_it_and_a_slash_is_encoded(start_relay, follow):
    relay = start_relay("--anonymous-identity", "--admin", "127.0.0.1:0")
    for identity in ("17", "team/ada"):
        await follow(relay, id=identity)
    door = DoorClient(relay)
    told = {path: door.get(f"/clients/{path}") for path in ("1", "17", "%4017", "@17", "team%2Fada", "team/ada")}
    assert {path: answer.status for path, answer in told.items()} == {
        "1": 200, "17": 404, "%4017": 200, "@17": 200, "team%2Fada": 200, "team/ada": 404}
    assert [told[path].json()["connection"] for path in ("1", "%4017", "@17", "team%2Fada")] == [1, 1, 1, 2]


async def test_the_shell_tells_it_in_lines_and_as_json(relay, connect, shell):
    await connect(relay)
    [client] = shell.json("clients")
    answer = shell.json("explain", client["id"])
    assert answer["client"] == str(client["id"]) and kinds(answer["story"]) == ["connected", "followed"]
    code, shown = shell.on_terminal("explain", client["id"], NO_COLOR="1")
    lines = shown.splitlines()
    assert code == 0 and lines[0] == f"Connection {client['id']}"
    assert lines[1].endswith(answer["story"][0]["text"]) and lines[1].startswith("20")
    assert lines[-1].startswith("Now: follows channels: 1, events behind: 0, bytes sent: ")
    unknown = shell.run("explain", "nobody")
    assert (unknown.returncode, unknown.stdout) == (1, "") and "unknown_client" in unknown.stderr
    assert shell.run("explain").returncode == 2


async def test_a_burst_writes_nothing_into_a_story(relay, pusher, connect, peer_of):
    client, peer = await connect(relay), peer_of(relay)
    for number in range(1000):
        pusher.broadcast("burst", number)
    await client.read_to_seq(1000)
    assert kinds(story(peer, newest(peer))) == ["connected", "followed"]
