"""What a relay of a cluster says while it starts, lags, has lost its Redis, or begins anew."""

import json
import os
import pathlib
import shutil
import signal
import socket

import pytest

from deadline import until, wait_until
from door_client import DoorClient
from early_relay import EarlyRelay
from raw_client import KEY
from redis_process import Redis, free_port
from relay_process import run_relay
from shell import Shell

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")

SERVICE_RESTART = 1012
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
TYPES = {"cluster_reachable": "gauge", "cluster_lag_seconds": "gauge", "cluster_relays": "gauge",
         "cluster_entries_total": "counter", "cluster_appends_total": "counter",
         "cluster_letters_under_way": "gauge", "cluster_bytes_under_way": "gauge",
         "cluster_round_trip_seconds": "histogram", "cluster_epoch_changes_total": "counter",
         "cluster_epochs_founded_total": "counter", "cluster_checkpoints_total": "counter"}


@pytest.fixture
def redis():
    server = Redis()
    yield server
    server.dispose()


@pytest.fixture
def join(redis, start_relay, runtime_dir):
    """join("a"): a relay of the cluster, with a runtime directory of that name."""
    def start(name, *options):
        directory = pathlib.Path(runtime_dir) / name
        directory.mkdir(mode=0o700, exist_ok=True)
        return start_relay("--cluster", redis.url(), *options, runtime_dir=directory)
    return start


@pytest.fixture
def early(runtime_dir):
    """early(url): a relay that is not ready."""
    relays = []

    def start(url, *options, **env):
        relays.append(EarlyRelay(*options, runtime_dir=runtime_dir, env={"SYNCRELAY_CLUSTER": url, **env}))
        return relays[-1]
    yield start
    for relay in relays:
        relay.dispose()


def state(peer):
    return peer.confirm({"op": "state"})["state"]


def is_anew(relay, epoch):
    reply = relay.http()
    return reply.status == 200 and reply.json()["epoch"] != epoch


def began_anew(relay, epoch):
    return until(lambda: is_anew(relay, epoch), "the relay has begun anew")


def test_a_relay_that_waits_for_its_redis_reads_its_files_again(early, tmp_path):
    """It may wait for hours: a token that was taken back must not count so long."""
    old, new, newest = "o" * 40, "n" * 40, "m" * 40
    token, notified = tmp_path / "token", str(tmp_path / "notify")
    token.write_text(old)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(notified)
        relay = early(f"redis://127.0.0.1:{free_port()}", "--admin-token", token, NOTIFY_SOCKET=notified)
        assert DoorClient(relay, old).get("/metrics").status == 200
        token.write_text(new)
        wait_until(lambda: DoorClient(relay, new).get("/metrics").status == 200, "the new one counts")
        assert DoorClient(relay, old).get("/metrics").status == 401
        token.write_text(newest)
        relay.signal(signal.SIGHUP)
        wait_until(lambda: DoorClient(relay, newest).get("/metrics").status == 200, "the newest counts")
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):  # it has not started yet
            manager.recv(4096)
    assert relay.stop() == 0


def test_a_relay_that_waits_for_its_redis_ends_with_its_parent(runtime_dir):
    ended = run_relay("--parent", os.getppid(), "--port", "0", runtime_dir=runtime_dir,  # not what starts it
                      env={"SYNCRELAY_CLUSTER": f"redis://127.0.0.1:{free_port()}"})
    assert ended.returncode == 0 and "has ended" in ended.stderr


def test_a_relay_that_waits_for_its_redis_says_so_and_admits_nobody(early):
    port = free_port()
    relay = early(f"redis://127.0.0.1:{port}")
    health = relay.http()
    assert health.status == 503
    assert health.json() == {**health.json(), "status": "catching_up", "cluster": "unreachable", "clients": 0}
    assert "epoch" not in health.json()
    for path, headers in (("/ws/sync", UPGRADE), ("/ws/sync", {}), ("/", {})):
        refused = relay.http(path=path, headers=headers)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    door = DoorClient(relay)
    assert door.get("/").status == 200 and door.get("/health").status == 503
    for answer in (door.get("/stats"), door.post({"op": "set", "key": "a", "value": 1})):
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "unavailable", "1")
    metrics = relay.metrics()
    assert metrics.value("cluster_reachable") == 0
    assert metrics.value("clients_refused_total", reason="catching_up") == 3
    relay.logged("cannot be used")
    redis = Redis(port=port)
    try:
        ready = relay.wait_until_ready()
        assert ready["port"] == relay.port and ready["admin"] == relay.ready["admin"]
        assert relay.health()["cluster"] == "ok"
        assert relay.metrics().value("clients_refused_total", reason="catching_up") == 3
    finally:
        redis.dispose()


def test_a_relay_that_waits_for_its_redis_is_stopped_as_any_other_and_tells_no_password(early):
    port = free_port()
    relay = early(f"redis://:secret@127.0.0.1:{port}")
    assert f"127.0.0.1:{port}" in relay.logged("cannot be used")
    assert relay.stop(5) == 0
    assert "stopping" in relay.log() and "secret" not in relay.log()


def test_health_tells_of_a_redis_that_is_away(join, redis):
    relay = join("a")
    assert relay.health()["cluster"] == "ok"
    redis.kill()
    wait_until(lambda: relay.health()["cluster"] == "unreachable", "it is told")
    assert relay.health()["status"] == "ok"
    wait_until(lambda: relay.metrics().value("cluster_lag_seconds") > 2, "the lag grows")
    assert relay.metrics().value("cluster_reachable") == 0


def test_a_relay_that_is_alone_says_nothing_of_a_cluster(relay, peer_of):
    assert "cluster" not in relay.health()
    assert not [name for name in relay.metrics().types if name.startswith("cluster")]
    assert "cluster" not in peer_of(relay).confirm({"op": "stats"})["stats"]


async def test_the_numbers_of_a_cluster_are_there_and_add_up(join, peer_of):
    a, b = join("a"), join("b")
    peer = peer_of(a)
    for number in range(20):
        peer.confirm({"op": "broadcast", "type": "x", "data": number})
    seen = a.metrics()
    assert {name: seen.types.get(name) for name in TYPES} == TYPES
    assert seen.value("cluster_reachable") == 1
    assert seen.value("cluster_round_trip_seconds_count") == 20
    assert 0 < seen.value("cluster_round_trip_seconds_sum") < 20
    assert seen.value("cluster_letters_under_way") == seen.value("cluster_bytes_under_way") == 0
    assert 0 < seen.value("cluster_appends_total") <= 20 <= seen.value("cluster_entries_total")
    assert seen.value("cluster_epoch_changes_total") == 0
    for relay in (a, b):
        await until(lambda r=relay: r.metrics().value("cluster_lag_seconds") == 0, "it has all")
        await until(lambda r=relay: r.metrics().value("cluster_relays") == 2, "it knows the other one")
    assert b.metrics().value("cluster_appends_total") == 0
    assert b.metrics().value("cluster_entries_total") >= 20
    stats = peer.confirm({"op": "stats"})["stats"]["cluster"]
    assert stats["reachable"] is True and stats["round_trips"] == 20
    assert stats["checkpoints"] == {"written": 0, "late": 0, "failed": 0}
    assert stats["epochs_founded"] == {"empty": 1, "demanded": 0, "lost": 0, "strangers": 0, "missing": 0}
    shown = Shell(a.runtime_dir, a.port).run("stats").stdout
    assert json.loads(shown)["cluster"] == {**stats, "lag": 0}


async def test_a_cluster_that_begins_anew_closes_clients_and_lets_them_in_again(join, redis, follow, peer_of):
    relay = join("a")
    peer = peer_of(relay)
    peer.confirm({"op": "set", "key": "k", "value": 1, "id": "once"})
    before = relay.health()
    client = await follow(relay)
    redis.restart()
    assert await client.ended() == (SERVICE_RESTART, "cluster_began_anew")
    await began_anew(relay, before["epoch"])
    again = await follow(relay)
    assert again.channels[""].first.type == "sync:full" and again.state("")["k"] == 1
    assert peer.confirm({"op": "set", "key": "k", "value": 2, "id": "once"})["duplicate"]
    assert relay.health()["uptime"] >= before["uptime"]
    metrics = relay.metrics()
    assert metrics.value("cluster_epoch_changes_total") >= 1
    assert metrics.value("cluster_epochs_founded_total", why="empty") >= 2
    assert metrics.value("clients_closed_total", reason="cluster_began_anew") == 1
    assert metrics.value("clients_accepted_total") == 2
    assert "new epoch" in relay.logged("the cluster began anew")
    assert relay.exit_code() is None


async def test_what_backends_say_while_a_cluster_begins_anew_takes_effect(join, redis, peer_of, push_to):
    relay = join("a", "--cluster-timeout", "500ms")
    peer, pusher = peer_of(relay), push_to(relay)
    epoch = relay.health()["epoch"]
    confirmed = 0

    def confirm_next():
        nonlocal confirmed
        answer = peer.ask({"op": "set", "key": f"c{confirmed}", "value": 1, "id": f"c{confirmed}"}, 20)
        confirmed += 1 if answer["ok"] else 0
        return answer

    confirm_next()
    redis.kill()
    for number in range(100):
        pusher.push({"op": "set", "key": f"p{number}", "value": number, "notify": False})
    assert confirm_next()["error"]["code"] == "cluster_unavailable"
    redis.start()
    wait_until(lambda: confirm_next() and is_anew(relay, epoch), "the relay has begun anew")
    for _ in range(5):
        confirm_next()
    await until(lambda: f"p{99}" in state(peer), "what was pushed is there")
    kept = state(peer)
    assert {f"p{n}" for n in range(100)} <= set(kept)
    assert {f"c{n}" for n in range(confirmed)} <= set(kept)
    assert confirmed >= 6


async def test_what_clients_have_said_waits_for_the_backend_while_a_cluster_begins_anew(
        join, redis, follow, peer_of):
    relay = join("a")
    peer = peer_of(relay)
    peer.confirm({"op": "receive", "wait": 0})
    client = await follow(relay)
    assert (await client.ask({"type": "order", "data": 1}))["type"] == "sync:ack"
    epoch = relay.health()["epoch"]
    redis.restart()
    await began_anew(relay, epoch)
    message, = peer.confirm({"op": "receive", "wait": 5})["events"]
    assert message["data"]["type"] == "order" and "connection" not in message
    assert peer.confirm({"op": "done", "n": [message["n"]]})["done"] == 1


async def test_a_worker_that_waits_is_let_go_when_a_cluster_begins_anew(join, redis, peer_of):
    relay = join("a")
    worker, epoch = peer_of(relay), relay.health()["epoch"]
    worker.send({"op": "receive", "wait": 60})
    await until(lambda: relay.metrics().value("command_connections") >= 1, "the worker is there")
    redis.restart()
    assert worker.receive(20)["events"] == []
    await began_anew(relay, epoch)
    assert worker.confirm({"op": "receive", "wait": 0})["events"] == []


async def test_a_cluster_may_begin_anew_again_and_again(join, redis, peer_of):
    relays = [join("a"), join("b")]
    peer = peer_of(relays[0])
    for number in range(3):
        peer.confirm({"op": "set", "key": f"k{number}", "value": number})
        epoch = relays[0].health()["epoch"]
        wait_until(lambda: relays[0].health()["seq"] == relays[1].health()["seq"], "both have all")
        redis.restart()
        for relay in relays:
            await began_anew(relay, epoch)
        wait_until(lambda: relays[0].health()["epoch"] == relays[1].health()["epoch"], "both go on together")
    kept = state(peer)
    assert state(peer_of(relays[1])) == kept and [kept[f"k{number}"] for number in range(3)] == [0, 1, 2]
    assert [relay.stop() for relay in relays] == [0, 0]


def test_watch_names_the_code_with_which_a_cluster_that_begins_anew_closes(join, redis, runtime_dir):
    relay = join("a", "--log-level", "info")
    epoch = relay.health()["epoch"]
    watch = Shell(pathlib.Path(runtime_dir) / "a", port=relay.port).start("watch", "--count", "2")
    wait_until(lambda: relay.health()["clients"] == 1, "it is there")
    redis.restart()
    wait_until(lambda: is_anew(relay, epoch), "the relay has begun anew")
    watch.wait_for_lines(2)
    watch.end()
    assert any(f"{SERVICE_RESTART} cluster_began_anew" in line for line in watch.errors), watch.errors
    assert f'cluster="redis://127.0.0.1:{redis.port}/0?prefix=syncrelay"' in relay.log_of_start()
