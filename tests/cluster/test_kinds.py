"""Kinds of Redis: with Sentinel, as a cluster, with a password."""

import subprocess

import pytest

from deadline import wait_until
from redis_process import Redis, free_port


# All that a user of Redis has to be allowed.
COMMANDS = """+script|load +evalsha +info +time +select +exists +get +set +persist +unlink +del +pexpire +hget +hset
    +hsetnx +hdel +hmget +hgetall +hkeys +hlen +hexists +xadd +xlen +xread +xrange +xrevrange +xtrim +rpush +ltrim
    +lrange""".split()


@pytest.fixture
def sentinel(start_redis):
    """A real one, for the master that the test starts first."""
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    port = free_port()
    config = master.directory / "sentinel.conf"
    config.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {master.port} 1\n"
                      "sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 2000\n")
    process = subprocess.Popen(["redis-sentinel", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watcher = Redis.__new__(Redis)
    watcher.port, watcher.process = port, process
    wait_until(watcher.answers, "the sentinel answers")
    wait_until(lambda: str(replica.port) in watcher.cli("SENTINEL", "replicas", "mymaster"), "it knows the replica")
    yield f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/mymaster", master
    process.kill()
    process.wait()


def test_a_sentinel_leads_to_the_new_master(sentinel, join):
    url, master = sentinel
    relays = [join(url) for _ in range(2)]
    relays[0].append("before")
    relays[1].until_has("before")
    master.kill()
    relays[1].append("meanwhile")
    for relay in relays:
        relay.until_has("before", "meanwhile", seconds=40)
    assert relays[0].row() == relays[1].row()
    assert relays[0].epoch() == relays[1].epoch()


@pytest.fixture
def nodes(start_redis):
    """Two, each with half of the slots."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
    first, second = start_redis(*options), start_redis(*options)
    first.cli("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
    second.cli("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
    second.cli("CLUSTER", "SET-CONFIG-EPOCH", "2")
    first.cli("CLUSTER", "MEET", "127.0.0.1", str(second.port))
    for node in (first, second):
        wait_until(lambda: "cluster_state:ok" in node.cli("CLUSTER", "INFO")
                   and "cluster_slots_ok:16384" in node.cli("CLUSTER", "INFO"), "the cluster is whole")
    return first, second


def test_redis_cluster_keeps_all_in_one_place_and_any_node_leads_there(nodes, join):
    relays = [join(node, entries=20) for node in nodes]
    for number in range(60):
        relays[number % 2].append(f"a{number}")
        relays[number % 2].until_has(f"a{number}")
    for relay in relays:
        relay.until_has("a58", "a59")
    assert relays[0].row() == relays[1].row()
    sizes = sorted(int(node.cli("DBSIZE")) for node in nodes)
    assert sizes[0] == 0 < sizes[1]


def test_user_and_password_and_database(start_redis, join):
    redis = start_redis()
    redis.cli("ACL", "SETUSER", "relay", "on", ">se/cret", "~{mine}:*", *COMMANDS)
    url = f"redis://relay:se%2Fcret@127.0.0.1:{redis.port}/3?prefix=mine"
    relay, other = join(url, entries=20), join(url, entries=20)
    for number in range(100):
        relay.append(f"a{number}")
        other.until_has(f"a{number}")
    wait_until(lambda: "older" in redis.cli("-n", "3", "HKEYS", "{mine}:info"), "two checkpoints")
    other.stop()
    relay.wait_for("gone ")
    late = join(url)
    late.until_has("a99")
    redis.cli("-n", "3", "HDEL", "{mine}:info", "replid")
    relay.append("b")
    late.until_has("b")


def test_a_wrong_password_is_said_once_and_never_shown(start_redis, join):
    redis = start_redis()
    redis.cli("CONFIG", "SET", "requirepass", "right")
    relay = join(f"redis://:wr0ng@127.0.0.1:{redis.port}")
    wait_until(lambda: [line for line in relay.log if "WRONGPASS" in line], "it is said")
    assert not relay.is_reachable()
    assert not [line for line in relay.log if "wr0ng" in line]
    assert len([line for line in relay.log if "cannot be used" in line]) == 1


def test_a_redis_that_comes_later_is_waited_for(join):
    port = free_port()
    relay = join(f"redis://127.0.0.1:{port}")
    relay.append("a")
    wait_until(lambda: relay.log, "it is said")
    redis = Redis(port=port)
    try:
        relay.until_has("a")
    finally:
        redis.dispose()
