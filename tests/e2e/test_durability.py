"""What --data keeps over a stop and over kill -9, and what happens when it cannot be kept."""

import asyncio
import os
import shutil
import signal

import pytest
import zmq

from control_peer import ControlPeer
from deadline import until, wait_until
from relay_process import RelayExited, run_relay
from ws_client import SyncClient

CRASH_BINARY = os.environ.get("SYNCRELAY_CRASH_BINARY")
DATABASE = "syncrelay.db"
HEADER_BYTES = 100  # SQLite counts its attempts there


@pytest.fixture
def start(start_relay, data_dir):
    return lambda *arguments, **how: start_relay("--data", data_dir, *arguments, **how)


@pytest.fixture
def ask():
    """ask(relay, command): the answer."""
    peers = {}

    def send(relay, command):
        endpoint = relay.ready["control"][0]
        if relay.pid not in peers:
            peers[relay.pid] = ControlPeer(endpoint)
        return peers[relay.pid].ask(command)

    yield send
    for peer in peers.values():
        peer.close()


def broadcast(data, **more):
    return {"op": "broadcast", "type": "x", "data": data, **more}


# Over a restart.


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("durability", ["process", "power"])
async def test_a_restart_keeps_state_epoch_seq_log_and_ids(start, ask, connect, end, durability):
    relay = start("--durability", durability)
    first = ask(relay, broadcast(1, set={"radio": {"n": 1.50}}, id="a"))
    ask(relay, {"op": "set", "key": "silent", "value": [1, 2], "id": "b", "notify": False})
    last = ask(relay, broadcast(2))
    before = ask(relay, {"op": "state"})
    getattr(relay, end)()
    again = start("--durability", durability)
    assert ask(again, {"op": "state"}) == before
    assert ask(again, {"op": "state", "key": "radio"})["versions"] == first["versions"]
    assert before["seq"] == last["seq"] == 2 and before["epoch"] == first["epoch"]
    del first["versions"]
    assert ask(again, broadcast(1, id="a")) == {**first, "duplicate": True}
    assert ask(again, {"op": "set", "key": "silent", "value": 0, "id": "b"})["duplicate"]
    client = await connect(again, epoch=first["epoch"], seq=0)
    assert client.first.type == "sync:resume"
    await client.read_to_seq(2)
    assert [m.data for m in client.events()] == [1, 2]
    assert ask(again, broadcast(3))["seq"] == 3


async def test_without_data_the_epoch_changes_and_clients_get_a_snapshot(start_relay, ask, connect):
    relay = start_relay()
    ask(relay, broadcast(1, set={"radio": 1}))
    client = await connect(relay)
    relay.kill()
    back = await connect(again := start_relay(), **client.position)
    assert back.first.type == "sync:full" and back.epoch != client.epoch
    assert back.first.data == ask(again, {"op": "state"})["state"] == {"comparison": None, "radio": None}


async def test_clients_resume_without_a_gap_over_kill_9(start, ask, connect):
    """Three kills in the middle of a stream of confirmed commands; one client is at the head, one far behind."""
    head, behind, texts, confirmed = None, None, {}, {}
    for number in range(3):
        relay = start()
        head = await connect(relay, **(head.position if head else {}))
        behind = behind or await connect(relay)
        dealer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
        for n in range(1000):
            dealer.send(broadcast([number, n]), b"%d" % n)
        for n in range(200 + 100 * number):
            answer = await asyncio.to_thread(dealer.receive)
            confirmed[answer["seq"]] = [number, n]
        relay.kill()
        dealer.close()
        await head.read_to_end()
        texts |= {m.seq: m.text for m in head.events()}
    relay = start()
    last = ask(relay, broadcast("last"))["seq"]
    resumed = [await connect(relay, **client.position) for client in (head, behind)]
    for client in resumed:
        assert client.first.type == "sync:resume"
        await client.read_to_seq(last)
        for message in client.events():
            assert texts.setdefault(message.seq, message.text) == message.text
    data = {m.seq: m.data for m in resumed[1].events()}
    assert sorted(data) == list(range(1, last + 1))
    assert {seq: data[seq] for seq in confirmed} == confirmed


# At the points inside a batch where it hurts most.

POINTS = {"before_commit": False, "before_note": True, "after_commit": True, "before_answer": True}  # whether the command is there then


@pytest.fixture
def crashing(monkeypatch):
    if not CRASH_BINARY:
        pytest.skip("$SYNCRELAY_CRASH_BINARY names no relay built with -Dcrash_points=true")
    monkeypatch.setenv("SYNCRELAY_BINARY", CRASH_BINARY)


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_inside_the_batch_leaves_all_of_a_command_or_nothing(crashing, start, ask, connect, point):
    relay = start(env={"SYNCRELAY_CRASH_AT": f"{point}:2"})
    first = ask(relay, broadcast("kept", set={"radio": 1}, notify=True))
    client = await connect(relay, **{"epoch": first["epoch"], "seq": 0})
    await client.read_to_seq(1)
    command = broadcast("struck", set={"radio": 2}, notify=True, id="a")
    dealer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
    dealer.send(command)
    await until(lambda: relay.exit_code() is not None, "it dies")
    dealer.close()
    assert relay.exit_code() == -signal.SIGKILL
    relay.kill()
    await client.read_to_end()
    seen = [m.data for m in client.events()]
    assert seen == ["kept"] if point != "before_answer" else seen in (["kept"], ["kept", "struck"])
    again = start()
    survived = ask(again, {"op": "state"})
    assert (survived["seq"], survived["state"]["radio"]) == ((2, 2) if POINTS[point] else (1, 1))
    answer = ask(again, command)
    assert answer["seq"] == 2 and answer.get("duplicate", False) == POINTS[point]
    back = await connect(again, **client.position)
    assert back.first.type == "sync:resume"
    await back.read_to_seq(2)
    assert seen + [m.data for m in back.events()] == ["kept", "struck"]


# When the storage fails.


async def fails_and_recovers(relay, disk, ask, client, send):
    """`send` is what is refused while there is no room."""
    before = ask(relay, {"op": "state"})
    disk.fill()
    refused = await until(lambda: next((a for a in send() if not a["ok"]), None), "a command is refused", 15)
    assert refused["error"]["code"] == "storage_full", refused
    assert DATABASE in refused["error"]["message"]
    state = ask(relay, {"op": "state"})
    assert client.connection.open and relay.exit_code() is None
    new = await SyncClient.open(relay)
    assert (new.first.data, new.first.seq) == (state["state"], state["seq"])
    await new.abort()
    disk.free()
    await until(lambda: ask(relay, broadcast("room again"))["ok"], "commands are taken again")
    return before


def test_every_command_of_a_batch_that_is_not_stored_counts_as_refused(start, push_to, ask, disk):
    """Pushed and confirmed alike: what was sent is accepted or refused, one by one."""
    relay = start(launcher=disk.launcher)
    disk.fill()
    pusher = push_to(relay)
    for _ in range(300):
        pusher.broadcast("big", "x" * 30_000)
    answers = [ask(relay, broadcast("x" * 200)) for _ in range(5)]
    page = wait_until(lambda: (m := relay.metrics()).value("commands_total")
                      + m.value("commands_rejected_total") == 305 and m, "each command counts once", 20)
    assert page.value("commands_rejected_total", reason="storage_full") > sum(not a["ok"] for a in answers)


async def test_a_full_disk_refuses_commands_and_keeps_clients_until_there_is_room(start, ask, connect, disk):
    relay = start(launcher=disk.launcher)
    kept = ask(relay, broadcast("kept", set={"radio": 1}, id="a"))
    client = await connect(relay)
    big = "x" * 30_000
    await fails_and_recovers(relay, disk, ask, client,
                             lambda: [ask(relay, broadcast(big, set={"radio": big}))])
    after = ask(relay, {"op": "state"})
    await client.read_to_seq(after["seq"])
    await until(lambda: relay.health()["clients"] == 1, "who looked in meanwhile is gone")
    del kept["versions"]
    assert ask(relay, broadcast("kept", id="a")) == {**kept, "duplicate": True, "clients": 1}
    assert relay.metrics().labels("commands_rejected_total", "reason")["storage_full"] >= 1
    wait_until(lambda: "storage_full" in relay.log(), "the log says why")
    relay.kill()
    again = start(launcher=disk.launcher)
    assert ask(again, {"op": "state"})["state"] == after["state"]
    back = await connect(again, epoch=after["epoch"], seq=0)
    await back.read_to_seq(after["seq"])
    texts = {m.seq: m.text for m in back.events()}
    assert all(texts[m.seq] == m.text for m in client.events())


async def test_a_batch_of_more_ids_than_are_remembered_is_taken_back_whole(start, ask, connect, disk):
    relay = start("--dedup-ids", "3", launcher=disk.launcher)
    dealer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
    numbers = iter(range(10**6))

    def burst():
        for _ in range(200):
            n = next(numbers)
            dealer.send(broadcast("x" * 500, set={"radio": n}, id=f"{n}"))
        return [dealer.receive() for _ in range(200)]

    await fails_and_recovers(relay, disk, ask, await connect(relay), burst)
    assert "duplicate" not in ask(relay, broadcast("new", id="never sent before"))
    dealer.close()


def refused_start(data_dir, runtime_dir, **how):
    """The last line of a relay that must not start."""
    result = run_relay("--port", "0", "--data", data_dir, runtime_dir=runtime_dir / "other", **how)
    assert result.returncode == 1, result
    assert not result.stdout
    return result.stderr.splitlines()[-1]


def test_a_second_owner_is_refused_and_told_who_holds_the_data(start, ask, data_dir, runtime_dir):
    relay = start()
    said = refused_start(data_dir, runtime_dir)
    assert str(data_dir) in said and str(relay.pid) in said
    assert ask(relay, broadcast(1))["ok"]


def test_a_read_only_disk_is_refused_at_the_start(start, ask, disk, data_dir):
    relay = start(launcher=disk.launcher)
    ask(relay, broadcast(1))
    relay.stop()
    disk.make_read_only()
    with pytest.raises(RelayExited, match=str(data_dir)) as caught:
        start(launcher=disk.launcher)
    assert "exit code 1," in str(caught.value)


def test_a_data_path_that_is_a_file_is_refused(data_dir, runtime_dir):
    data_dir.write_text("not a directory")
    assert str(data_dir) in refused_start(data_dir, runtime_dir)
    assert data_dir.read_text() == "not a directory"


def overwrite(path, offset, content):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


DAMAGES = {
    "no database": lambda path: path.write_bytes(b"something else" * 1000),
    "header": lambda path: overwrite(path, 0, b"\xff" * 100),
    "pages": lambda path: overwrite(path, 4096, b"\xff" * (path.stat().st_size - 4096)),
    "cut": lambda path: os.truncate(path, 6000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_and_left_as_it_is(start, ask, data_dir, runtime_dir, damage):
    relay = start()
    for number in range(50):
        ask(relay, broadcast("x" * 1000, set={"radio": number}, id=f"{number}"))
    relay.stop()
    shutil.copy(data_dir / DATABASE, runtime_dir / "backup")
    DAMAGES[damage](data_dir / DATABASE)
    damaged = (data_dir / DATABASE).read_bytes()
    assert DATABASE in refused_start(data_dir, runtime_dir)
    assert (data_dir / DATABASE).read_bytes()[HEADER_BYTES:] == damaged[HEADER_BYTES:]
    shutil.copy(runtime_dir / "backup", data_dir / DATABASE)
    assert ask(start(), {"op": "state"})["seq"] == 50


def test_what_the_log_window_does_not_need_is_deleted_from_the_disk(start, ask, data_dir):
    relay = start("--log-bytes", "64KiB", "--log-events", "100")
    dealer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
    for _ in range(20):
        for _ in range(250):
            dealer.send(broadcast("x" * 2000))
        for _ in range(250):
            assert dealer.receive()["ok"]
    dealer.close()
    relay.stop()
    assert wait_until(lambda: sum(f.stat().st_size for f in data_dir.iterdir()), "files") < 4 * 2**20
    assert ask(start(), {"op": "state"})["seq"] == 5000
