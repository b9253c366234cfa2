"""What becomes of clients, confirmed commands and positions when the Redis that relays share, or one of them, is in trouble.
The table "Several machines" in docs/guarantees.md names these tests."""

import asyncio
import pathlib
import shutil
import time

import pytest

from clock_shift import ClockShift
from cluster import BELIEVING, OPEN, data, epoch_of, people, state, texts, unavailable, under_new_epochs
from deadline import until, wait_until
from proxy import FaultProxy
from relay_process import is_sanitized

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")

AOF = ("--appendonly", "yes", "--appendfsync")
SILENT_SECONDS = 10  # for so long a relay may give no sign of life
HOUR = 3600


async def until_told(client, kind, *values):
    while not set(values) <= set(data(client, kind)):
        await client.next()


def is_contiguous(client, name=""):
    return all(told.type != "sync:full" or "skipped" not in told.body for told in client.told) \
        and len([told for told in client.told if told.type in ("sync:full", "sync:resume") and told.channel == name]) == 1


async def test_a_slow_redis_delays_and_loses_nothing(join, redis, follow, peer_of):
    relays = [join("a"), join("b")]
    clients = [await follow(relay) for relay in relays]
    backends = [peer_of(relay) for relay in relays]
    epoch = epoch_of(relays[0])
    for number in range(6):
        redis.cli("CLIENT", "PAUSE", "200", "ALL")
        backends[number % 2].confirm({"op": "broadcast", "type": "x", "data": number})
    for client in clients:
        await until_told(client, "x", 5)
        assert data(client, "x") == list(range(6)) and is_contiguous(client)
    assert epoch_of(relays[0]) == epoch_of(relays[1]) == epoch


@pytest.mark.heavy
async def test_a_redis_that_is_away_for_long_costs_no_member_and_no_position(join, redis, follow, peer_of, push_to):
    options = (*BELIEVING, "--cluster-timeout", "500ms")
    a, b = join("a", *options), join("b", *options)
    watcher, pushed, backend = await follow(a, "room"), push_to(b), peer_of(a)
    await follow(b, "room", id="ada")
    await watcher.event("sync:joined", "room")
    epoch = epoch_of(a)
    redis.pause()
    end = time.monotonic() + SILENT_SECONDS + 3
    pushed.push({"op": "broadcast", "channel": "room", "type": "x", "data": "pushed"})
    while time.monotonic() < end:
        answer = await asyncio.to_thread(
            backend.ask, {"op": "broadcast", "channel": "room", "type": "x", "data": "asked", "id": "once"})
        assert unavailable(answer)
    assert a.health()["clients"] == 1 and b.health()["clients"] == 1
    redis.resume()
    await until_told(watcher, "x", "pushed", "asked")
    assert backend.confirm({"op": "broadcast", "channel": "room", "type": "x", "data": "asked", "id": "once"})["duplicate"]
    assert sorted(data(watcher, "x")) == ["asked", "pushed"]
    assert [told.type for told in watcher.told] == ["sync:full", "sync:joined", "x", "x"]
    assert people(backend, "room") == {"ada"} and epoch_of(a) == epoch_of(b) == epoch


@pytest.mark.parametrize("fsync", ["always", "everysec"])
async def test_a_redis_process_that_ends_and_has_its_file_goes_on_without_a_gap(start_redis, join, follow, peer_of, push_to,
                                                                                fsync):
    redis = start_redis(*AOF, fsync)
    a, b = join("a", url=redis.url()), join("b", url=redis.url())
    client, backend, pushed = await follow(b), peer_of(a), push_to(a)
    backend.confirm({"op": "broadcast", "type": "x", "data": "before", "id": "before"})
    epoch = epoch_of(a)
    redis.kill()
    pushed.push({"op": "broadcast", "type": "x", "data": "meanwhile"})
    redis.start()
    backend.confirm({"op": "broadcast", "type": "x", "data": "behind"})
    assert backend.confirm({"op": "broadcast", "type": "x", "id": "before"})["duplicate"]
    await until_told(client, "x", "meanwhile", "behind")
    assert sorted(data(client, "x")) == ["before", "behind", "meanwhile"] and is_contiguous(client)
    assert epoch_of(a) == epoch_of(b) == epoch


def cut_off(redis, lost):
    """The end of what it has written is not on the disk."""
    files = [path for path in pathlib.Path(redis.directory).rglob("*.aof") if lost.encode() in path.read_bytes()]
    assert len(files) == 1
    content = files[0].read_bytes()
    files[0].write_bytes(content[:content.index(lost.encode())])


def test_a_redis_whose_last_second_is_lost_gets_all_that_relays_have_under_a_new_epoch(start_redis, join, peer_of):
    redis = start_redis(*AOF, "everysec")
    relays = {name: join(name, url=redis.url()) for name in "ab"}
    backend = peer_of(relays["a"])
    backend.confirm({"op": "set", "key": "k", "value": "kept"})
    backend.confirm({"op": "set", "key": "k", "value": "lost", "id": "once"})
    wait_until(lambda: relays["b"].health()["seq"] == relays["a"].health()["seq"], "both have all")
    epoch = epoch_of(relays["a"])
    redis.kill()
    cut_off(redis, "lost")
    redis.start()
    for relay in under_new_epochs(relays, epoch, join, url=redis.url()):
        assert state(peer_of(relay)) == {"k": "lost"}
        assert peer_of(relay).confirm({"op": "set", "key": "k", "value": 1, "id": "once"})["duplicate"]


def test_a_redis_that_is_emptied_gets_all_that_relays_have_under_a_new_epoch(redis, join, peer_of):
    relays = {name: join(name) for name in "ab"}
    peer_of(relays["a"]).confirm({"op": "set", "key": "k", "value": 1, "id": "once"})
    wait_until(lambda: relays["b"].health()["seq"] == 1, "both have all")
    epoch = epoch_of(relays["a"])
    redis.cli("FLUSHALL")
    for relay in under_new_epochs(relays, epoch, join):
        assert state(peer_of(relay)) == {"k": 1}
        assert peer_of(relay).confirm({"op": "set", "key": "k", "value": 2, "id": "once"})["duplicate"]


def copied(master, replica):
    wait_until(lambda: replica.cli("XLEN", "{syncrelay}:log") == master.cli("XLEN", "{syncrelay}:log"), "copied")


async def test_a_failover_that_lost_nothing_goes_on_without_a_gap(start_redis, start_sentinel, join, follow, peer_of):
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    sentinel = start_sentinel(master)
    a, b = join("a", url=sentinel.url), join("b", url=sentinel.url)
    client, backend = await follow(b), peer_of(a)
    backend.confirm({"op": "broadcast", "type": "x", "data": 0})
    epoch = epoch_of(a)
    copied(master, replica)
    master.kill()
    replica.promote()
    sentinel.master = replica
    backend.confirm({"op": "broadcast", "type": "x", "data": 1})
    await until_told(client, "x", 0, 1)
    assert is_contiguous(client) and epoch_of(a) == epoch_of(b) == epoch


def test_a_failover_that_lost_the_tail_goes_on_with_all_that_relays_have(start_redis, start_sentinel, join, peer_of):
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    sentinel = start_sentinel(master)
    relays = {name: join(name, url=sentinel.url) for name in "ab"}
    backend = peer_of(relays["a"])
    backend.confirm({"op": "set", "key": "k", "value": "copied"})
    copied(master, replica)
    replica.cut_replica()
    backend.confirm({"op": "set", "key": "k", "value": "tail", "id": "tail"})
    wait_until(lambda: relays["b"].health()["seq"] == relays["a"].health()["seq"], "both have all")
    epoch = epoch_of(relays["a"])
    master.kill()
    replica.promote()
    sentinel.master = replica
    for relay in under_new_epochs(relays, epoch, join, url=sentinel.url):
        assert state(peer_of(relay)) == {"k": "tail"}
        assert peer_of(relay).confirm({"op": "set", "key": "k", "value": 1, "id": "tail"})["duplicate"]


def test_a_relay_with_the_old_master_keeps_the_epoch_to_itself(start_redis, start_sentinel, join, peer_of):
    """What it confirms there is lost when it comes over, and under another epoch."""
    old, new = start_redis(), start_redis()
    new.replicate(old)
    sentinels = {name: start_sentinel(old) for name in "ab"}
    relays = {name: join(name, "--cluster-timeout", "1s", url=sentinels[name].url) for name in "ab"}
    backends = {name: peer_of(relay) for name, relay in relays.items()}
    backends["a"].confirm({"op": "set", "key": "k", "value": "common"})
    epoch = epoch_of(relays["a"])
    copied(old, new)
    new.promote()
    sentinels["b"].master = new
    old.kill_readers()  # both look anew where the master is
    b, = under_new_epochs({"b": relays["b"]}, epoch, join, url=sentinels["b"].url)
    alone = wait_until(lambda: (answer := backends["a"].ask({"op": "set", "key": "a", "value": 1}))["ok"] and answer,
                       "the old master takes it")
    assert alone["epoch"] == epoch
    assert peer_of(b).confirm({"op": "set", "key": "b", "value": 1})["epoch"] == epoch_of(b) != epoch
    old.kill()
    sentinels["a"].master = new
    a, = under_new_epochs({"a": relays["a"]}, epoch, join, url=sentinels["a"].url)
    peers = [peer_of(a), peer_of(b)]
    wait_until(lambda: all(state(peer) == {"k": "common", "b": 1} for peer in peers), "both have what the new master has")
    assert epoch_of(a) == epoch_of(b)


@pytest.mark.heavy
async def test_a_relay_that_is_killed_takes_along_nothing_but_its_clients(join, follow, peer_of):
    a, b = join("a", *BELIEVING), join("b", *BELIEVING)
    watcher, backend = await follow(a, "room"), peer_of(a)
    client = await follow(b, "room", id="ada")
    await watcher.event("sync:joined", "room")
    peer_of(b).confirm({"op": "broadcast", "channel": "room", "type": "x", "data": "its last"})
    await client.event("x", "room")
    position, began = client.position("room"), time.monotonic()
    b.kill()
    backend.confirm({"op": "broadcast", "channel": "room", "type": "x", "data": "behind"})
    again = await follow(a, position)
    assert (await again.event("x", "room"))["data"] == "behind"
    assert again.channels["room"].first.type == "sync:resume"
    assert (await watcher.until(lambda m: m["type"] == "sync:left", 30))["data"]["id"] == "ada"
    assert time.monotonic() - began > SILENT_SECONDS - 3  # a sign of life is given every 2 s
    backend.confirm({"op": "broadcast", "channel": "room", "type": "fence"})
    await watcher.event("fence", "room")
    assert [t.type for t in watcher.told] == ["sync:full", "sync:joined", "x", "x", "sync:left", "fence"]


async def test_a_relay_that_is_cut_off_from_redis_keeps_its_clients_and_comes_back(redis, join, follow, peer_of):
    way = await FaultProxy(redis.port).start()
    options = (*BELIEVING, "--cluster-timeout", "300ms")
    a = join("a", *options)
    b = await asyncio.to_thread(join, "b", *options, url=f"redis://127.0.0.1:{way.port}")
    near, far = await follow(a, "room"), await follow(b, "room")
    way.stall()
    peer_of(a).confirm({"op": "broadcast", "channel": "room", "type": "x", "data": "others go on"})
    backend = peer_of(b)
    cut_off = await asyncio.to_thread(backend.ask, {"op": "broadcast", "channel": "room", "type": "x", "data": "late",
                                                    "id": "late"})
    assert unavailable(cut_off)
    assert (await asyncio.to_thread(peer_of(a).confirm, {"op": "broadcast", "channel": "room", "type": "x", "data": "late",
                                                         "id": "late"}))["ok"]
    assert b.health()["clients"] == 1 and not data(far, "x")
    way.resume()
    for client in (near, far):
        await until_told(client, "x", "others go on", "late")
        assert is_contiguous(client, "room")
    assert texts(near, "x") == texts(far, "x") and len(texts(far, "x")) == 2
    assert (await asyncio.to_thread(backend.confirm, {"op": "broadcast", "type": "x", "id": "late"}))["duplicate"]
    await asyncio.to_thread(b.stop)
    await way.stop()


async def test_who_comes_to_a_relay_that_is_behind_gets_what_that_has(redis, join, follow, peer_of):
    """A snapshot from before, after a second; and then everything once more."""
    way = await FaultProxy(redis.port).start()
    a = join("a", *OPEN)
    b = await asyncio.to_thread(join, "b", *OPEN, url=f"redis://127.0.0.1:{way.port}")
    client, backend = await follow(a, "room"), peer_of(a)
    backend.confirm({"op": "broadcast", "channel": "room", "type": "x", "data": 1})
    there = peer_of(b)
    await until(lambda: there.confirm({"op": "state", "channel": "room"})["seq"] == 1, "b has it")
    way.stall()
    backend.confirm({"op": "broadcast", "channel": "room", "type": "x", "data": 2})
    await until_told(client, "x", 2)
    again = await follow(b, client.position("room"))
    assert (again.channels["room"].first.type, again.channels["room"].first.seq) == ("sync:full", 1)
    way.resume()
    await until_told(again, "x", 2)
    assert texts(again, "x") == texts(client, "x")[1:]
    await asyncio.to_thread(b.stop)
    await way.stop()


@pytest.mark.skipif(not ClockShift.is_possible() or is_sanitized(),
                    reason="there is no C compiler, or a sanitizer's library has to be the first that is loaded")
async def test_clocks_an_hour_apart_are_no_matter(tmp_path, join, follow, peer_of):
    relays = []
    for name, seconds in (("a", HOUR), ("b", 0), ("c", -HOUR)):
        (tmp_path / name).mkdir()
        clock = ClockShift(tmp_path / name)
        clock.jump(seconds)
        relays.append(join(name, *BELIEVING, env=clock.environment()))
    clients = [await follow(relay, "room") for relay in relays]
    await follow(relays[0], "room", id="ada")
    for number, relay in enumerate(relays):
        peer_of(relay).confirm({"op": "set", "channel": "room", "key": f"k{number}", "value": 1, "ttl": 0.5})
    peer_of(relays[1]).confirm({"op": "set", "channel": "room", "key": "long", "value": 1, "ttl": HOUR / 2})
    for client in clients:
        while len(texts(client, "sync:delete")) < 3:
            await client.next()
    told = [[t.message.text for t in client.told[1:]] for client in clients]
    assert told[0] == told[1] == told[2]
    assert all(abs(t.body["ts"] - time.time()) < 60 for t in clients[0].told[1:])
    set_at = {key: t.body["ts"] for t in clients[0].told if t.type == "sync:set" for key in t.body["data"]}
    gone_at = {t.body["data"][0]: t.body["ts"] for t in clients[0].told if t.type == "sync:delete"}
    assert all(0.498 < gone_at[key] - set_at[key] < 5 for key in gone_at)
    for name, seconds in (("d", HOUR), ("e", -HOUR)):  # one that reads the log has the same keys left
        (tmp_path / name).mkdir()
        clock = ClockShift(tmp_path / name)
        clock.jump(seconds)
        late = peer_of(join(name, *BELIEVING, env=clock.environment()))
        assert set(state(late, channel="room")) == {"long"}


async def test_a_full_redis_refuses_and_all_goes_on_when_there_is_room(redis, join, follow, peer_of):
    options = ("--cluster-timeout", "300ms")
    a, b = join("a", *options), join("b", *options)
    client, backend = await follow(b), peer_of(a)
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    full = {"op": "broadcast", "type": "x", "data": "full", "id": "full"}
    assert unavailable(backend.ask(full))
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    wait_until(lambda: (answer := backend.ask(full))["ok"] and answer.get("duplicate"), "it has taken effect")
    await until_told(client, "x", "full")
    assert data(client, "x") == ["full"] and is_contiguous(client)


def test_a_redis_that_evicts_is_warned_of(start_redis, join):
    redis = start_redis("--maxmemory-policy", "allkeys-lru")
    line = join("a", url=redis.url()).logged("maxmemory-policy")
    assert "warning" in line and "allkeys-lru" in line


def test_an_evicted_log_is_founded_anew_with_all_that_relays_have(redis, join, peer_of):
    relays = {name: join(name) for name in "ab"}
    peer_of(relays["a"]).confirm({"op": "set", "key": "k", "value": 1})
    wait_until(lambda: relays["b"].health()["seq"] == 1, "both have all")
    epoch = epoch_of(relays["a"])
    redis.cli("DEL", "{syncrelay}:info", "{syncrelay}:log")
    for relay in under_new_epochs(relays, epoch, join):
        assert state(peer_of(relay)) == {"k": 1}


def test_time_in_which_no_relay_runs_counts_for_a_keys_life(join, peer_of):
    life = 3.0
    a = join("a")
    peer_of(a).confirm({"op": "set", "key": "k", "value": 1, "ttl": life})
    end = time.monotonic() + life
    a.stop()
    wait_until(lambda: time.monotonic() > end, "its life is over")
    backend = peer_of(join("a"))
    wait_until(lambda: "k" not in state(backend), "the key goes at once", life / 2)
