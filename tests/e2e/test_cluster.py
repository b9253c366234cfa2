"""Several relays that share one order in a real Redis."""

import shutil
import signal

import pytest

from deadline import until, wait_until
from relay_process import RelayExited, run_relay
from ws_client import ask_every_shard

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")

SERVICE_RESTART = 1012
MIB = 1 << 20
BELIEVING = ("--anonymous-identity", "--open-channels", "*", "--presence", "*",
             "--presence-grace", "100ms", "--presence-grace-closed", "0ms")


def state(peer, **channel):
    return peer.confirm({"op": "state", **channel})["state"]


def is_anew(relay, epoch):
    reply = relay.http()
    return reply.status == 200 and reply.json()["epoch"] != epoch


def people(peer, channel=""):
    return set(peer.confirm({"op": "members", "channel": channel})["members"])


def texts(client, kind):
    return [told.message.text for told in client.told if told.type == kind]


async def test_events_of_either_relay_come_to_clients_of_both_with_the_same_bytes(join, follow, peer_of):
    a, b = join("a"), join("b")
    backends = [peer_of(a), peer_of(b)]
    clients = [await follow(a), await follow(b)]
    for number in range(40):
        answer = backends[number % 2].confirm({"op": "broadcast", "type": "x", "data": number,
                                               "set": {f"k{number % 7}": number}})
        assert answer["seq"] == number + 1
    for client in clients:
        await client.until(lambda m: m["type"] == "x" and m["data"] == 39)
    assert texts(clients[0], "x") == texts(clients[1], "x")
    assert len(texts(clients[0], "x")) == 40
    assert a.health()["epoch"] == b.health()["epoch"]
    assert state(backends[0]) == state(backends[1])


async def test_commands_that_cross_come_to_all_in_one_order(join, follow, peer_of, push_to):
    a, b = join("a"), join("b")
    clients = [await follow(a), await follow(b)]
    pushers = [push_to(a), push_to(b)]
    for number in range(500):
        for name, pusher in zip("ab", pushers):
            pusher.push({"op": "broadcast", "type": "x", "data": f"{name}{number}"})
    for client in clients:
        await until_count(client, "x", 1000)
    assert texts(clients[0], "x") == texts(clients[1], "x")
    for name in "ab":
        own = [t.body["data"] for t in clients[0].told if t.type == "x" and t.body["data"][0] == name]
        assert own == [f"{name}{number}" for number in range(500)]


async def until_count(client, kind, count):
    while len(texts(client, kind)) < count:
        await client.next()


def test_a_command_with_an_id_is_repeated_safely_at_the_other_relay(join, peer_of):
    backends = [peer_of(join("a")), peer_of(join("b"))]
    first = backends[0].confirm({"op": "broadcast", "type": "x", "id": "once"})
    again = backends[1].confirm({"op": "broadcast", "type": "x", "id": "once"})
    assert again["duplicate"] and again["seq"] == first["seq"]
    assert "duplicate" not in first


def test_of_two_conditions_at_two_relays_one_holds(join, peer_of):
    backends = [peer_of(join("a")), peer_of(join("b"))]
    version = backends[0].confirm({"op": "set", "key": "k", "value": 0})["versions"]["k"]
    for backend in backends:
        backend.send({"op": "set", "key": "k", "value": 1, "if": {"k": version}})
    answers = [backend.receive() for backend in backends]
    assert sorted(answer["ok"] for answer in answers) == [False, True]


async def test_a_client_goes_on_at_the_other_relay_where_it_was(join, follow, peer_of):
    a, b = join("a", "--open-channels", "*"), join("b", "--open-channels", "*")
    backend = peer_of(a)
    client = await follow(a, "room")
    for number in range(3):
        backend.confirm({"op": "broadcast", "channel": "room", "type": "x", "data": number})
    await client.until(lambda m: m["type"] == "x" and m["data"] == 2)
    position = client.position("room")
    await client.leave()
    backend.confirm({"op": "broadcast", "channel": "room", "type": "x", "data": "missed"})
    again = await follow(b, position)
    assert (await again.event("x", "room"))["data"] == "missed"
    assert again.channels["room"].first.type == "sync:resume"


async def test_a_relay_that_was_killed_catches_up_and_goes_on(join, follow, peer_of):
    a, b = join("a"), join("b")
    client = await follow(b)
    peer_of(b).confirm({"op": "broadcast", "type": "x", "data": 1, "set": {"k": 1}, "id": "early"})
    await client.event("x")
    position = client.position("")
    b.kill()
    backend = peer_of(a)
    backend.confirm({"op": "broadcast", "type": "x", "data": 2, "set": {"k": 2}})
    backend.confirm({"op": "set", "key": "short", "value": 1, "ttl": 3600})
    again = join("b")
    assert again.health()["epoch"] == a.health()["epoch"]
    assert again.health()["seq"] == a.health()["seq"]
    peer = peer_of(again)
    assert state(peer) == state(backend)
    assert peer.confirm({"op": "broadcast", "type": "x", "id": "early"})["duplicate"]
    resumed = await follow(again, seq=position[2], epoch=position[1])
    assert resumed.channels[""].first.type == "sync:resume"


async def test_a_key_goes_once_at_all_relays_when_its_time_is_over(join, follow, peer_of):
    a, b = join("a"), join("b")
    clients = [await follow(a), await follow(b)]
    peer_of(a).confirm({"op": "set", "key": "k", "value": 1, "notify": True, "ttl": 0.2})
    backend = peer_of(b)
    await until(lambda: "k" not in state(backend), "the key is gone")
    backend.confirm({"op": "broadcast", "type": "fence"})
    for client in clients:
        await client.event("fence")
    assert [t.message.text for t in clients[0].told[1:]] == [t.message.text for t in clients[1].told[1:]]


async def test_a_member_at_two_relays_leaves_with_the_last(join, follow, peer_of):
    a, b = join("a", *BELIEVING), join("b", *BELIEVING)
    watcher = await follow(a, "room")
    first = await follow(a, "room", id="ada")
    await watcher.event("sync:joined", "room")
    second = await follow(b, "room", id="ada")
    backend = peer_of(b)
    ask_every_shard(b)  # so that its letter is in front of the next
    backend.confirm({"op": "broadcast", "channel": "room", "type": "joined"})
    await watcher.event("joined", "room")
    await first.leave()
    await until(lambda: a.health()["clients"] == 1, "the first has left")
    backend.confirm({"op": "broadcast", "channel": "room", "type": "fence"})
    await watcher.event("fence", "room")
    assert people(backend, "room") == {"ada"}
    await second.leave()
    await watcher.event("sync:left", "room")
    assert people(peer_of(a), "room") == people(backend, "room") == set()
    kinds = [t.type for t in watcher.told if t.channel == "room"]
    assert kinds == ["sync:full", "sync:joined", "joined", "fence", "sync:left"]


async def test_members_of_a_relay_that_stops_leave_after_their_grace(join, follow, peer_of):
    a, b = join("a", *BELIEVING), join("b", *BELIEVING)
    watcher = await follow(a, "room")
    await follow(b, "room", id="ada")
    await watcher.event("sync:joined", "room")
    b.stop()
    await watcher.event("sync:left", "room")
    assert people(peer_of(a), "room") == set()


def test_all_relays_stop_and_the_state_is_there_again(join, peer_of):
    a = join("a")
    before = peer_of(a).confirm({"op": "set", "key": "k", "value": {"a": [1]}})
    epoch = a.health()["epoch"]
    a.stop()
    again = join("a")
    assert again.health()["epoch"] == epoch
    assert state(peer_of(again))["k"] == {"a": [1]}
    assert peer_of(again).ask({"op": "set", "key": "k", "value": 2, "if": before["versions"]})["ok"]


async def test_a_redis_that_lost_all_gets_the_state_back_under_a_new_epoch(join, redis, follow, peer_of):
    a = join("a")
    peer_of(a).confirm({"op": "set", "key": "k", "value": 1, "id": "once"})
    epoch = a.health()["epoch"]
    client = await follow(a)
    redis.restart()
    assert (await client.ended())[0] == SERVICE_RESTART
    await until(lambda: is_anew(a, epoch), "the relay has begun anew")
    assert state(peer_of(a))["k"] == 1
    assert peer_of(a).confirm({"op": "set", "key": "k", "value": 2, "id": "once"})["duplicate"]


def test_all_relays_begin_anew_with_the_same_state_when_redis_lost_all(join, redis, peer_of):
    relays = [join("a"), join("b")]
    for number, relay in enumerate(relays):
        peer_of(relay).confirm({"op": "set", "channel": f"c{number}", "key": "k", "value": number, "ttl": 3600})
    wait_until(lambda: relays[0].health()["seq"] == relays[1].health()["seq"], "both have all")
    epoch = relays[0].health()["epoch"]
    redis.restart()
    wait_until(lambda: all(is_anew(relay, epoch) for relay in relays), "both have begun anew")
    wait_until(lambda: relays[0].health()["epoch"] == relays[1].health()["epoch"], "both go on together")
    for relay in relays:
        assert [state(peer_of(relay), channel=f"c{number}")["k"] for number in range(2)] == [0, 1]


@pytest.mark.heavy
async def test_a_relay_begins_with_a_checkpoint_that_another_made(join, redis, follow, peer_of):
    a = join("a", *BELIEVING)
    backend, watcher = peer_of(a), await follow(a, "room")
    backend.confirm({"op": "set", "channel": "room", "key": "k", "value": 1, "ttl": 3600, "id": "early"})
    await follow(a, "room", id="ada", info={"name": "Ada"})
    await watcher.event("sync:joined", "room")
    backend.confirm({"op": "will", "channel": "room", "id": "ada", "commands": [{"op": "delete", "channel": "room", "key": "k"}]})
    founded = checkpoints(redis)
    rounds = 0
    while len(founded & checkpoints(redis)) > 0:
        rounds += 1
        assert rounds < 60, "the checkpoint of the founding stays for ever"
        backend.confirm({"op": "set", "key": "big", "value": chr(97 + rounds % 26) * (4 * MIB), "notify": False}, 20)
    b = join("b", *BELIEVING)
    assert peer_of(b).confirm({"op": "broadcast", "type": "x", "id": "other"})["seq"] > 0
    for channel in ("", "room"):
        assert state(peer_of(b), channel=channel) == state(backend, channel=channel)
        assert peer_of(b).confirm({"op": "members", "channel": channel})["members"] == \
            backend.confirm({"op": "members", "channel": channel})["members"]
    assert peer_of(b).confirm({"op": "broadcast", "type": "x", "id": "early"})["duplicate"]
    a.kill()
    other = peer_of(b)
    await until(lambda: not people(other, "room"), "who was at the dead relay has left")
    assert "k" not in state(other, channel="room")  # by the will


def checkpoints(redis):
    """The names of those that are in Redis."""
    return {key.rpartition(":")[0] for key in redis.cli("KEYS", "*checkpoint*").split()}


@pytest.mark.heavy
async def test_a_relay_that_was_taken_for_dead_goes_on_under_another_id(join, follow, peer_of):
    a, b = join("a", *BELIEVING), join("b", *BELIEVING)
    watcher = await follow(a, "room")
    await follow(b, "room", id="ada")
    await watcher.event("sync:joined", "room")
    b.signal(signal.SIGSTOP)
    assert (await watcher.until(lambda m: m["type"] == "sync:left", 30))["data"]["id"] == "ada"
    b.signal(signal.SIGCONT)
    assert (await watcher.event("sync:joined", "room"))["data"]["id"] == "ada"
    peer_of(b).confirm({"op": "broadcast", "channel": "room", "type": "fence"})
    await watcher.event("fence", "room")
    assert people(peer_of(a), "room") == people(peer_of(b), "room") == {"ada"}
    assert b.exit_code() is None


def test_without_redis_a_command_is_answered_and_may_be_repeated(join, redis, peer_of):
    a = join("a", "--cluster-timeout", "300ms")
    backend = peer_of(a)
    backend.confirm({"op": "broadcast", "type": "x"})
    redis.pause()
    refused = backend.ask({"op": "broadcast", "type": "x", "id": "once"})
    assert refused["error"]["code"] == "cluster_unavailable"
    redis.resume()
    wait_until(lambda: backend.ask({"op": "broadcast", "type": "x", "id": "once"}).get("duplicate"),
               "the first one has taken effect")
    assert a.health()["seq"] == 2


def test_a_relay_with_other_options_is_refused_and_told_which(join):
    join("a")
    with pytest.raises(RelayExited, match="max-state-keys"):
        join("b", "--max-state-keys", 10)


def test_data_and_rediss_are_refused(runtime_dir):
    both = run_relay("--cluster", "redis://127.0.0.1:1", "--data", runtime_dir, runtime_dir=runtime_dir)
    assert both.returncode == 2 and "not together" in both.stderr
    tls = run_relay("--cluster", "rediss://127.0.0.1:1", "--port", 0, runtime_dir=runtime_dir)
    assert tls.returncode == 2 and "rediss" in tls.stderr and "stunnel" in tls.stderr
